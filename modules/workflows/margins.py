"""The room that outpainting adds around a picture. BEHAVIOUR section 16."""

from collections.abc import Collection
from enum import StrEnum
from math import ceil
from typing import NamedTuple

from PIL import Image, ImageDraw

from modules.errors import InvalidRequest
from modules.generation import LARGEST_SIDE, Img2ImgRequest

__all__ = ["Direction", "Margins", "check_outpainting", "margins_of", "mask_around"]

GRAIN = 64
"""Sides of extended pictures are multiples of this."""


class Direction(StrEnum):
    """Where the picture grows."""

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


class Margins(NamedTuple):
    """Pixels on each side."""

    left: int
    right: int
    up: int
    down: int

    def around(self, size: tuple[int, int]) -> tuple[int, int]:
        """`size` (width, height) with the margins."""
        return size[0] + self.left + self.right, size[1] + self.up + self.down


def margins_of(size: tuple[int, int], pixels: int, directions: Collection[Direction]) -> Margins:
    """What is added to a picture of `size` where `pixels` are wanted in each of `directions`: more, so that
    an extended side is a multiple of 64. A side that is not extended stays as it is.
    """
    wanted = [pixels if direction in directions else 0 for direction in Direction]
    return Margins(*_shares(size[0], *wanted[:2]), *_shares(size[1], *wanted[2:]))


def _shares(side: int, before: int, after: int) -> tuple[int, int]:
    both = before + after
    if not both:
        return 0, 0
    extra = ceil((side + both) / GRAIN) * GRAIN - side
    before = before * extra // both
    return before, extra - before


def check_outpainting(request: Img2ImgRequest, size: tuple[int, int], margins: Margins) -> None:
    """Raises InvalidRequest where a picture of `size`, the request's one, cannot get these margins."""
    if len(request.init_images) > 1:
        raise InvalidRequest(
            "init_images",
            f"Outpainting extends one picture, and init_images holds {len(request.init_images)}; send them "
            "one after another.",
        )
    width, height = margins.around(size)
    if max(width, height) > LARGEST_SIDE:
        raise InvalidRequest(
            "script_args",
            f"The picture would grow to {width}x{height}; a side can be {LARGEST_SIDE} at most. "
            "Add fewer pixels.",
        )


def mask_around(size: tuple[int, int], kept: tuple[int, int, int, int]) -> Image.Image:
    """A mask (L) of `size`: white, but for the rectangle `kept` (left, top, right, bottom), whose last column
    and row belong to it. A rectangle without a pixel keeps nothing.
    """
    mask = Image.new("L", size, 255)
    if kept[0] <= kept[2] and kept[1] <= kept[3]:
        ImageDraw.Draw(mask).rectangle(kept, fill=0)
    return mask
