"""What is known of an option apart from its value, and the sentence for a value that it cannot have."""

import reprlib
from dataclasses import dataclass
from typing import Any

from modules.settings.declare import ChoiceSource, ComponentKind

__all__ = ["OptionInfo", "refusal_sentence"]


@dataclass(frozen=True)
class OptionInfo:
    """One option as the Settings page, the documentation and the checks need it.

    minimum, maximum: inclusive bounds of a number, None where there is none. whole: it has no fraction.
    choices: all values that are allowed, where the declaration knows them. source: who else knows them.
    """

    key: str
    label: str
    section_id: str
    section_title: str
    default: Any
    kind: ComponentKind
    help: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    whole: bool = False
    choices: tuple[str, ...] = ()
    source: ChoiceSource | None = None
    restricted: bool = False
    needs_reload: bool = False
    affects_pixels: bool = False


def refusal_sentence(info: OptionInfo, value: Any, reason: str = "") -> str:
    """Why `value` cannot be the option's, and what can. reason: said by the option's own check."""
    shown = reprlib.repr(value)
    reason = reason or f"it must be {_allowed(info)}"
    return f"The setting {info.key} ({info.label}) cannot be {shown}: {reason}."


def _allowed(info: OptionInfo) -> str:
    if info.kind is ComponentKind.CHECKBOX:
        return "true or false"
    if info.kind is ComponentKind.MULTISELECT:
        return "a list of " + (f"some of {', '.join(info.choices)}" if info.choices else "texts")
    if info.choices:
        return f"one of {', '.join(info.choices)}"
    if info.kind in (ComponentKind.NUMBER, ComponentKind.SLIDER):
        return ("a whole number" if info.whole else "a number") + _bounds(info)
    return "a text"


def _bounds(info: OptionInfo) -> str:
    if info.minimum is not None and info.maximum is not None:
        return f" from {info.minimum:g} to {info.maximum:g}"
    if info.minimum is not None:
        return f" of at least {info.minimum:g}"
    return "" if info.maximum is None else f" of at most {info.maximum:g}"
