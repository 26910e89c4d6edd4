"""Embeddings inside pictures, as the field shares them: in a PNG's text, or in the pixels of side bars."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from modules.foreign_json import JsonBounds, JsonNotRead, parse_json
from modules.imaging import decoding, info_of, open_picture, read_picture_file

__all__ = ["read_picture_tree"]

TEXT_NAME = "sd-ti-embedding"
LARGEST_DATA = 8 << 20
"""Bytes of JSON; 75 vectors for SDXL take two million."""
LARGEST_TEXT = LARGEST_DATA * 4 // 3 + 4
"""The same in base64."""
LARGEST_PICTURE = 4_000_000
"""Pixels; the field shares embeddings in pictures of half a million."""
BOUNDS = JsonBounds(bytes=LARGEST_DATA, nodes=2_000_000)
TENSOR = "TORCHTENSOR"


def read_picture_tree(path: Path) -> Any:
    """What the picture holds, with tensors in place of their lists; None if it holds nothing.

    Raises ValueError, OSError or zlib.error for data that is damaged, EaselError for what is no picture.
    """
    with open_picture("picture", read_picture_file(path)) as image:
        text = info_of(image).get(TEXT_NAME)
        if text and len(text) > LARGEST_TEXT:
            raise ValueError("its data is longer than any embedding's")
        packed = base64.b64decode(text) if text else _from_pixels(image)
    if packed is None:
        return None
    try:
        return _with_tensors(parse_json(packed, "its data", BOUNDS))
    except JsonNotRead as error:
        raise ValueError(str(error).rstrip(".")) from None


def _with_tensors(node: Any) -> Any:
    """`node` with tensors in place of what describes one. Its depth is bounded."""
    if isinstance(node, list):
        return [_with_tensors(each) for each in node]
    if not isinstance(node, dict):
        return node
    if TENSOR not in node:
        return {key: _with_tensors(value) for key, value in node.items()}
    try:
        return torch.tensor(node[TENSOR], dtype=torch.float32)
    except (TypeError, RuntimeError, OverflowError):
        raise ValueError("its vectors are no numbers") from None


def _from_pixels(image: Image.Image) -> bytes | None:
    """The data in the low four bits of the bars left and right of two black columns: low halves of the bytes
    on the left, high halves on the right, each mixed with a sequence of numbers.
    """
    if image.width * image.height > LARGEST_PICTURE:
        return None
    with decoding("picture", image) as picture:
        seen = np.asarray(picture.convert("RGB"))
    pixels = np.bitwise_and(_without_black_border(seen), np.uint8(15))
    black = np.flatnonzero(pixels.sum(axis=(0, 2)) == 0)
    if len(black) < 2:
        return None
    low, high = _mixed(pixels[:, : black.min()]), _mixed(pixels[:, black.max() + 1 :])
    if low.shape != high.shape or low.size == 0:
        return None
    packed = ((high << 4) | low).tobytes()
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(packed, LARGEST_DATA)
    if not unpacker.eof:
        raise ValueError("the data in its pixels is cut short")
    return data


def _without_black_border(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    lit: NDArray[np.bool_] = np.all(pixels > 0, axis=2)
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    if not len(rows):
        return pixels[:0]
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _mixed(block: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The block exclusive-or the numbers of a linear congruential generator, Numerical Recipes' one."""
    numbers = _generated(block.size)
    mixed: NDArray[np.uint8] = block ^ (numbers % 255 & 0x0F).astype(np.uint8).reshape(block.shape)
    return mixed


def _generated(count: int) -> NDArray[np.uint32]:
    """The first `count` numbers after 0; the known ones give as many further ones at once."""
    factor, shift = 1664525, 1013904223
    numbers: NDArray[np.uint32] = np.array([shift], np.uint32)
    while len(numbers) < count:
        following = numbers * np.uint32(factor) + np.uint32(shift)
        numbers = np.concatenate([numbers, following])
        factor, shift = factor * factor % 2**32, (factor * shift + shift) % 2**32
    return numbers[:count]
