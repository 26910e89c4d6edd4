"""Grids: several pictures on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image

from modules.errors import InvalidRequest

__all__ = ["grid_is_within", "grid_rows", "make_grid"]


def grid_rows(pictures: int, batch_size: int, n_rows: int = -1, prevent_empty_spots: bool = False) -> int:
    """Rows of a grid of so many pictures, at most as many as there are pictures.

    n_rows (setting): above 0 that many; 0 as many as the batch is large; -1 by the number of pictures, about
    a square, with `prevent_empty_spots` as many as divide it evenly.
    """
    if n_rows > 0:
        rows = n_rows
    elif n_rows == 0:
        rows = batch_size
    elif prevent_empty_spots:
        rows = next(rows for rows in range(math.isqrt(pictures), 0, -1) if pictures % rows == 0)
    else:
        rows = round(math.sqrt(pictures))
    return max(1, min(rows, pictures))


def make_grid(pictures: Sequence[Image.Image], rows: int) -> Image.Image:
    """The pictures on black ground, row by row, in cells of the first picture's size.

    Raises `InvalidRequest` when there is no picture or no row.
    """
    if not pictures or rows < 1:
        raise InvalidRequest("n_rows", f"A grid of {len(pictures)} pictures in {rows} rows cannot be made.")
    columns = math.ceil(len(pictures) / rows)
    width, height = pictures[0].size
    grid = Image.new("RGB", (columns * width, rows * height))
    for position, picture in enumerate(pictures):
        grid.paste(picture, (position % columns * width, position // columns * height))
    return grid


def grid_is_within(megapixels: float, pictures: Sequence[Image.Image], rows: int) -> bool:
    """Whether the grid stays within the setting `img_max_size_mp`; a larger one is better left out."""
    columns = math.ceil(len(pictures) / max(rows, 1))
    return columns * rows * pictures[0].width * pictures[0].height <= megapixels * 1_000_000
