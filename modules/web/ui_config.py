"""Defaults of the page's controls from `ui-config.json`, where people keep their own."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modules.foreign_json import JsonBounds, JsonNotRead, parse_json
from modules.foreign_text import decode_foreign, without_escapes

__all__ = ["UiConfig"]

log = logging.getLogger(__name__)

RANGE = ("minimum", "maximum", "step", "value")
LARGEST = 1e12
KNOWN = ("value", "minimum", "maximum", "step", "visible")


class UiConfig:
    """The file's values by `TAB/LABEL/PROPERTY`, e.g. `txt2img/Width/maximum`. It is read, never written."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    @classmethod
    def read(cls, path: Path) -> "UiConfig":
        """The file at `path`; a missing or broken one (said in the log) gives the program's own defaults."""
        try:
            values = parse_json(_text_in(path), path.name)
        except FileNotFoundError:
            return cls({})
        except (OSError, JsonNotRead) as error:
            log.warning(
                "%s cannot be read (%s); the page starts with the program's own defaults.", path, error
            )
            return cls({})
        if isinstance(values, dict):
            return cls(values)
        log.warning("%s holds no JSON object; the page starts with the program's own defaults.", path)
        return cls({})

    def over(self, tab: str, label: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """`arguments` of a control with the file's values over them, where they are of the same kind."""
        found = {
            key: self._values.get(f"{tab}/{label}/{key}")
            for key in KNOWN
            if key in arguments or key == "visible"
        }
        fitting = {key: value for key, value in found.items() if _fits(key, value, arguments.get(key))}
        merged = {**arguments, **fitting}
        return merged if _is_range(merged) else {**arguments, **_without_range(fitting)}

    def sets(self, tab: str, label: str) -> bool:
        """Whether the file has a value for a control that is a number."""
        return _fits("value", self._values.get(f"{tab}/{label}/value"), 0)


def _text_in(path: Path) -> str:
    """The text of the file, or a little more than is read of one that is too large. Raises OSError."""
    with path.open("rb") as file:
        data = file.read(4 * JsonBounds().bytes + 1)
    return without_escapes(decode_foreign(data).text)


def _fits(key: str, value: Any, default: Any) -> bool:
    """Whether the file's `value` is of the kind that the control takes."""
    if key == "visible" or isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, int | float):
        return _is_number(value)
    if default is None:
        return isinstance(value, str | bool) or _is_number(value)
    return isinstance(value, type(default))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def _is_range(arguments: Mapping[str, Any]) -> bool:
    """Whether the numbers of a control go together: from the minimum to the maximum by steps, and the value
    between.
    """
    low, high, step, value = (arguments.get(key) for key in RANGE)
    ordered: list[float] = [
        number for number in (low, value, high) if _is_number(number) and number is not None
    ]
    return ordered == sorted(ordered) and (step is None or step > 0)


def _without_range(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in RANGE}
