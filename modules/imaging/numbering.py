"""Numbers in the names of pictures, `00012-...` and `grid-0007`: those that this numbering wrote alone."""

import re
from collections.abc import Iterable

__all__ = ["last_number", "numbered", "own_numbers"]

DIGITS = 5
DIGITS_AFTER_PREFIX = 4
LARGEST_GAP = 1000
"""Numbers with more digits than usual count when they go on from the others with gaps of at most that."""

NAME = re.compile(r"([0-9]+)(-.*)?\.(?:png|jpe?g|webp|avif|gif|txt)", re.IGNORECASE | re.DOTALL)
YEAR = re.compile(r"(?:19|20)[0-9]{2}")
DAY = re.compile(r"-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?![0-9])")
"""What follows a year in a date."""


def numbered(number: int, prefix: str = "") -> str:
    """How a name with this number begins."""
    return f"{prefix}-{number:0{DIGITS_AFTER_PREFIX}}" if prefix else f"{number:0{DIGITS}}"


def own_numbers(names: Iterable[str], prefix: str = "") -> set[int]:
    """The numbers of those file names that begin as `numbered` writes them.

    A date, a time, a seed or a hash at the start of a name is no such number: their digits are too few or too
    many, and of numbers beyond the usual digits only those count that go on from the others.
    """
    usual, longer = set(), set()
    digits = DIGITS_AFTER_PREFIX if prefix else DIGITS
    for name in names:
        found = _digits_of(name, f"{prefix}-" if prefix else "")
        if len(found) == digits:
            usual.add(int(found))
        elif digits < len(found) <= 2 * DIGITS and not found.startswith("0"):
            longer.add(int(found))
    last = max(usual, default=-1)
    if last + LARGEST_GAP >= 10**digits:
        for number in sorted(longer):
            if number - last > LARGEST_GAP:
                break
            usual.add(number)
            last = number
    return usual


def last_number(names: Iterable[str], prefix: str = "") -> int:
    """The largest of those numbers, -1 where there is none."""
    return max(own_numbers(names, prefix), default=-1)


def _digits_of(name: str, start: str) -> str:
    """The digits at the start of `name` behind `start`, where they can be a number."""
    match = NAME.fullmatch(name[len(start) :]) if name.startswith(start) else None
    if match is None or (YEAR.fullmatch(match[1]) and DAY.match(match[2] or "")):
        return ""
    return match[1]
