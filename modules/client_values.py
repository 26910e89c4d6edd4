"""What clients send for nothing: empty texts, lists and objects, and the word None."""

from collections.abc import Collection, Mapping
from typing import Any

__all__ = ["is_no_name", "without_nothing"]


def without_nothing(values: Any, texts: Collection[str] = (), names: Collection[str] = ()) -> Any:
    """`values` of a call without the fields that say nothing, so that these take their defaults.

    Null says nothing anywhere; an empty text, list or object neither, but in `texts`, where emptiness is a
    value. In `names` the word None is no name.
    """
    if not isinstance(values, Mapping):
        return values
    return {
        key: value
        for key, value in values.items()
        if value is not None
        and (key in texts or not _is_empty(value))
        and not (key in names and is_no_name(value))
    }


def is_no_name(value: Any) -> bool:
    """Whether what stands in the place of a name names nothing."""
    return value is None or (isinstance(value, str) and value.strip().casefold() in ("", "none"))


def _is_empty(value: Any) -> bool:
    return isinstance(value, str | list | tuple | dict) and not (
        value.strip() if isinstance(value, str) and len(value) < 100 else value
    )
