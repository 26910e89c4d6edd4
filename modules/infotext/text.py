"""The generation text of a picture, written and read.

Layout: the prompt; a line that begins with "Negative prompt:", if there is one; one line of `Key: value`
pairs joined by ", ". It is the field's common format, so a reader takes what others wrote as it comes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["GenerationText", "quote", "read_infotext", "unquote", "write_infotext"]

NEGATIVE_PROMPT = "Negative prompt:"
FEWEST_FIELDS = 3
QUOTED = re.compile(r'"(?:\\.|[^\\"])+"(?=,|$)')
SPACE = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class GenerationText:
    """What a picture was made from. `fields` keeps the order in which they are written."""

    prompt: str = ""
    negative_prompt: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def write_infotext(text: GenerationText) -> str:
    """The text as it is put into a picture.

    Reading it gives the prompts back but for white space at the ends of their lines and empty lines at their
    start, and every field exactly, provided that there are at least three and that none has its own name as
    its value (such a one is written as the name alone).
    """
    negative = [f"{NEGATIVE_PROMPT} {text.negative_prompt}"] if text.negative_prompt else []
    pairs = (key if key == value else f"{key}: {quote(value)}" for key, value in text.fields.items())
    return "\n".join([text.prompt, *negative, ", ".join(pairs)]).strip()


def read_infotext(text: str) -> GenerationText:
    """Take a generation text apart; any text can be read, in linear time.

    The last line holds the fields if at least three pairs are found in it; else it belongs to the prompt.
    """
    *lines, last = text.strip().split("\n")
    pairs = list(_find_pairs(last))
    if len(pairs) < FEWEST_FIELDS:
        lines.append(last)
        pairs = []
    prompt, negative = _read_prompts(lines)
    # A value that is missing altogether ("Key: ,") is left out, as the field's programs do.
    return GenerationText(prompt, negative, {key: unquote(value) for key, value in pairs if value})


def quote(value: str) -> str:
    """The value as a JSON string where it could not be read back otherwise, else as it is."""
    ends_with_quotes = len(value) > 1 and value[0] == value[-1] == '"'
    if value and value == value.strip() and not ends_with_quotes and not re.search(r"[,\n:]", value):
        return value
    return json.dumps(value, ensure_ascii=False)


def unquote(value: str) -> str:
    """The opposite of `quote`; a broken JSON string is taken as it stands."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    try:
        return str(json.loads(value))
    except json.JSONDecodeError:
        return value


def _read_prompts(lines: list[str]) -> tuple[str, str]:
    prompt: list[str] = []
    negative: list[str] = []
    current = prompt
    for line in (line.strip() for line in lines):
        if line.startswith(NEGATIVE_PROMPT):
            current = negative
            line = line.removeprefix(NEGATIVE_PROMPT).strip()
        if current or line:
            current.append(line)
    return "\n".join(prompt), "\n".join(negative)


def _find_pairs(line: str) -> Iterator[tuple[str, str]]:
    """Keys and values as they are written, quotes and all.

    A key is a word character followed by word characters, spaces, "-" and "/"; a value is a JSON string or
    everything up to the next comma. One regular expression for this would need quadratic time.
    """
    start = 0
    colon = line.find(":")
    while colon >= 0:
        key = _key_before(line, start, colon)
        if key is None:
            start = colon + 1
        else:
            value, start = _value_after(line, colon)
            yield key, value
        colon = line.find(":", start)


def _key_before(line: str, start: int, colon: int) -> str | None:
    position = colon
    while position > start and (line[position - 1].isalnum() or line[position - 1] in "_ -/"):
        position -= 1
    key = line[position:colon].lstrip(" -/")
    return key if len(key) > 1 else None


def _value_after(line: str, colon: int) -> tuple[str, int]:
    """The value, and where the next pair may begin."""
    space = SPACE.match(line, colon + 1)
    start = space.end() if space else colon + 1
    quoted = QUOTED.match(line, start)
    if quoted:
        end = quoted.end()
    else:
        comma = line.find(",", start)
        end = comma if comma >= 0 else len(line)
    return line[start:end], end + 1
