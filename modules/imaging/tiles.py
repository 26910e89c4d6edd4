"""A picture cut into tiles that overlap, and joined again. BEHAVIOUR section 17."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod

import numpy as np
from PIL import Image

from modules.imaging.masks import Box

__all__ = ["Tiles", "count_tiles", "join_tiles", "tiles_of"]


@dataclass(frozen=True)
class Tiles:
    """Where the tiles of a picture lie: row by row, all of one size. One that is larger than the picture
    sticks out of it on the left or at the top.
    """

    size: tuple[int, int]
    overlap: int
    rows: tuple[tuple[Box, ...], ...]

    @property
    def boxes(self) -> tuple[Box, ...]:
        """All tiles, row by row."""
        return tuple(box for row in self.rows for box in row)


def count_tiles(size: tuple[int, int], tile: tuple[int, int], overlap: int) -> int:
    """How many tiles `tiles_of` gives. Raises ValueError where one would be no larger than the overlap."""
    if min(tile) <= overlap:
        raise ValueError(f"tiles of {tile[0]}x{tile[1]} cannot overlap by {overlap} pixels")
    return prod(_count(*each, overlap) for each in zip(size, tile, strict=True))


def tiles_of(size: tuple[int, int], tile: tuple[int, int], overlap: int) -> Tiles:
    """The tiles of size `tile` that cover a picture of `size` (width, height), and overlap by `overlap`
    pixels at least, which is less than a tile's sides.
    """
    columns, lines = (_starts(*each, overlap) for each in zip(size, tile, strict=True))
    rows = tuple(tuple(Box(x, y, x + tile[0], y + tile[1]) for x in columns) for y in lines)
    return Tiles(size, overlap, rows)


def _count(side: int, tile: int, overlap: int) -> int:
    return max(ceil((side - overlap) / (tile - overlap)), 1)


def _starts(side: int, tile: int, overlap: int) -> tuple[int, ...]:
    last, steps = side - tile, _count(side, tile, overlap) - 1
    # The last is no product: rounded down it would leave a pixel out.
    return (*(int(k * (last / steps)) for k in range(steps)), last)


def join_tiles(tiles: Tiles, pictures: Sequence[Image.Image]) -> Image.Image:
    """The whole picture (RGB) from those of its tiles, row by row; where two meet the later fades in."""
    whole = Image.new("RGB", tiles.size)
    given = iter(pictures)
    for number, row in enumerate(tiles.rows):
        band = Image.new("RGB", (tiles.size[0], row[0].height))
        for column, box in enumerate(row):
            fade = _fade(tiles.overlap, box.height) if column else None
            _lay(band, next(given), box.left, 0, fade)
        fade = _fade(tiles.overlap, tiles.size[0]).transpose(Image.Transpose.TRANSPOSE) if number else None
        _lay(whole, band, 0, row[0].top, fade)
    return whole


def _fade(overlap: int, length: int) -> Image.Image:
    """A mask (L), `overlap` pixels wide, that rises from black towards white."""
    rising = (np.arange(overlap, dtype=np.float32) * 255 / max(overlap, 1)).astype(np.uint8)
    return Image.fromarray(np.tile(rising, (length, 1)))


def _lay(onto: Image.Image, picture: Image.Image, x: int, y: int, fade: Image.Image | None) -> None:
    """Put `picture` at x, y, its first edge faded in by `fade`."""
    if fade is None or not fade.width or not fade.height:
        onto.paste(picture, (x, y))
        return
    mask = Image.new("L", picture.size, 255)
    mask.paste(fade, (0, 0))
    onto.paste(picture, (x, y), mask)
