"""What can still be read of a broken JSON object: each member that is whole by itself."""

import json
import re
from typing import Any

from modules.foreign_json import JsonBounds, JsonNotRead, parse_json

__all__ = ["salvaged_members"]

NAME = re.compile(r'(?:^|(?<=[{,]))[ \t]*+("(?:[^"\\\n]|\\.)*+")[ \t]*+:[ \t]*+', re.MULTILINE)
DECODER = json.JSONDecoder()


def salvaged_members(text: str, bounds: JsonBounds) -> dict[str, Any]:
    """The members of the object that `text` was to be, as far as they can be read.

    A member begins at the start of a line, or behind "{" or ",". Of a text beyond `bounds` nothing is read.
    """
    if len(text) > bounds.bytes:
        return {}
    values: dict[str, Any] = {}
    at = 0
    while match := NAME.search(text, at):
        try:
            value, end = DECODER.raw_decode(text, match.end())
            values[json.loads(match[1])] = value
        except (ValueError, RecursionError):
            # The broken member's own inside is no place to look for others.
            line_end = text.find("\n", match.end())
            end = line_end if line_end >= 0 else len(text)
        at = end
    try:
        bounded = parse_json(json.dumps(values), "", bounds)
    except (JsonNotRead, ValueError, RecursionError):
        return {}
    assert isinstance(bounded, dict)
    return bounded
