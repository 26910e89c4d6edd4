"""Resize modes: how a picture is brought to a size that has another shape."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from PIL import Image

__all__ = ["Enlarge", "ResizeMode", "resize_image"]

Enlarge = Callable[[Image.Image, float], Image.Image]
"""A picture and a factor to a larger picture; sizes need not be met exactly."""


LARGEST_INNER = 100_000_000
"""Pixels on the way to the size that is asked for."""


class ResizeMode(IntEnum):
    """The field's numbers (`resize_mode`). Mode 3 resizes the latent and has no place here."""

    STRETCH = 0
    """To the size, whatever becomes of the proportions."""
    CROP = 1
    """Cover the size in proportion, cut what stands out, half on either side."""
    FILL = 2
    """Fit into the size in proportion, fill the rest with the stretched edge row or column."""


def resize_image(
    mode: ResizeMode, image: Image.Image, width: int, height: int, enlarge: Enlarge | None = None
) -> Image.Image:
    """The picture at `width` x `height` pixels.

    enlarge: does the enlarging where a side grows; Lanczos then brings the result to size. Masks (mode "L")
    are always resized by Lanczos alone.
    """
    if mode is ResizeMode.STRETCH:
        return _resample(image, width, height, enlarge)
    if mode is ResizeMode.CROP:
        image = _without_what_is_cut_off(image, width, height)
    inner = _resample(image, *_inner_size(mode, image, width, height), enlarge)
    canvas = Image.new("RGBA" if image.mode == "RGBA" else "RGB", (width, height))
    left, top = width // 2 - inner.width // 2, height // 2 - inner.height // 2
    canvas.paste(inner, (left, top))
    if mode is ResizeMode.FILL:
        _stretch_edges(canvas, inner, left, top)
    return canvas


def _without_what_is_cut_off(image: Image.Image, width: int, height: int) -> Image.Image:
    """`image`, or of one that would be enormous before it is cut, the middle with room to spare."""
    inner_width, inner_height = _inner_size(ResizeMode.CROP, image, width, height)
    if inner_width * inner_height <= LARGEST_INNER:
        return image
    across = min(image.width, -(-2 * width * image.width // inner_width) + 2)
    down = min(image.height, -(-2 * height * image.height // inner_height) + 2)
    left, top = (image.width - across) // 2, (image.height - down) // 2
    return image.crop((left, top, left + across, top + down))


def _inner_size(mode: ResizeMode, image: Image.Image, width: int, height: int) -> tuple[int, int]:
    """The size in proportion that covers the target or fits into it, by integer division."""
    target_is_wider = width * image.height > height * image.width
    if target_is_wider == (mode is ResizeMode.CROP):
        return width, max(image.height * width // image.width, 1)
    return max(image.width * height // image.height, 1), height


def _resample(image: Image.Image, width: int, height: int, enlarge: Enlarge | None) -> Image.Image:
    factor = max(width / image.width, height / image.height)
    is_bearable = image.width * image.height * factor**2 <= LARGEST_INNER
    if enlarge is not None and image.mode != "L" and factor > 1 and is_bearable:
        image = enlarge(image, factor)
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.LANCZOS)


def _stretch_edges(canvas: Image.Image, inner: Image.Image, left: int, top: int) -> None:
    """Stretch the inner picture's edges over the bars beside it; both bars are equally wide.

    The boxes have no width: what the filter makes of the very edge, as in the recorded program.
    """
    width, height = inner.size
    if top > 0:
        size = (canvas.width, top)
        canvas.paste(inner.resize(size, box=(0, 0, width, 0)), (0, 0))
        canvas.paste(inner.resize(size, box=(0, height, width, height)), (0, top + height))
    if left > 0:
        size = (left, canvas.height)
        canvas.paste(inner.resize(size, box=(0, 0, 0, height)), (0, 0))
        canvas.paste(inner.resize(size, box=(width, 0, width, height)), (left + width, 0))
