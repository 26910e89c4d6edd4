"""Two pictures of one size, pixel by pixel."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

__all__ = ["PixelDifference", "compare"]

DIRECT_MODES = {"RGB", "RGBA", "L"}


@dataclass(frozen=True, slots=True)
class PixelDifference:
    """How far two pictures are apart: the largest step of any value (0 .. 255), the mean over all values, and
    the box (left, top, right, bottom; right and bottom excluded) of the pixels that are not equal.
    """

    largest: int
    mean: float
    box: tuple[int, int, int, int] | None

    def __str__(self) -> str:
        if self.box is None:
            return "no pixel differs"
        left, top, right, bottom = self.box
        return (
            f"values are up to {self.largest} of 255 apart, {self.mean:.3g} on average, in the part of "
            f"{right - left}x{bottom - top} pixels at ({left}, {top})"
        )


def compare(one: Image.Image, other: Image.Image) -> PixelDifference:
    """The difference of two pictures of the same size, as RGB where their modes differ or need a palette."""
    if one.mode != other.mode or one.mode not in DIRECT_MODES:
        one, other = one.convert("RGB"), other.convert("RGB")
    steps = np.abs(_values(one) - _values(other))
    rows, columns = np.nonzero(steps.any(axis=2))
    if not rows.size:
        return PixelDifference(0, 0.0, None)
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    return PixelDifference(int(steps.max()), float(steps.mean()), box)


def _values(image: Image.Image) -> np.ndarray:
    """(H, W, C) whole numbers."""
    values = np.asarray(image, dtype=np.int16)
    return values.reshape(*values.shape[:2], -1)
