"""The values of a form made into a request. What a shut panel holds has no say."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modules.errors import InvalidRequest
from modules.generation import (
    Img2ImgRequest,
    Txt2ImgRequest,
    parse_img2img,
    parse_txt2img,
    refuse_empty_mask,
)
from modules.web.form import (
    APART_SHOWN,
    MASK_ALPHA,
    OVERRIDES,
    REFINER_SHOWN,
    SCALE_BY,
    SIZE_MODE,
    UNSET,
    VARIATION_SHOWN,
    overrides_from_texts,
)
from modules.web.img2img_pictures import SentPictures, Subtab, pictures_of
from modules.web.script_values import script_of_controls

__all__ = ["batch_values_of_form", "request_of_form"]

SIZE_BY = 1
HIRES_FIELDS = (
    "hr_scale",
    "hr_upscaler",
    "hr_second_pass_steps",
    "hr_resize_x",
    "hr_resize_y",
    "hr_checkpoint_name",
    "hr_sampler_name",
    "hr_scheduler",
    "hr_prompt",
    "hr_negative_prompt",
    "denoising_strength",
)
VARIATION_FIELDS = ("subseed", "subseed_strength", "seed_resize_from_w", "seed_resize_from_h")
REFINER_FIELDS = ("refiner_checkpoint", "refiner_switch_at")
APART_FIELDS = ("luma_strength", "chroma_strength")
SMALLEST_SIDE = 64

Values = dict[str, Any]
AnyRequest = Txt2ImgRequest | Img2ImgRequest


def request_of_form(tab: str, values: Mapping[str, Any], task_id: str | None = None) -> AnyRequest:
    """The request that the `values` of a tab's controls stand for, for img2img with the pictures beside them.

    Raises InvalidRequest for the first value that is wrong, or a picture that is missing.
    """
    if tab not in KINDS:
        raise InvalidRequest(
            "tab", f"There is no tab {tab} that makes pictures; there are {', '.join(KINDS)}."
        )
    return KINDS[tab]({**_common(tab, values), "force_task_id": task_id})


def batch_values_of_form(values: Mapping[str, Any]) -> tuple[Values, Any]:
    """The request's fields without pictures, for a batch, and the factor by which each picture is resized, as
    it was sent; None: all get the request's size.
    """
    found = _common("img2img", values)
    scale_by = found.get(SCALE_BY) if found.get(SIZE_MODE) == SIZE_BY else None
    return _img2img_controls(found), scale_by


def _common(tab: str, values: Mapping[str, Any]) -> Values:
    found = script_of_controls(tab, values)
    overrides = overrides_from_texts(found.pop(OVERRIDES, None) or [])
    if not found.pop(VARIATION_SHOWN, False):
        found = _without(found, VARIATION_FIELDS)
    if not found.pop(REFINER_SHOWN, False):
        found = _without(found, REFINER_FIELDS)
    elif not found.get("refiner_checkpoint"):
        raise InvalidRequest(
            "refiner_checkpoint",
            "Refiner is ticked, but no checkpoint is chosen there: choose one, or untick it.",
        )
    found = {field: None if value == UNSET.get(field) else value for field, value in found.items()}
    return {**found, "override_settings": overrides}


def _txt2img(values: Values) -> AnyRequest:
    return parse_txt2img(values if values.get("enable_hr") else _without(values, HIRES_FIELDS))


def _img2img(values: Values) -> AnyRequest:
    found = pictures_of(SentPictures.from_values(values))
    fields = _img2img_controls(values)
    if values.get(SIZE_MODE) == SIZE_BY and found.subtab is not Subtab.OUTPAINT:
        width, height = (_scaled(side, values.get(SCALE_BY)) for side in found.size)
        fields |= {"width": width, "height": height}
    request = parse_img2img({**fields, **found.fields})
    # Whoever sits before the page can still mark something; over the API the picture comes back unchanged.
    refuse_empty_mask(request)
    return request


def _img2img_controls(values: Values) -> Values:
    dropped = set() if values.get(APART_SHOWN) else set(APART_FIELDS)
    return _without(values, (*dropped, APART_SHOWN, SIZE_MODE, SCALE_BY, MASK_ALPHA))


def _scaled(side: int, factor: Any) -> int:
    """`side` times the factor, as a multiple of 8. Raises InvalidRequest for a factor that is no number."""
    try:
        return max(int(side * float(factor)) // 8 * 8, SMALLEST_SIDE)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidRequest("scale_by", f"Scale cannot be {factor!r}: give a number such as 1.5.") from error


def _without(values: Mapping[str, Any], fields: Sequence[str]) -> Values:
    return {field: value for field, value in values.items() if field not in fields}


KINDS: Mapping[str, Callable[[Values], AnyRequest]] = {"txt2img": _txt2img, "img2img": _img2img}
