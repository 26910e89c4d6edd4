"""The one reader of JSON that the program did not write itself: settings files, sidecars, headers, metadata.

What a stranger may have written is bounded in bytes, depth and number of values, so that it costs neither
the memory nor the stack of the program.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.errors import EaselError

__all__ = ["JsonBounds", "JsonNotRead", "parse_json", "read_json"]

BETWEEN_VALUES = b",[{:"
"""Each value of a text but the first stands behind one of these."""
STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
HALF_A_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
"""Where a surrogate is written; most are halves of a pair and right."""
STARTS_OF_HALVES = (b"\\ud", b"\\uD", b"\xed")
_CONTAINERS = (dict, list)
MARKS = {"utf-8-sig": b"\xef\xbb\xbf", "utf-16": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


class JsonNotRead(EaselError):
    """A text that is no JSON, or that is larger or deeper than its place allows."""


@dataclass(frozen=True)
class JsonBounds:
    """How much one text may hold.

    bytes: of the text. depth: lists and objects inside one another. nodes: names and values in all.
    """

    bytes: int = 4 << 20
    depth: int = 32
    nodes: int = 100_000


DEFAULT_BOUNDS = JsonBounds()


def read_json(path: Path, what: str = "", bounds: JsonBounds = DEFAULT_BOUNDS) -> Any:
    """The value in the file at `path`; never more of it is read than the bound.

    what: the file's name in sentences, by default its own name. Raises JsonNotRead, and OSError where the
    file itself cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(bounds.bytes + 1)
    return parse_json(data, what or path.name, bounds)


def parse_json(data: str | bytes, what: str, bounds: JsonBounds = DEFAULT_BOUNDS) -> Any:
    """The value that the text `data` says: dictionaries, lists, texts, numbers, truths and None.

    data: as bytes in UTF-8, or in UTF-16 with its mark. what: the text's name, in sentences. As with `json`,
    NaN and Infinity are numbers, and of names that occur twice the last counts. Half a surrogate pair, which
    no file and no answer can hold, becomes U+FFFD. Raises JsonNotRead.
    """
    text = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else _in_utf8(data, what)
    if len(data) > bounds.bytes or len(text) > 2 * bounds.bytes:
        raise JsonNotRead(
            f"{what} is larger than {_spoken(bounds.bytes)}, the most that is read of such JSON."
        )
    if _separators(text) > bounds.nodes and _separators(STRING.sub(b'""', text)) > bounds.nodes:
        raise JsonNotRead(f"{what} has more than {bounds.nodes} values, the most that is read of such JSON.")
    too_deep = JsonNotRead(f"{what} has lists or objects more than {bounds.depth} deep inside one another.")
    try:
        value = json.loads(text.decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise too_deep from None
    except ValueError as error:
        raise JsonNotRead(f"{what} is not JSON: {error}.") from None
    if _is_deeper(value, bounds.depth):
        raise too_deep
    return _encodable(value) if _may_hold_halves(text) else value


def _in_utf8(data: bytes, what: str) -> bytes:
    for encoding, mark in MARKS.items():
        if data.startswith(mark):
            try:
                return data.decode(encoding).removeprefix("\ufeff").encode("utf-8", "surrogatepass")
            except UnicodeDecodeError:
                break
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise JsonNotRead(f"{what} is no text in UTF-8: byte {error.start} belongs to none.") from None
    return data


def _may_hold_halves(text: bytes) -> bool:
    # The plain search for what each begins with takes a tenth of the expression's time.
    return any(start in text for start in STARTS_OF_HALVES) and bool(HALF_A_CHARACTER.search(text))


def _separators(text: bytes) -> int:
    """At least as many as the names and values of `text`, but for one."""
    return sum(text.count(bytes((mark,))) for mark in BETWEEN_VALUES)


def _is_deeper(value: Any, depth: int) -> bool:
    """Whether containers lie in one another more than `depth` deep; level by level, so without recursion."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(depth):
        level = [
            member
            for each in level
            for member in (each.values() if isinstance(each, dict) else each)
            if isinstance(member, _CONTAINERS)
        ]
        if not level:
            return False
    return True


def _encodable(value: Any) -> Any:
    """`value` with texts that can be written as UTF-8. Its depth is bounded by now."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_encodable(each) for each in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(each) for key, each in value.items()}
    return value


def _spoken(size: int) -> str:
    return f"{size >> 20} MB" if size >= 1 << 20 else f"{size >> 10} kB"
