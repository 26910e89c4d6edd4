"""What a workflow is: a row of the Script menu."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from PIL import Image

from modules.generation import Img2ImgRequest, Planned, ScriptGroup
from modules.workflows.arguments import Argument, Arguments, describe_arguments

__all__ = ["Redrawing", "Tab"]

A = TypeVar("A", bound=Arguments)


class Tab(StrEnum):
    """A tab with a Script menu."""

    TXT2IMG = "txt2img"
    IMG2IMG = "img2img"


@dataclass(frozen=True)
class Redrawing(Generic[A]):
    """A workflow of the img2img tab that draws each group of pictures in passes of its own.

    `plan` says what it makes of a request; the run has the pictures that the request then asks for. `draw`
    gives those of a group. Both are pure but for the passes that `draw` has made.
    """

    title: str
    arguments: type[A]
    plan: Callable[[Img2ImgRequest, A], Planned]
    draw: Callable[[ScriptGroup, A], list[Image.Image]]
    tabs: frozenset[Tab] = frozenset({Tab.IMG2IMG})

    @property
    def slug(self) -> str:
        """The title as element ids of the page have it: `outpainting_mk2`."""
        return re.sub(r"[^a-z_0-9]", "", re.sub(r"\s", "_", self.title.lower()))

    def described_arguments(self) -> tuple[Argument, ...]:
        """Its arguments in their order."""
        return describe_arguments(self.arguments)
