"""Masks of inpainting: read from pictures, blurred, cut out with their part, laid over the result.

White (255) is where the picture may change. BEHAVIOUR section 10.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from modules.imaging.incoming import in_eight_bits
from modules.imaging.resize import Enlarge, ResizeMode, resize_image

__all__ = [
    "Box",
    "blur_mask",
    "box_of_mask",
    "cells_of_mask",
    "fill_masked",
    "grow_to_aspect",
    "invert_mask",
    "lay_over",
    "mask_of_picture",
    "masks_nothing",
    "overlay_of",
    "resize_mask",
    "soften_mask",
    "strengthened",
]

BLACK, WHITE = np.uint8(0), np.uint8(255)
MIDDLE = 128
HALF = 128
"""Of a mask from which on a latent cell is drawn: 128 / 255 rounds to 1."""
CLEAR = 32
"""Transparency below which a pixel is as good as not there."""
LARGEST_CLEAR_SHARE = 0.02
GREY_WITHIN, DARK, BRIGHT = 24, 64, 192
CELL = 8
"""Pixels that a latent cell stands for, each way."""
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
    """The mask (L) that `image` stands for, whatever its file and mode.

    Without transparency its brightness; with it the transparency: what is opaque is masked. Only where next
    to nothing is clear, and what is seen is black and white, its brightness counts all the same: such a
    picture is painted in black and white, and a stray clear pixel or a half transparent brush says nothing.

    rounded: transparency counts as all or nothing.
    """
    if not image.has_transparency_data:
        return in_eight_bits(image).convert("L")
    pixels = np.asarray(image.convert("RGBA"))
    alpha = pixels[..., 3]
    if not _is_black_and_white(pixels):
        return Image.fromarray(np.where(alpha > MIDDLE, WHITE, BLACK) if rounded else alpha)
    light = np.where(alpha < CLEAR, BLACK, np.asarray(Image.fromarray(pixels[..., :3].copy()).convert("L")))
    shown = light if rounded else (light.astype(np.uint16) * alpha + 127) // 255
    return Image.fromarray(shown.astype(np.uint8))


def _is_black_and_white(pixels: NDArray[np.uint8]) -> bool:
    """Whether `pixels` (H, W, 4) are a black and white picture of which next to nothing is clear."""
    seen = pixels[pixels[..., 3] >= CLEAR]
    if len(seen) < (1 - LARGEST_CLEAR_SHARE) * pixels.shape[0] * pixels.shape[1]:
        return False
    colours = seen[:, :3]
    is_grey = int(np.ptp(colours, axis=1).max(initial=0)) <= GREY_WITHIN
    return is_grey and bool(colours.min(initial=WHITE) < DARK and colours.max(initial=BLACK) >= BRIGHT)


def invert_mask(mask: Image.Image) -> Image.Image:
    """Black for white."""
    return ImageOps.invert(mask)


def masks_nothing(mask: Image.Image) -> bool:
    """Whether `mask` (L) is black all over."""
    return mask.getbbox() is None


def _half(mask: Image.Image) -> int:
    """The level of `mask` (L) from which on it counts as masked: half of white; of a mask that nowhere
    reaches that, half of its brightest.
    """
    brightest = int(mask.getextrema()[1])  # type: ignore[arg-type]
    return HALF if brightest >= HALF else max((brightest + 1) // 2, 1)


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


def soften_mask(mask: Image.Image, across: int, down: int) -> Image.Image:
    """`mask` blurred; a part of it that the blur would leave nowhere half masked stays as it was: little as
    it is, it is to be drawn.
    """
    blurred = blur_mask(mask, across, down)
    pixels, soft, half = np.asarray(mask), np.asarray(blurred), _half(mask)
    lost = _lost_parts(pixels >= half, soft >= half)
    return Image.fromarray(np.where(lost, np.maximum(soft, pixels), soft)) if lost.any() else blurred


def resize_mask(mode: ResizeMode, mask: Image.Image, width: int, height: int) -> Image.Image:
    """`mask` brought to a size as its picture is; a part of it that would vanish is left a pixel or more."""
    resized = resize_image(mode, mask, width, height).convert("L")
    scale = max(mask.width / width, mask.height / height)
    if scale <= 1:
        return resized
    import cv2  # Not before it is needed: it is large.

    half, reach = _half(mask), np.ones((int(scale) * 2 + 1,) * 2, np.uint8)
    wide = Image.fromarray(cv2.dilate(np.where(np.asarray(mask) >= half, WHITE, BLACK), reach))
    touched = np.asarray(resize_image(mode, wide, width, height).convert("L")) >= HALF
    pixels = np.asarray(resized)
    lost = _lost_parts(touched, pixels >= half)
    return Image.fromarray(np.where(lost, np.asarray(mask).max(), pixels)) if lost.any() else resized


def cells_of_mask(
    mask: Image.Image, shares: NDArray[np.float32], rounded: bool = True
) -> NDArray[np.float32]:
    """The shares (h, w), 0 .. 1, of the latent cells that are drawn under `mask` (L); `shares`: as its
    resizing tells them.

    rounded: a cell is drawn or not. Then of a part of the mask that fills no cell by half, every cell that it
    touches is drawn: nothing that is masked is left alone without a word.
    """
    if not rounded:
        return shares
    cells = np.around(shares)
    masked = np.asarray(mask) >= _half(mask)
    drawn = np.kron(cells > 0, np.ones((CELL, CELL), bool))
    if drawn.shape != masked.shape:
        return cells
    lost = _lost_parts(masked, drawn)
    touched = lost.reshape(cells.shape[0], CELL, cells.shape[1], CELL).any(axis=(1, 3))
    return np.maximum(cells, touched.astype(np.float32))


def _lost_parts(wanted: NDArray[np.bool_], reached: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of those parts of `wanted` that hang together and of which nothing is `reached`."""
    if not (wanted & ~reached).any():
        return np.zeros_like(wanted)
    import cv2  # Not before it is needed: it is large.

    count, parts = cv2.connectedComponents(wanted.astype(np.uint8), connectivity=8)
    is_reached = np.zeros(count, bool)
    is_reached[parts[reached]] = True
    is_reached[0] = True
    return np.asarray(~is_reached[parts])


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
