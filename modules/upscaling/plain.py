"""Upscalers that work on pixels without a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from PIL import Image

from modules.errors import InvalidRequest

__all__ = ["UPSCALERS", "PlainUpscaler", "Upscaler", "upscale_picture", "upscale_to"]

CELL = 8
MOST_PASSES = 3


class Upscaler(Protocol):
    """One entry of the upscaler menu."""

    @property
    def name(self) -> str:
        """The name in menus, requests and generation texts."""

    def enlarge(self, image: Image.Image, factor: float) -> Image.Image:
        """One pass: the picture larger by the upscaler's own factor, or by `factor` where it has none."""


@dataclass(frozen=True, slots=True)
class PlainUpscaler:
    """A resampling filter, or none at all."""

    name: str
    filter: Image.Resampling | None

    def enlarge(self, image: Image.Image, factor: float) -> Image.Image:
        """The picture at int(side * factor), or as it is."""
        if self.filter is None:
            return image
        sides = (max(int(side * factor), 1) for side in image.size)
        return image.resize((next(sides), next(sides)), self.filter)


UPSCALERS: Mapping[str, Upscaler] = MappingProxyType(
    {
        upscaler.name: upscaler
        for upscaler in (
            PlainUpscaler("None", None),
            PlainUpscaler("Lanczos", Image.Resampling.LANCZOS),
            PlainUpscaler("Nearest", Image.Resampling.NEAREST),
        )
    }
)
"""By name, in the order of the menu."""


def upscale_picture(upscaler: Upscaler, image: Image.Image, factor: float) -> Image.Image:
    """The picture upscaled to sides of int(side * factor), rounded down to multiples of 8.

    Raises `InvalidRequest` for a factor that leaves less than 8 pixels.
    """
    width, height = (int(side * factor) // CELL * CELL for side in image.size)
    if min(width, height) < CELL:
        raise InvalidRequest(
            "upscaling_resize",
            f"A picture of {image.width}x{image.height} times {factor} is smaller than {CELL} pixels. "
            "Choose a larger factor.",
        )
    return upscale_to(upscaler, image, factor, (width, height))


def upscale_to(upscaler: Upscaler, image: Image.Image, factor: float, size: tuple[int, int]) -> Image.Image:
    """The picture upscaled by `factor`, at `size`: the upscaler is applied while the picture is too small, at
    most three times; Lanczos does the rest.
    """
    width, height = size
    for _ in range(MOST_PASSES):
        if image.width >= width and image.height >= height:
            break
        larger = upscaler.enlarge(image, factor)
        if larger.size == image.size:
            break
        image = larger
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
