"""Settings that this program does not have: of the field's those that would change what comes out, and how
many of any kind callers may leave here.
"""

import json
from collections.abc import Mapping
from typing import Any

from modules.errors import InvalidRequest
from modules.settings.options import Options

__all__ = ["check_unknown", "decisive_settings", "sentences_about_unknown"]

MOST_UNKNOWN = 500
"""Of all callers together; what stood in the user's own file is kept however many there are."""
LONGEST_NAME, LONGEST_VALUE = 200, 20_000
"""In characters, the value as JSON."""
MOST_CHARACTERS = 500_000
DEEPEST = 32

DEFAULTS: Mapping[str, Any] = {
    "return_mask": False,
    "return_mask_composite": False,
    "save_mask": False,
    "save_mask_composite": False,
    "save_init_img": False,
    "save_images_before_color_correction": False,
    "sd_vae_encode_method": "Full",
    "sd_vae_decode_method": "Full",
    "use_old_emphasis_implementation": False,
    "use_old_hires_fix_width_height": False,
}


def sentences_about_unknown(options: Options) -> list[str]:
    """What a person is told who has changed one of them: that it does nothing here."""
    given = options.model_extra or {}
    return [
        f"The setting {key} is not part of this version, so the picture is made as if it were {default!r}."
        for key, default in DEFAULTS.items()
        if given.get(key, default) != default
    ]


def decisive_settings(options: Options) -> dict[str, Any]:
    """All settings as plain data, of the unknown ones only those that something is said about."""
    unknown = set(options.model_extra or {}) - set(DEFAULTS)
    return options.model_dump(mode="json", exclude=unknown)


def check_unknown(values: Mapping[str, Any], current: Options) -> None:
    """Refuse unknown settings beyond bounds. What is there already with the same value counts as kept.

    Raises InvalidRequest.
    """
    kept = current.model_extra or {}
    new = {
        key: value
        for key, value in values.items()
        if key not in Options.model_fields and not (key in kept and kept[key] == value)
    }
    if len(new.keys() | kept.keys()) > max(MOST_UNKNOWN, len(kept)):
        raise InvalidRequest(
            _shown(next(iter(new))),
            f"{len(new)} settings are given that this program does not have, and it keeps at most "
            f"{MOST_UNKNOWN}. GET /sdapi/v1/options lists those that there are.",
        )
    characters = 0
    for key, value in new.items():
        length = _length(value) if len(key) <= LONGEST_NAME else LONGEST_VALUE + 1
        characters += len(key) + length
        if length > LONGEST_VALUE or characters > MOST_CHARACTERS:
            raise InvalidRequest(
                _shown(key),
                f"This program does not have a setting {_shown(key)}, and keeps it for others only up to "
                f"{LONGEST_NAME} characters of its name, {LONGEST_VALUE} of its value, {DEEPEST} levels of "
                f"lists and objects, and {MOST_CHARACTERS} characters of all such settings.",
            )


def _length(value: Any) -> int:
    """Characters of the JSON text of `value`; more than may be where it is nested too deeply."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _members(each)]
        if not level:
            return len(json.dumps(value, default=str))
    return LONGEST_VALUE + 1


def _members(value: Any) -> list[Any]:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [member for member in members if isinstance(member, dict | list | tuple)]


def _shown(key: str) -> str:
    return repr(key[:60])[1:-1]
