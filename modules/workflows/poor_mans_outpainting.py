"""Poor man's outpainting: the picture on a larger canvas, whose new tiles are inpainted one by one.

BEHAVIOUR section 16.
"""

from enum import StrEnum
from typing import Annotated, Any

from PIL import Image
from pydantic import BeforeValidator

from modules.errors import InvalidRequest
from modules.generation import (
    Img2ImgRequest,
    MaskedContent,
    Planned,
    ScriptGroup,
    ScriptPlan,
    StartPictures,
    first_size,
    mask_fields,
)
from modules.imaging import Box, Tiles, count_tiles, join_tiles, tiles_of
from modules.workflows.arguments import Arguments, checkboxes, radio, slider
from modules.workflows.margins import Direction, Margins, check_outpainting, margins_of, mask_around
from modules.workflows.workflow import Redrawing

__all__ = ["POOR_MANS_OUTPAINTING"]

MOST_TILES = 1000


class Content(StrEnum):
    """What stands on the new tiles at the start."""

    FILL = "fill"
    ORIGINAL = "original"
    LATENT_NOISE = "latent noise"
    LATENT_NOTHING = "latent nothing"


def _by_number(value: Any) -> Any:
    """A choice by its place, as some clients send it."""
    is_place = isinstance(value, int) and value in range(len(Content))
    return tuple(Content)[value] if is_place else value


class Outpainting(Arguments):
    """The arguments."""

    pixels: int = slider("Pixels to expand", 128, 8, 256, 8, most=4096)
    mask_blur: int = slider("Mask blur", 4, 0, 64, 1)
    inpainting_fill: Annotated[Content, BeforeValidator(_by_number)] = radio("Masked content", Content.FILL)
    direction: tuple[Direction, ...] = checkboxes("Outpainting direction", tuple(Direction))


def plan(request: Img2ImgRequest, arguments: Outpainting) -> Planned:
    """One picture, of as many passes as there are new tiles."""
    size = first_size(request)
    margins = margins_of(size, arguments.pixels, arguments.direction)
    check_outpainting(request, size, margins)
    _check_tiles(request, margins.around(size), arguments.pixels)
    new = _new_tiles(_tiles(request, size, margins, arguments.pixels), margins)
    changes = {"batch_size": 1, "n_iter": 1, "mask": None, "latent_mask": None}
    return Planned(
        changes,
        ScriptPlan(
            passes=tuple((box.width, box.height) for box in new),
            fields=mask_fields(request.model_copy(update=_pass_fields(arguments))),
        ),
    )


def _check_tiles(request: Img2ImgRequest, size: tuple[int, int], overlap: int) -> None:
    """Raises InvalidRequest where a canvas of `size` has no tiles, or more than anybody can want."""
    tile = (request.width, request.height)
    draws = f"Poor man's outpainting draws tiles of {tile[0]}x{tile[1]} that overlap by the pixels to expand"
    advice = "choose fewer pixels, or a larger width and height."
    if overlap >= min(tile):
        raise InvalidRequest("script_args", f"{draws}, {overlap}: {advice}")
    if (count := count_tiles(size, tile, overlap)) > MOST_TILES:
        raise InvalidRequest(
            "script_args",
            f"{draws}, here {count} of them, and {MOST_TILES} are the most: {advice}",
        )


def draw(group: ScriptGroup, arguments: Outpainting) -> list[Image.Image]:
    """The extended picture."""
    request, picture = group.run.request, group.picture
    assert isinstance(request, Img2ImgRequest)
    margins = margins_of(picture.size, arguments.pixels, arguments.direction)
    tiles = _tiles(request, picture.size, margins, arguments.pixels)
    canvas = Image.new("RGB", tiles.size)
    canvas.paste(picture, (margins.left, margins.up))
    mask = _mask(tiles.size, margins, arguments.mask_blur * 2)
    latent_mask = _mask(tiles.size, margins, arguments.mask_blur // 2)
    drawn = {box: canvas.crop(box) for box in tiles.boxes}
    for number, box in enumerate(_new_tiles(tiles, margins)):
        tile_mask = mask.crop(box)
        if group.stopped or tile_mask.getbbox() is None:
            continue
        start = StartPictures((drawn[box],), tile_mask, latent_mask.crop(box))
        [drawn[box]] = group.redraw(start, seed=request.seed + number, **_pass_fields(arguments))
    return [join_tiles(tiles, [drawn[box] for box in tiles.boxes])]


def _pass_fields(arguments: Outpainting) -> dict[str, Any]:
    """What a pass has in the place of the request's."""
    return {
        "mask_blur": arguments.mask_blur * 2,
        "inpainting_fill": MaskedContent[arguments.inpainting_fill.name],
        "inpaint_full_res": False,
        "inpainting_mask_invert": 0,
    }


def _tiles(request: Img2ImgRequest, size: tuple[int, int], margins: Margins, overlap: int) -> Tiles:
    return tiles_of(margins.around(size), (request.width, request.height), overlap)


def _new_tiles(tiles: Tiles, margins: Margins) -> list[Box]:
    """Those that do not lie within the old picture."""
    width, height = tiles.size
    right, bottom = width - margins.right, height - margins.down
    return [
        box
        for box in tiles.boxes
        if box.left < margins.left or box.right > right or box.top < margins.up or box.bottom > bottom
    ]


def _mask(size: tuple[int, int], margins: Margins, inset: int) -> Image.Image:
    """White around the old picture, and `inset` pixels into it where it is extended."""
    left, right, up, down = (margin + inset if margin else 0 for margin in margins)
    return mask_around(size, (left, up, size[0] - right, size[1] - down))


POOR_MANS_OUTPAINTING = Redrawing("Poor man's outpainting", Outpainting, plan, draw)
