"""The generation text of a picture, written and read.

Layout: the prompt; a line that begins with "Negative prompt:", if there is one; one line of `Key: value`
pairs joined by ", ". It is the field's common format, so a reader takes what others wrote as it comes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modules.infotext.lines import NEGATIVE_PROMPT, line_of_parameters, read_parameters

__all__ = ["GenerationText", "quote", "read_infotext", "unquote", "write_infotext"]


@dataclass(frozen=True, slots=True)
class GenerationText:
    """What a picture was made from. `fields` keeps the order in which they are written."""

    prompt: str = ""
    negative_prompt: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def write_infotext(text: GenerationText) -> str:
    """The text as it is put into a picture.

    Reading it gives the prompts back but for white space at the ends of their lines and empty lines at their
    start, and every field exactly, provided that they begin with "Steps", that there are at least three and
    that none has its own name as its value (such a one is written as the name alone).
    """
    negative = [f"{NEGATIVE_PROMPT} {text.negative_prompt}"] if text.negative_prompt else []
    pairs = (key if key == value else f"{key}: {quote(value)}" for key, value in text.fields.items())
    return "\n".join([text.prompt, *negative, ", ".join(pairs)]).strip()


def read_infotext(text: str) -> GenerationText:
    """Take a generation text apart; any text can be read, in linear time.

    `line_of_parameters` says where the fields begin; what stands before them are the prompts.
    """
    lines = [line.strip() for line in text.strip().split("\n")]
    start = line_of_parameters(lines)
    if start is None:
        return GenerationText(*_read_prompts(lines))
    fields, more_negative = read_parameters(lines[start:])
    prompt, negative = _read_prompts(lines[:start], more_negative)
    return GenerationText(prompt, negative, {key: unquote(value) for key, value in fields.items()})


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
        return str(json.loads(value, strict=False))
    except json.JSONDecodeError:
        return value


def _read_prompts(lines: Sequence[str], more_negative: Sequence[str] = ()) -> tuple[str, str]:
    prompt: list[str] = []
    negative: list[str] = []
    current = prompt
    for line in lines:
        if line.startswith(NEGATIVE_PROMPT):
            current = negative
            line = line.removeprefix(NEGATIVE_PROMPT).strip()
        if current or line:
            current.append(line)
    return "\n".join(prompt), "\n".join([*negative, *more_negative])
