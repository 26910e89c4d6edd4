"""Outpainting mk2: one side after another is filled with noise in the picture's manner and drawn anew.

BEHAVIOUR section 16.
"""

from collections.abc import Iterator
from typing import Any

from PIL import Image

from modules.generation import (
    Img2ImgRequest,
    MaskedContent,
    PictureKinds,
    Planned,
    ScriptGroup,
    ScriptPlan,
    StartPictures,
    first_size,
    mask_fields,
)
from modules.workflows.arguments import Arguments, Note, checkboxes, note, slider
from modules.workflows.extension import Extension, extensions_of
from modules.workflows.margins import Direction, check_outpainting, margins_of
from modules.workflows.shaped_noise import with_shaped_noise
from modules.workflows.workflow import Redrawing

__all__ = ["OUTPAINTING_MK2"]

ADVICE = (
    "<p style='margin-bottom: 0.75em'>Many steps (80 to 100), the sampler Euler a and a denoising strength "
    "of 0.8 do well here.</p>"
)


class Outpainting(Arguments):
    """The arguments."""

    advice: Note = note(ADVICE)
    pixels: int = slider("Pixels to expand", 128, 8, 256, 8, most=4096)
    mask_blur: int = slider("Mask blur", 8, 0, 64, 1)
    direction: tuple[Direction, ...] = checkboxes("Outpainting direction", tuple(Direction))
    noise_q: float = slider("Fall-off exponent (lower=higher detail)", 1.0, 0.0, 4.0, 0.01)
    color_variation: float = slider("Color variation", 0.05, 0.0, 1.0, 0.01)


def plan(request: Img2ImgRequest, arguments: Outpainting) -> Planned:
    """The pictures asked for, each of as many passes as there are directions."""
    size = first_size(request)
    margins = margins_of(size, arguments.pixels, arguments.direction)
    check_outpainting(request, size, margins)
    return Planned(
        {"mask": None, "latent_mask": None},
        ScriptPlan(
            passes=tuple(
                (each.part.width, each.part.height) for each in _extensions(request, size, arguments)
            ),
            fields=mask_fields(request.model_copy(update=_pass_fields(arguments))),
        ),
    )


def draw(group: ScriptGroup, arguments: Outpainting) -> list[Image.Image]:
    """The extended pictures of `group`."""
    pictures = [group.picture] * len(group.pictures)
    for extension in _extensions(group.run.request, group.picture.size, arguments):
        if group.stopped:
            break
        pictures = _extended(group, pictures, extension, arguments)
    return pictures


def _extensions(request: PictureKinds, size: tuple[int, int], arguments: Outpainting) -> Iterator[Extension]:
    margins = margins_of(size, arguments.pixels, arguments.direction)
    return extensions_of(size, margins, (request.width, request.height), _blur(arguments))


def _extended(
    group: ScriptGroup, pictures: list[Image.Image], extension: Extension, arguments: Outpainting
) -> list[Image.Image]:
    """`pictures` with room on one side, drawn."""
    mask = extension.mask()
    canvases = [
        with_shaped_noise(extension.on_canvas(picture), mask, arguments.noise_q, arguments.color_variation)
        for picture in pictures
    ]
    drawn = group.redraw(
        StartPictures(
            tuple(canvas.crop(extension.part) for canvas in canvases),
            mask.crop(extension.part),
            extension.latent_mask(),
        ),
        width=extension.part.width,
        height=extension.part.height,
        **_pass_fields(arguments),
    )
    for canvas, part in zip(canvases, drawn, strict=True):
        canvas.paste(part, extension.part[:2])
    return [canvas.crop((0, 0, *extension.size)) for canvas in canvases]


def _blur(arguments: Outpainting) -> tuple[int, int]:
    """Softness across and down: that of an axis which is not extended is none."""
    across = {Direction.LEFT, Direction.RIGHT} & set(arguments.direction)
    down = {Direction.UP, Direction.DOWN} & set(arguments.direction)
    return (arguments.mask_blur if across else 0, arguments.mask_blur if down else 0)


def _pass_fields(arguments: Outpainting) -> dict[str, Any]:
    """What a pass has in the place of the request's."""
    across, down = _blur(arguments)
    return {
        "mask_blur": None,
        "mask_blur_x": across * 4,
        "mask_blur_y": down * 4,
        "inpainting_fill": MaskedContent.ORIGINAL,
        "inpaint_full_res": False,
        "inpainting_mask_invert": 0,
    }


OUTPAINTING_MK2 = Redrawing("Outpainting mk2", Outpainting, plan, draw)
