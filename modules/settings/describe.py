"""Reading declarations: from the sections' fields to `OptionInfo`."""

import types
import typing
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pydantic.fields import FieldInfo

from modules.settings.declare import ComponentKind, Section
from modules.settings.info import OptionInfo

__all__ = ["option_infos"]

MOST_RADIO_BUTTONS = 4
WIDEST_SLIDER = 100_000
"""A wider range is only what can be computed with: the number is typed."""


def option_infos(sections: Iterable[type[Section]]) -> Iterator[OptionInfo]:
    """Every option of `sections` in the order of declaration."""
    for section in sections:
        for key, field in section.model_fields.items():
            yield _info(section, key, field)


def _info(section: type[Section], key: str, field: FieldInfo) -> OptionInfo:
    details: Any = field.json_schema_extra or {}
    choices = _choices(field.annotation)
    minimum, maximum = _bound(field, "ge"), _bound(field, "le")
    is_range = minimum is not None and maximum is not None and maximum - minimum <= WIDEST_SLIDER
    whole = field.annotation is int
    pixels = details.get("affects_pixels")
    return OptionInfo(
        key=key,
        label=field.title or key,
        section_id=section.section_id,
        section_title=section.section_title,
        default=field.default,
        kind=_kind(field.annotation, len(choices), is_range),
        help=field.description or "",
        minimum=minimum,
        maximum=maximum,
        step=details.get("step") or (1 if whole else None),
        whole=whole,
        choices=choices,
        source=details.get("source"),
        restricted=bool(details.get("restricted")),
        needs_reload=bool(details.get("needs_reload")),
        affects_pixels=section.affects_pixels if pixels is None else pixels,
    )


def _kind(annotation: Any, choices: int, is_range: bool) -> ComponentKind:
    if annotation is bool:
        return ComponentKind.CHECKBOX
    if typing.get_origin(annotation) is tuple:
        return ComponentKind.MULTISELECT
    if annotation in (int, float):
        return ComponentKind.SLIDER if is_range else ComponentKind.NUMBER
    if choices:
        return ComponentKind.RADIO if choices <= MOST_RADIO_BUTTONS else ComponentKind.DROPDOWN
    return ComponentKind.TEXT


def _choices(annotation: Any) -> tuple[str, ...]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return arguments
    if origin in (tuple, types.UnionType):
        return next((found for each in arguments if (found := _choices(each))), ())
    return ()


def _bound(field: FieldInfo, name: str) -> float | None:
    return next((getattr(each, name) for each in field.metadata if hasattr(each, name)), None)
