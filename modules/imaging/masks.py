"""Masks of inpainting: read from pictures, blurred, cut out with their part, laid over the result.

White (255) is where the picture may change. BEHAVIOUR section 10.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from modules.imaging.resize import Enlarge, ResizeMode, resize_image

__all__ = [
    "Box",
    "blur_mask",
    "box_of_mask",
    "fill_masked",
    "grow_to_aspect",
    "invert_mask",
    "lay_over",
    "mask_of_picture",
    "overlay_of",
    "strengthened",
]

OPAQUE = (255, 255)
MIDDLE = 128
FILL_BLURS = ((256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1))
"""Radius of a blur, and how often its result is laid down."""


class Box(NamedTuple):
    """Pixels from left and top up to, and without, right and bottom."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top


def mask_of_picture(image: Image.Image, rounded: bool = True) -> Image.Image:
    """The mask (L) that `image` stands for: its transparency where it has any, else its brightness.

    rounded: transparency counts as all or nothing.
    """
    if image.mode != "RGBA" or image.getchannel("A").getextrema() == OPAQUE:
        return image.convert("L")
    alpha = image.getchannel("A")
    return alpha.point(lambda value: 255 if value > MIDDLE else 0) if rounded else alpha


def invert_mask(mask: Image.Image) -> Image.Image:
    """Black for white."""
    return ImageOps.invert(mask)


def blur_mask(mask: Image.Image, across: int, down: int) -> Image.Image:
    """`mask` (L) softened by a Gaussian of these standard deviations in pixels; 0 leaves an axis sharp."""
    if across <= 0 and down <= 0:
        return mask
    import cv2  # Not before it is needed: it is large.

    pixels = np.asarray(mask)
    if across > 0:
        pixels = cv2.GaussianBlur(pixels, (_kernel_size(across), 1), across)
    if down > 0:
        pixels = cv2.GaussianBlur(pixels, (1, _kernel_size(down)), down)
    return Image.fromarray(pixels)


def _kernel_size(deviation: float) -> int:
    return 2 * int(2.5 * deviation + 0.5) + 1


def strengthened(mask: Image.Image) -> Image.Image:
    """`mask` (L) twice as strong, for the overlay: what is half masked comes from the new picture."""
    return Image.fromarray(np.clip(np.asarray(mask, dtype=np.float32) * 2, 0, 255).astype(np.uint8))


def box_of_mask(mask: Image.Image, padding: int) -> Box | None:
    """The smallest box around all that is not black, `padding` pixels wider; None where all is black."""
    found = mask.getbbox()
    if found is None:
        return None
    left, top, right, bottom = found
    return Box(
        max(left - padding, 0),
        max(top - padding, 0),
        min(right + padding, mask.width),
        min(bottom + padding, mask.height),
    )


def grow_to_aspect(box: Box, width: int, height: int, image_size: tuple[int, int]) -> Box:
    """`box` grown along one axis towards the proportions of `width` x `height`, within the picture."""
    # In this order of operations: what is wanted is cut to whole pixels, and the last bit can decide.
    aspect = width / height
    if box.width / box.height > aspect:
        top, bottom = _grown(box.top, box.bottom, box.width / aspect, image_size[1])
        return Box(box.left, top, box.right, bottom)
    left, right = _grown(box.left, box.right, box.height * aspect, image_size[0])
    return Box(left, box.top, right, box.bottom)


def _grown(start: int, end: int, wanted: float, limit: int) -> tuple[int, int]:
    more = int(wanted - (end - start))
    start, end = start - more // 2, end + more - more // 2
    if end >= limit:
        start, end = start - (end - limit), limit
    if start < 0:
        start, end = 0, end - start
    return start, min(end, limit)


def fill_masked(image: Image.Image, mask: Image.Image) -> Image.Image:
    """`image` (RGB), its masked area filled with the colours around it: blurs of the rest, ever sharper."""
    rest = Image.new("RGBa", image.size)
    rest.paste(image.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(mask.convert("L")))
    filled = Image.new("RGBA", image.size)
    for radius, times in FILL_BLURS:
        blurred = rest.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")
        for _ in range(times):
            filled.alpha_composite(blurred)
    return filled.convert("RGB")


def overlay_of(image: Image.Image, mask: Image.Image) -> Image.Image:
    """What is laid over the result (RGBA): `image` where `mask` is black, nothing where it is white."""
    overlay = Image.new("RGBa", image.size)
    overlay.paste(image.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(mask.convert("L")))
    return overlay.convert("RGBA")


def lay_over(
    result: Image.Image, overlay: Image.Image, box: Box | None, enlarge: Enlarge | None = None
) -> Image.Image:
    """`result` (RGB) below `overlay`; with a `box`, `result` is of that part of the picture alone, and
    `enlarge` does the enlarging where the part is larger.
    """
    if box is not None:
        whole = Image.new("RGBA", overlay.size)
        part = resize_image(ResizeMode.CROP, result, box.width, box.height, enlarge)
        whole.paste(part, (box.left, box.top))
        result = whole
    below = result.convert("RGBA")
    below.alpha_composite(overlay)
    return below.convert("RGB")
