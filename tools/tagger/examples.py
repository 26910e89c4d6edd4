"""What the tagger learns from and is tried on: pictures with the tags that are right for them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from tools.embedded_model.concepts import CONCEPTS, FURTHER_DRAWINGS, STYLES
from tools.embedded_model.drawings import fetch, names_in_every
from tools.tagger.drawn import HELD_OUT_SEED, LEARNT_SEED, drawn_pictures
from tools.tagger.variations import with_ground

__all__ = ["SIDE", "TAGS", "THINGS", "Examples", "read_examples"]

SIDE = 64
THINGS = tuple(concept.words[0] for concept in CONCEPTS)
TAGS = (*THINGS, *(f"{style.word} style" for style in STYLES))
HELD_OUT_EVERY = 8
"""Of the drawings of other things, every so many-th thing is not learnt from."""
LEARNT_EACH, HELD_OUT_EACH = 4, 2
"""Drawn pictures of each concept in each style."""


@dataclass(frozen=True)
class Examples:
    """`layers` (N, SIDE, SIDE, 4): colours and ground; `tags` (N, TAGS): 1 for those that are right."""

    layers: NDArray[np.uint8]
    tags: Tensor

    @classmethod
    def of(cls, pictures: NDArray[np.uint8], tags: Tensor) -> "Examples":
        """From `pictures` (N, H, W, 3)."""
        small = [Image.fromarray(each).resize((SIDE, SIDE), Image.Resampling.BICUBIC) for each in pictures]
        return cls(with_ground(np.stack([np.asarray(each) for each in small])), tags)

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """`count` of them by chance: layers (count, 4, SIDE, SIDE) in 0 .. 1, and tags."""
        chosen = torch.randint(0, len(self.tags), (count,), generator=generator)
        layers = torch.from_numpy(self.layers[chosen.numpy()]).movedim(-1, 1).float() / 255
        return layers, self.tags[chosen]

    def pictures(self) -> Tensor:
        """All of them as they are, (N, 3, SIDE, SIDE) in 0 .. 1."""
        return torch.from_numpy(self.layers[..., :3]).movedim(-1, 1).float() / 255


def _tags_of(things: Tensor, styles: Tensor) -> Tensor:
    """(N, TAGS) from numbers of things and styles (N,), -1 for none of them."""
    tags = torch.zeros(len(things), len(TAGS))
    for column, known in ((things, things >= 0), (styles + len(THINGS), styles >= 0)):
        rows = known.nonzero()[:, 0]
        tags[rows, column[rows]] = 1
    return tags


def _of_concepts(pictures: NDArray[np.uint8]) -> Examples:
    """From `pictures` (concepts, styles, count, H, W, 3)."""
    concepts, styles, count = pictures.shape[:3]
    thing, style, _ = torch.meshgrid(
        *(torch.arange(length) for length in (concepts, styles, count)), indexing="ij"
    )
    return Examples.of(pictures.reshape(-1, *pictures.shape[3:]), _tags_of(thing.flatten(), style.flatten()))


def _of_other_things(drawings: Path, packages: Path) -> tuple[Examples, Examples]:
    """Drawings of other things, (learnt, held out), in every style and one more."""
    sets = [fetch(style, packages) for style in (*STYLES, *FURTHER_DRAWINGS)]
    names = names_in_every(sets)
    with np.load(drawings) as kept:
        pictures = kept["everything"]
    pictures = pictures.reshape(len(names), len(sets), *pictures.shape[1:])
    known = {concept.icon for concept in CONCEPTS}
    others = [number for number, name in enumerate(names) if name not in known]

    def examples(numbers: list[int]) -> Examples:
        styles = torch.arange(len(sets)).where(torch.arange(len(sets)) < len(STYLES), -1)
        flat = pictures[numbers].reshape(-1, *pictures.shape[2:])
        return Examples.of(flat, _tags_of(torch.full((len(flat),), -1), styles.repeat(len(numbers))))

    learnt = [number for place, number in enumerate(others) if place % HELD_OUT_EVERY]
    return examples(learnt), examples(others[::HELD_OUT_EVERY])


def read_examples(work: Path, of_checkpoint: Path) -> dict[str, Examples]:
    """What is learnt from ("drawings", "drawn", "others") and what is not ("drawn, held out", "others, held
    out").

    of_checkpoint: the work folder of `tools/train_embedded_model.py`, with its drawings and packages.
    """
    with np.load(of_checkpoint / "drawings.npz") as kept:
        drawings = kept["concepts"][:, :, None]
    others, others_held_out = _of_other_things(of_checkpoint / "drawings.npz", of_checkpoint / "packages")
    return {
        "drawings": _of_concepts(drawings),
        "drawn": _of_concepts(drawn_pictures(work, LEARNT_SEED, LEARNT_EACH)),
        "others": others,
        "drawn, held out": _of_concepts(drawn_pictures(work, HELD_OUT_SEED, HELD_OUT_EACH)),
        "others, held out": others_held_out,
    }
