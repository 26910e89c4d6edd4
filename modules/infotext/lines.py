"""Where the parameters stand in a generation text, and the pairs in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from types import MappingProxyType

__all__ = ["NEGATIVE_PROMPT", "find_pairs", "line_of_parameters", "read_parameters"]

NEGATIVE_PROMPT = "Negative prompt:"
FEWEST_FIELDS = 3
SURELY_FIELDS = 5
"""So many known fields are parameters whatever their values are."""
FIRST_FIELD = "Steps"
TEMPLATE = "Template"
"""What programs that make prompts from templates call the lines that they write behind the fields."""
QUOTED = re.compile(r'"(?:\\.|[^\\"])+"(?=,|\n|$)', re.DOTALL)
SPACE = re.compile(r"[^\S\n]*")
QUOTE = re.compile(r'(?<!\\)"')
CLOSING_QUOTE = re.compile(r'[^"]*"(?:,|$)')
LABEL = re.compile(r"(?P<key>[A-Z][\w/-]*(?: [\w/-]+)*):(?:\s+|$)")
WHOLE_NUMBER = re.compile(r"[+-]?\d+")
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
SIZE = re.compile(r"\d+x\d+")

TELLING: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        FIRST_FIELD: WHOLE_NUMBER.fullmatch,
        "Seed": WHOLE_NUMBER.fullmatch,
        "CFG scale": NUMBER.fullmatch,
        "Size": SIZE.fullmatch,
        "Denoising strength": NUMBER.fullmatch,
        "Clip skip": WHOLE_NUMBER.fullmatch,
    }
)
"""Fields whose values nobody writes into a prompt, and what these look like."""
KNOWN = frozenset(TELLING) | {
    *("Sampler", "Schedule type", "Image CFG scale", "Face restoration", "Batch size", "Batch pos"),
    *("Model", "Model hash", "VAE", "VAE hash", "Hypernet", "Hypernet hash", "Hypernet strength"),
    *("Variation seed", "Variation seed strength", "Seed resize from", "First pass size", "ENSD", "RNG"),
    *("Mask blur", "Mask mode", "Masked content", "Inpaint area", "Masked area padding", "Init image hash"),
    *("Conditional mask weight", "Noise multiplier", "Extra noise", "Tiling", "NGMS", "Emphasis"),
    *("Eta", "Eta DDIM", "Sigma churn", "Sigma tmin", "Sigma tmax", "Sigma noise", "Noise Schedule"),
    *("Token merging ratio", "Token merging ratio hr", "Refiner", "Refiner switch at", "Script"),
    *("Hires upscale", "Hires upscaler", "Hires resize", "Hires steps", "Hires sampler", "Hires prompt"),
    *("Hires negative prompt", "Hires checkpoint", "Hires schedule type", "Lora hashes", "TI hashes"),
    *("FP8 weight", "Version"),
}
"""Fields by which the parameters are recognised; there are many more."""


def line_of_parameters(lines: Sequence[str]) -> int | None:
    """Which of the stripped `lines` the parameters begin in; None where all is prompt.

    That is the last line that begins with "Steps:", else the last one that begins with another known field;
    beside it stand two fields at least, enough of them known. Prompts are full of colons: what else looks
    like fields is text, and a line that begins with "Negative prompt:" always.
    """
    from_the_end = range(len(lines) - 1, -1, -1)
    first = [number for number in from_the_end if lines[number].startswith(f"{FIRST_FIELD}:")]
    candidates = chain(first, from_the_end)
    return next((number for number in candidates if _holds_parameters(lines, number)), None)


def _holds_parameters(lines: Sequence[str], number: int) -> bool:
    first = lines[number].partition(":")[0]
    if first not in KNOWN:
        return False
    pairs = list(find_pairs(lines[number]))
    known = {key for key, _ in pairs if key in KNOWN}
    telling = {key for key, value in pairs if key in TELLING and TELLING[key](value.strip())}
    if first == FIRST_FIELD and FIRST_FIELD in telling:
        more = (key for line in _until_other_text(lines, number) for key, _ in find_pairs(line))
        in_all = chain((key for key, _ in pairs), (key for key in more if key in KNOWN))
        return len(list(islice(in_all, FEWEST_FIELDS))) == FEWEST_FIELDS
    is_sure = len(known) >= SURELY_FIELDS or (first != FIRST_FIELD and len(known) > 1 and bool(telling))
    return len(pairs) >= FEWEST_FIELDS and is_sure


def _until_other_text(lines: Sequence[str], start: int) -> Iterator[str]:
    """The lines behind `start` that may go on with its fields."""
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line.startswith(NEGATIVE_PROMPT) or _key_of_line(line).endswith(TEMPLATE):
            return
        yield line


def read_parameters(lines: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The fields of the stripped `lines` from the line of the parameters on, as they are written, and lines
    of the negative prompt that follow them.

    A value may go over several lines, as long as a known field follows it. What stands behind the fields are
    lines of their own: "Template: ..." of other programs is a field with all of its line, and what has no
    name goes on with the field before it where that is a text, else it is left out.
    """
    last = _last_line_of_fields(lines)
    # A value that is missing altogether ("Key: ,") is left out, as the field's programs do.
    fields = {key: [value] for key, value in find_pairs("\n".join(lines[: last + 1])) if value}
    current = next(reversed(fields), "")
    negative: list[str] = []
    for line in lines[last + 1 :]:
        key = _key_of_line(line)
        if line.startswith(NEGATIVE_PROMPT):
            current = NEGATIVE_PROMPT
            negative.append(line.removeprefix(NEGATIVE_PROMPT).strip())
        elif key.endswith(TEMPLATE) or (key and key not in KNOWN and current != NEGATIVE_PROMPT):
            current = key
            fields[current] = [line[len(key) + 1 :].lstrip()]
        elif current == NEGATIVE_PROMPT:
            negative.append(line)
        elif current.lower().endswith(("prompt", TEMPLATE.lower())):
            fields[current].append(line)
    return {key: "\n".join(value).rstrip("\n") for key, value in fields.items()}, negative


def _last_line_of_fields(lines: Sequence[str]) -> int:
    """The last line in which fields, or the rest of a value and fields behind it, stand."""
    last = 0
    for number, line in enumerate(_until_other_text(lines, 0), 1):
        if any(key in KNOWN for key, _ in find_pairs(line)):
            last = number
    is_open = sum(len(QUOTE.findall(line)) for line in lines[: last + 1]) % 2 == 1
    closing = (number for number, line in enumerate(lines) if number > last and CLOSING_QUOTE.match(line))
    return next(closing, last) if is_open else last


def _key_of_line(text: str, start: int = 0) -> str:
    """The key that the line at `start` begins with, "" where it begins with none."""
    label = LABEL.match(text, start)
    return label["key"] if label else ""


def find_pairs(text: str) -> Iterator[tuple[str, str]]:
    """Keys and values as they are written, quotes and all.

    A key is a word character followed by word characters, spaces, "-" and "/"; a value is a JSON string or
    everything up to the next comma, or to a line that begins with a known field. One regular expression for
    this would need quadratic time.
    """
    start = 0
    colon = text.find(":")
    while colon >= 0:
        key = _key_before(text, start, colon)
        if key is None:
            start = colon + 1
        else:
            value, start = _value_after(text, colon)
            yield key, value
        colon = text.find(":", start)


def _key_before(text: str, start: int, colon: int) -> str | None:
    position = colon
    while position > start and (text[position - 1].isalnum() or text[position - 1] in "_ -/"):
        position -= 1
    key = text[position:colon].lstrip(" -/")
    return key if len(key) > 1 else None


def _value_after(text: str, colon: int) -> tuple[str, int]:
    """The value, and where the next pair may begin."""
    space = SPACE.match(text, colon + 1)
    start = space.end() if space else colon + 1
    quoted = QUOTED.match(text, start)
    end = quoted.end() if quoted else _end_of_value(text, start)
    return text[start:end], end + 1


def _end_of_value(text: str, start: int) -> int:
    comma = text.find(",", start)
    comma = comma if comma >= 0 else len(text)
    line = text.find("\n", start, comma)
    while line >= 0:
        if _key_of_line(text, line + 1) in KNOWN:
            return line
        line = text.find("\n", line + 1, comma)
    return comma
