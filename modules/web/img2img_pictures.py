"""What the sub-tabs of img2img send beside the form, made into the picture and the mask of a request."""

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from PIL import Image, ImageChops, ImageEnhance, ImageFilter

from modules.errors import InvalidRequest
from modules.generation import LARGEST_SIDE, MaskedContent
from modules.imaging import decoded, upright

__all__ = ["MASK_OPACITY", "FoundPictures", "SentPictures", "Subtab", "pictures_of"]

OPAQUE = 255
MASK_OPACITY = 0.6
"""Of the brush that masks: what is painted with it is masked wholly."""
SEEN = 128
"""Transparency from which on a part of a picture counts as masked."""
PLACES = "drop one there, choose a file, or send a result"


class Subtab(IntEnum):
    """The sub-tabs; the field's numbers, and one more."""

    IMG2IMG = 0
    SKETCH = 1
    INPAINT = 2
    INPAINT_SKETCH = 3
    INPAINT_UPLOAD = 4
    BATCH = 5
    OUTPAINT = 6


TITLES = {
    Subtab.IMG2IMG: "img2img",
    Subtab.SKETCH: "Sketch",
    Subtab.INPAINT: "Inpaint",
    Subtab.INPAINT_SKETCH: "Inpaint sketch",
    Subtab.INPAINT_UPLOAD: "Inpaint upload",
    Subtab.OUTPAINT: "Outpaint",
}


@dataclass(frozen=True)
class SentPictures:
    """What the browser sends of the open sub-tab.

    `picture` and `mask` are files in base64; `drawing` is what was painted, on nothing.
    """

    subtab: Subtab
    picture: str | None
    mask: str | None
    drawing: str | None
    size: tuple[Any, Any]
    mask_blur: int
    mask_alpha: float
    is_inverted: bool

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "SentPictures":
        """Take them out of the values of the form. Raises InvalidRequest for a sub-tab that there is not."""
        try:
            subtab = Subtab(values.get("mode", Subtab.IMG2IMG))
        except ValueError as error:
            raise InvalidRequest("mode", f"There is no sub-tab {values['mode']!r}.") from error
        return cls(
            subtab=subtab,
            picture=next(iter(_texts("init_images", values.get("init_images") or [])), None),
            mask=next(iter(_texts("mask", [values.get("mask")]))),
            drawing=next(iter(_texts("drawing", [values.get("drawing")]))),
            size=(values.get("width"), values.get("height")),
            mask_blur=_number(values.get("mask_blur")),
            mask_alpha=_number(values.get("mask_alpha")),
            is_inverted=bool(values.get("inpainting_mask_invert")),
        )


def _texts(field: str, values: Any) -> list[str | None]:
    """`values` as pictures in base64. Raises InvalidRequest for what is no list of texts."""
    if not isinstance(values, list | tuple) or not all(isinstance(each, str | None) for each in values):
        raise InvalidRequest(field, f"{field} has to be a picture in base64, as a text.")
    return list(values)


@dataclass(frozen=True)
class FoundPictures:
    """Fields of the request, and the size in pixels of the picture that it starts from."""

    subtab: Subtab
    fields: dict[str, Any]
    size: tuple[int, int]


def pictures_of(sent: SentPictures) -> FoundPictures:
    """The request's fields that the pictures stand for.

    Raises InvalidRequest for a picture that is missing or cannot be read, and for a mask without a mark.
    """
    if sent.picture is None or sent.subtab not in MAKERS:
        title = TITLES.get(sent.subtab, "img2img")
        raise InvalidRequest("init_images", f"There is no picture on the sub-tab {title} yet: {PLACES}.")
    given = [("init_images", sent.picture)]
    given += [("drawing", sent.drawing)] if sent.drawing is not None else []
    with decoded(given) as [first, *drawings]:
        # Its file may be a palette's or a camera's; what is painted on it is painted on what is seen.
        picture = upright(first)
        drawing = _drawing(drawings[0], picture.size) if drawings else None
        fields = {"init_images": [sent.picture], "mask": None}
        fields |= MAKERS[sent.subtab](sent, picture, drawing)
    return FoundPictures(sent.subtab, fields, picture.size)


def _plain(sent: SentPictures, picture: Image.Image, drawing: Image.Image | None) -> dict[str, Any]:
    return {}


def _sketch(sent: SentPictures, picture: Image.Image, drawing: Image.Image | None) -> dict[str, Any]:
    """The painted picture is the input."""
    return {} if drawing is None else {"init_images": [_as_base64(_painted(picture, drawing))]}


def _inpaint(sent: SentPictures, picture: Image.Image, drawing: Image.Image | None) -> dict[str, Any]:
    """The brush is the mask, and with it what of the picture can be seen through."""
    mask = _seen_through(picture) or Image.new("L", picture.size)
    if drawing is not None:
        painted = drawing.getchannel("A")
        mask = ImageChops.lighter(mask, painted.point(lambda value: min(round(value / MASK_OPACITY), OPAQUE)))
    if mask.getbbox() is None and not sent.is_inverted:
        raise InvalidRequest(
            "mask", "Nothing is painted: paint with the brush over the part that is to be drawn anew."
        )
    return {"mask": _as_base64(mask)}


def _inpaint_sketch(sent: SentPictures, picture: Image.Image, drawing: Image.Image | None) -> dict[str, Any]:
    """The painted colours are the input, and where they differ from the picture is the mask."""
    original = picture.convert("RGB")
    painted = original
    if drawing is not None:
        painted = _painted(original, drawing).convert("RGB")
    channels = ImageChops.difference(original, painted).split()
    differs = ImageChops.lighter(ImageChops.lighter(*channels[:2]), channels[2])
    mask = differs.point(lambda value: OPAQUE if value else 0)
    if mask.getbbox() is None and not sent.is_inverted:
        raise InvalidRequest(
            "mask",
            "Nothing is painted: paint over the part that is to be drawn anew, in the colours it is to have.",
        )
    mask = ImageEnhance.Brightness(mask).enhance(1 - min(max(sent.mask_alpha, 0), 100) / 100)
    blur = ImageFilter.GaussianBlur(min(max(sent.mask_blur, 0), 1000))
    start = Image.composite(painted.filter(blur), original, mask.filter(blur))
    return {"init_images": [_as_base64(start)], "mask": _as_base64(mask)}


def _inpaint_upload(sent: SentPictures, picture: Image.Image, drawing: Image.Image | None) -> dict[str, Any]:
    """A file is the mask; without one, what of the picture can be seen through."""
    if sent.mask is not None:
        return {"mask": sent.mask}
    mask = _seen_through(picture)
    if mask is None:
        raise InvalidRequest(
            "mask",
            "There is no mask on the sub-tab Inpaint upload yet: drop one beside the picture (white is drawn "
            "anew), or use a picture with transparent parts.",
        )
    return {"mask": _as_base64(mask)}


def _outpaint(sent: SentPictures, picture: Image.Image, drawing: Image.Image | None) -> dict[str, Any]:
    """The canvas brings its own mask and size; what stands in its room is where the new parts begin."""
    if sent.mask is None:
        raise InvalidRequest("mask", "The outpaint canvas was sent without its mask; reload the page.")
    width, height = sent.size
    if isinstance(width, int) and isinstance(height, int) and max(width, height) > LARGEST_SIDE:
        raise InvalidRequest(
            "width", f"The outpaint canvas is {width}x{height}; at most {LARGEST_SIDE} a side are drawn."
        )
    return {
        "mask": sent.mask,
        "inpainting_fill": MaskedContent.ORIGINAL,
        "inpaint_full_res": False,
        "inpainting_mask_invert": 0,
    }


MAKERS: Mapping[Subtab, Callable[[SentPictures, Image.Image, Image.Image | None], dict[str, Any]]] = {
    Subtab.IMG2IMG: _plain,
    Subtab.SKETCH: _sketch,
    Subtab.INPAINT: _inpaint,
    Subtab.INPAINT_SKETCH: _inpaint_sketch,
    Subtab.INPAINT_UPLOAD: _inpaint_upload,
    Subtab.OUTPAINT: _outpaint,
}


def _drawing(drawing: Image.Image, size: tuple[int, int]) -> Image.Image:
    """What was painted (RGBA), at the picture's size: large pictures are painted upon at a smaller one."""
    drawing = drawing.convert("RGBA")
    return drawing if drawing.size == size else drawing.resize(size, Image.Resampling.BILINEAR)


def _painted(picture: Image.Image, drawing: Image.Image) -> Image.Image:
    below = picture.convert("RGBA")
    below.alpha_composite(drawing)
    return below


def _seen_through(picture: Image.Image) -> Image.Image | None:
    """The mask (L) of the transparent parts of `picture`; None where there are none."""
    if not picture.has_transparency_data:
        return None
    mask = picture.convert("RGBA").getchannel("A").point(lambda value: 0 if value >= SEEN else OPAQUE)
    return mask if mask.getbbox() else None


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and abs(value) < 1e6 else 0


def _as_base64(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return base64.b64encode(file.getvalue()).decode("ascii")
