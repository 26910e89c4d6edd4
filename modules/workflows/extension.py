"""One side of a picture extended: the canvas, the part that is drawn, the masks. BEHAVIOUR section 16."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from PIL import Image

from modules.imaging import Box
from modules.workflows.margins import GRAIN, Direction, Margins, mask_around

__all__ = ["Extension", "extensions_of"]

CELL = 8


@dataclass(frozen=True)
class Extension:
    """`pixels` more in one `direction` for a picture, which then has `size`.

    `tile` is how far it is looked at along that direction at most; `blur` the softness across and down.
    """

    direction: Direction
    pixels: int
    size: tuple[int, int]
    tile: tuple[int, int]
    blur: tuple[int, int]

    @property
    def canvas(self) -> tuple[int, int]:
        """The size rounded up."""
        width, height = (ceil(side / GRAIN) * GRAIN for side in self.size)
        return width, height

    @property
    def part(self) -> Box:
        """What is drawn of the canvas: all of it, but along the direction no more than a tile next to the new
        side.
        """
        width, height = self.canvas
        if self.direction in (Direction.LEFT, Direction.RIGHT):
            width = min(self.tile[0], self.size[0] // CELL * CELL)
        else:
            height = min(self.tile[1], self.size[1] // CELL * CELL)
        left = self.canvas[0] - width if self.direction is Direction.RIGHT else 0
        top = self.canvas[1] - height if self.direction is Direction.DOWN else 0
        return Box(left, top, left + width, top + height)

    def on_canvas(self, picture: Image.Image) -> Image.Image:
        """`picture` (RGB) with the room beside it, black."""
        canvas = Image.new("RGB", self.canvas)
        left = self.pixels if self.direction is Direction.LEFT else 0
        top = self.pixels if self.direction is Direction.UP else 0
        canvas.paste(picture, (left, top))
        return canvas

    def mask(self) -> Image.Image:
        """White (L) on the canvas where there is no picture, and where the blur reaches into it."""
        return mask_around(self.canvas, self._kept(self.canvas, 1))

    def latent_mask(self) -> Image.Image:
        """The same for the part that is drawn, twice as far into the picture."""
        size = (self.part.width, self.part.height)
        return mask_around(size, self._kept(size, 2))

    def _kept(self, size: tuple[int, int], blurs: int) -> tuple[int, int, int, int]:
        """What is kept of a canvas, or its part, of `size`, with its last column and row."""
        across, down = (self.pixels + blurs * each for each in self.blur)
        return (
            across if self.direction is Direction.LEFT else 0,
            down if self.direction is Direction.UP else 0,
            size[0] - across if self.direction is Direction.RIGHT else self.size[0],
            size[1] - down if self.direction is Direction.DOWN else self.size[1],
        )


def extensions_of(
    size: tuple[int, int], margins: Margins, tile: tuple[int, int], blur: tuple[int, int]
) -> Iterator[Extension]:
    """The extensions of a picture of `size`, one after another, each of what the one before has made."""
    for direction, pixels in zip(Direction, margins, strict=True):
        if not pixels:
            continue
        across = direction in (Direction.LEFT, Direction.RIGHT)
        size = (size[0] + pixels * across, size[1] + pixels * (not across))
        yield Extension(direction, pixels, size, tile, blur)
