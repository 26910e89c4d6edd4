"""Colours of a result brought back to those of the picture that it was made from. BEHAVIOUR section 9."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["correct_colours"]

LEVELS = 256
LUMINOSITY = np.array([0.3, 0.59, 0.11])
"""Weights of red, green and blue in the luminosity of the W3C's compositing and blending, level 1."""

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


def correct_colours(result: Image.Image, original: Image.Image) -> Image.Image:
    """`result` with the histogram of `original`'s colours, and its own luminosity (RGB, the same size)."""
    import cv2  # Not before it is needed: it is large.

    pixels, wanted = (_to_lab(image) for image in (result, original))
    matched = np.stack([_matched(pixels[..., k], wanted[..., k]) for k in range(3)], axis=-1)
    coloured = cv2.cvtColor(matched.astype(np.uint8), cv2.COLOR_LAB2RGB)
    return Image.fromarray(_with_luminosity_of(coloured, np.asarray(result.convert("RGB"))))


def _to_lab(image: Image.Image) -> Bytes:
    import cv2

    return np.asarray(cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2LAB), dtype=np.uint8)


def _matched(source: Bytes, template: Bytes) -> Floats:
    """`source` (H, W) with its levels moved so that they are as frequent as `template`'s (Gonzalez and Woods,
    histogram specification).
    """
    own = np.cumsum(np.bincount(source.ravel(), minlength=LEVELS)) / source.size
    other = np.bincount(template.ravel(), minlength=LEVELS)
    present = np.flatnonzero(other)
    levels = np.interp(own, np.cumsum(other[present]) / template.size, present)
    return np.asarray(levels[source], dtype=np.float64)


def _with_luminosity_of(colours: Bytes, light: Bytes) -> Bytes:
    """Hue and saturation of `colours`, luminosity of `light`, both (H, W, 3)."""
    base, top = colours / 255.0, light / 255.0
    moved = base + ((top - base) @ LUMINOSITY)[..., None]
    return np.asarray(np.clip(_clipped(moved), 0, 1) * 255.0, dtype=np.uint8)


def _clipped(colours: Floats) -> Floats:
    """Colours outside 0 .. 1 drawn towards the grey of their luminosity until they are inside."""
    grey = (colours @ LUMINOSITY)[..., None]
    low, high = colours.min(-1, keepdims=True), colours.max(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        raised = np.where(low < 0, grey + (colours - grey) * grey / (grey - low), colours)
        return np.where(high > 1, grey + (raised - grey) * (1 - grey) / (high - grey), raised)
