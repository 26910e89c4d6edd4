"""Pictures as models want them: upright, on a ground, in a square, as numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

__all__ = ["as_array", "on_white", "squared"]

WHITE = (255, 255, 255)


def on_white(image: Image.Image) -> Image.Image:
    """The picture upright (EXIF) and in RGB; what is transparent becomes white."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16") or upright.mode == "I":
        # Pillow cuts such values off at 255 instead of scaling them.
        values = np.asarray(upright, dtype=np.float32) / 257
        return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")
    if not upright.has_transparency_data:
        return upright.convert("RGB")
    layered = upright.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layered.size, (*WHITE, 255)), layered).convert("RGB")


def squared(image: Image.Image, side: int) -> Image.Image:
    """An RGB picture, whole and centred on a white square, at `side` pixels."""
    scale = side / max(image.size)
    size = tuple(max(1, round(length * scale)) for length in image.size)
    ground = Image.new("RGB", (side, side), WHITE)
    small = image.resize(size, Image.Resampling.BICUBIC)  # type: ignore[arg-type]
    ground.paste(small, ((side - small.width) // 2, (side - small.height) // 2))
    return ground


def as_array(image: Image.Image) -> NDArray[np.float32]:
    """(H, W, 3), red first, from 0 to 1."""
    return np.asarray(image, dtype=np.float32) / np.float32(255)
