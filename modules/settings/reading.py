"""From what a file holds to `Options`: older keys renamed, impossible values set aside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modules.errors import InvalidRequest
from modules.settings.options import Options

__all__ = ["Reading", "read_options"]


@dataclass(frozen=True)
class Reading:
    """The usable values as `options`; the others raw in `refused`, with a sentence each in `complaints`."""

    options: Options
    refused: dict[str, Any] = field(default_factory=dict)
    complaints: tuple[str, ...] = ()


def read_options(raw: Mapping[str, Any]) -> Reading:
    """The options of a settings file. Never fails: what cannot be used stays in `refused`."""
    values = _renamed(raw)
    refused: dict[str, Any] = {}
    complaints: list[str] = []
    while True:
        try:
            return Reading(Options().overridden(values), refused, tuple(complaints))
        except InvalidRequest as error:
            refused[error.field] = values.pop(error.field)
            complaints.append(str(error))


def _renamed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The values under today's keys."""
    values = dict(raw)
    quick = values.get("quicksettings")
    if isinstance(quick, str) and "quicksettings_list" not in values:
        # Until 2023 the list was one text with commas.
        values["quicksettings_list"] = [key.strip() for key in quick.split(",") if key.strip()]
    return values
