"""What the Extras tab does to one picture with the upscalers that there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from modules.errors import InvalidRequest
from modules.imaging import MAX_PIXELS
from modules.upscaling.plain import CELL, UPSCALERS, Upscaler, upscale_to

__all__ = ["Enlargement", "Extras", "enlarge_picture", "enlarged_size", "refuse_too_much"]

NO_UPSCALER = "None"


@dataclass(frozen=True, slots=True)
class Enlargement:
    """How far: by `factor`, or to `size` (width, height) in pixels, then cropped to it if `crop`."""

    factor: float = 2.0
    size: tuple[int, int] | None = None
    crop: bool = True

    def factor_for(self, width: int, height: int) -> float:
        """The factor for a picture of this size: with a size, the larger of the two ratios."""
        return max(self.size[0] / width, self.size[1] / height) if self.size else self.factor


@dataclass(frozen=True, slots=True)
class Extras:
    """One or two upscalers by name; the second is blended in, `second_visibility` from 0 to 1."""

    enlargement: Enlargement
    first: str = NO_UPSCALER
    second: str = NO_UPSCALER
    second_visibility: float = 0.0


def enlarged_size(size: tuple[int, int], extras: Extras) -> tuple[int, int]:
    """Width and height that `enlarge_picture` works at with a picture of `size`, the crop not counted: what
    it costs in pixels.
    """
    return size if extras.first == NO_UPSCALER else _size_for(size, extras.enlargement)


def _size_for(size: tuple[int, int], enlargement: Enlargement) -> tuple[int, int]:
    """The size asked for. What is cropped is in multiples of 8 pixels before, as recorded, where it has as
    many; so up to 7 pixels of the cropped picture are empty, sic.
    """
    factor = enlargement.factor_for(*size)
    # Rounded first: 20 times 1.15 is a little less than 23 in floating point.
    width, height = (max(int(round(side * factor, 6)), 1) for side in size)
    if enlargement.size and enlargement.crop and min(width, height) >= CELL:
        return width // CELL * CELL, height // CELL * CELL
    return width, height


def refuse_too_much(sizes: Sequence[tuple[int, int]], extras: Extras) -> None:
    """Raise InvalidRequest when pictures of these `sizes`, enlarged, would together have more pixels than are
    made in one call.
    """
    enlarged = [enlarged_size(size, extras) for size in sizes]
    if extras.enlargement.size and extras.enlargement.crop and extras.first != NO_UPSCALER:
        enlarged += [extras.enlargement.size] * len(sizes)
    pixels = sum(width * height for width, height in enlarged)
    if pixels <= MAX_PIXELS:
        return
    what = "The picture would" if len(sizes) == 1 else f"The {len(sizes)} pictures together would"
    raise InvalidRequest(
        "upscaling_resize_w" if extras.enlargement.size else "upscaling_resize",
        f"{what} have {pixels // 10**6} megapixels, and at most {MAX_PIXELS // 10**6} are made in one call. "
        f"Choose a smaller size{'' if len(sizes) == 1 else ', or send fewer'}.",
    )


def enlarge_picture(image: Image.Image, extras: Extras) -> tuple[Image.Image, dict[str, str]]:
    """The picture, enlarged, and the fields that tell how, in the words of the field.

    Without a first upscaler the picture stays as it is. What can be seen through stays so. Raises
    InvalidRequest for an upscaler that does not exist.
    """
    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if extras.first == NO_UPSCALER:
        return image, {}
    enlargement = extras.enlargement
    first = _upscaler("upscaler_1", extras.first)
    second = _upscaler("upscaler_2", extras.second) if extras.second_visibility > 0 else None
    result = _enlarge(first, image, enlargement)
    fields = {**_told(enlargement, result), "Postprocess upscaler": first.name}
    if second and second.name != NO_UPSCALER:
        result = Image.blend(result, _enlarge(second, image, enlargement), extras.second_visibility)
        fields["Postprocess upscaler 2"] = second.name
    return result, fields


def _told(enlargement: Enlargement, result: Image.Image) -> dict[str, str]:
    if enlargement.size is None:
        return {"Postprocess upscale by": f"{enlargement.factor:g}"}
    fields = {"Postprocess upscale to": "{}x{}".format(*enlargement.size)}
    if enlargement.crop:
        fields["Postprocess crop to"] = f"{result.width}x{result.height}"
    return fields


def _upscaler(field: str, name: str) -> Upscaler:
    try:
        return UPSCALERS[name]
    except KeyError:
        raise InvalidRequest(
            field, f"There is no upscaler named {name!r}. Choose one of {', '.join(UPSCALERS)}."
        ) from None


def _enlarge(upscaler: Upscaler, image: Image.Image, enlargement: Enlargement) -> Image.Image:
    factor = enlargement.factor_for(*image.size)
    larger = upscale_to(upscaler, image, factor, _size_for(image.size, enlargement))
    if enlargement.size is None or not enlargement.crop:
        return larger
    width, height = enlargement.size
    canvas = Image.new(image.mode, (width, height))
    canvas.paste(larger, (width // 2 - larger.width // 2, height // 2 - larger.height // 2))
    return canvas
