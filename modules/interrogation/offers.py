"""What can describe pictures: which models lie in the folders, and what each of them gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from pathlib import Path

__all__ = ["CAPTION", "TAGS", "Format", "Offer", "Wanted"]

CAPTION, TAGS = "clip", "deepdanbooru"
"""The names under which the field asks for the usual captioner and the usual tagger."""


class Wanted(StrEnum):
    """What a description is made of."""

    SENTENCE = "caption"
    TAGS = "tags"


class Format(Enum):
    """How a model lies on the disk, which decides who reads it."""

    CAPTIONER = auto()
    """A folder of the transformers library."""
    ONNX = auto()
    """A tagger in ONNX, its list of tags beside it."""
    DEEPDANBOORU = auto()
    """DeepDanbooru's residual network as a torch file, which holds its tags."""
    SMALL = auto()
    """The small tagger that comes with the program (`tools/train_tagger.py`)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that can be asked by `name`."""

    name: str
    format: Format
    path: Path
    """The file, or the folder of a captioner."""

    @property
    def gives(self) -> tuple[Wanted, ...]:
        """What it can give, the usual first."""
        if self.format is Format.CAPTIONER:
            return (Wanted.SENTENCE,)
        return (Wanted.TAGS, Wanted.SENTENCE) if self.format is Format.SMALL else (Wanted.TAGS,)

    @property
    def is_light(self) -> bool:
        """Whether it needs so little that it may work while pictures are drawn."""
        return self.format is Format.SMALL
