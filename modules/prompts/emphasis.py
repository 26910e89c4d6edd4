"""Emphasis: `(more)`, `[less]`, `(exactly:1.3)`, backslash escapes and the word BREAK."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from modules.errors import InvalidRequest

__all__ = ["BREAK", "Emphasis", "Weighted", "parse_emphasis"]

BREAK = "BREAK"

ROUND_FACTOR = 1.1
SQUARE_FACTOR = 1 / 1.1
# Weights multiply float32 tensors: what float32 cannot hold would turn the picture into NaN.
LARGEST_WEIGHT = float(np.finfo(np.float32).max)
# Every closing bracket multiplies all pieces inside it, so depth times length is what reading costs.
DEEPEST_NESTING = 1000

TOKEN = re.compile(
    r"""
    \\ (?P<escaped> [()\[\]\\]? )
    | : \s* (?P<weight> [+-]? [.\d]+ ) \s* \)
    | (?P<bracket> [()\[\]] )
    | (?P<text> [^\\()\[\]:]+ | : )
    """,
    re.VERBOSE,
)
BREAK_WORD = re.compile(rf"\b{BREAK}\b")


class Emphasis(StrEnum):
    """What brackets do to the conditioning (setting `emphasis`)."""

    ORIGINAL = "Original"
    """Weights apply, then the mean of the tensor is restored."""
    NO_NORM = "No norm"
    """Weights apply, the mean is left as it comes."""
    IGNORE = "Ignore"
    """Brackets are read and taken out, their weights are not applied."""
    NONE = "None"
    """Brackets, colons and BREAK are literal text."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """A piece of text and the factor its tokens get.

    A chunk break is the text BREAK with weight -1. A BREAK inside brackets has its weight multiplied like
    any other text and is then an ordinary word, as in the recorded program.
    """

    text: str
    weight: float

    @property
    def is_break(self) -> bool:
        """True for a chunk break."""
        return self.text == BREAK and self.weight == -1


def parse_emphasis(text: str, mode: Emphasis = Emphasis.ORIGINAL) -> list[Weighted]:
    """Split `text` into pieces of equal weight, in order; never empty.

    Nested brackets multiply. A bracket that is never closed reaches to the end of the text, one that was
    never opened is literal, and so is what is not a number after a colon. Every mode but "None" gives the
    same pieces: whether weights count is decided where they are applied.

    Raises `InvalidRequest` when a weight grows beyond what float32 holds (3.4e38), and for more than 1000
    brackets open at once.
    """
    if mode == Emphasis.NONE:
        return [Weighted(text, 1.0)]
    reader = _Reader(capacity=len(text) + 1)
    for match in TOKEN.finditer(text):
        reader.take(match)
    return _merged(reader.texts, reader.finish(), text)


class _Reader:
    """Collects pieces; the weights stand in one array, so that closing a bracket is one multiplication."""

    def __init__(self, capacity: int) -> None:
        self.texts: list[str] = []
        self.weights: NDArray[np.float64] = np.ones(capacity + 1)
        self.open_round: list[int] = []
        self.open_square: list[int] = []

    def take(self, match: re.Match[str]) -> None:
        """Act on one token."""
        escaped, weight, bracket = match["escaped"], match["weight"], match["bracket"]
        if escaped is not None:
            self.texts.append(escaped)
        elif weight is not None:
            self._close_with(weight, match[0])
        elif bracket == "(":
            self._open(self.open_round)
        elif bracket == "[":
            self._open(self.open_square)
        elif bracket == ")" and self.open_round:
            self._multiply(self.open_round.pop(), ROUND_FACTOR)
        elif bracket == "]" and self.open_square:
            self._multiply(self.open_square.pop(), SQUARE_FACTOR)
        else:
            self._write(match[0])

    def finish(self) -> NDArray[np.float64]:
        """The weights of `texts`, once the brackets still open are closed: round ones, then square ones."""
        for start in self.open_round:
            self._multiply(start, ROUND_FACTOR)
        for start in self.open_square:
            self._multiply(start, SQUARE_FACTOR)
        return self.weights[: len(self.texts)]

    def _open(self, brackets: list[int]) -> None:
        if len(brackets) >= DEEPEST_NESTING:
            raise InvalidRequest(
                "prompt",
                f"The prompt opens more than {DEEPEST_NESTING} brackets inside one another. Close some of "
                "them, or escape those that are text, as \\( and \\[.",
            )
        brackets.append(len(self.texts))

    def _close_with(self, weight: str, token: str) -> None:
        number = _number(weight)
        if number is not None and self.open_round:
            self._multiply(self.open_round.pop(), number)
            return
        if self.open_round:
            self._write(token[:-1])
            self._multiply(self.open_round.pop(), ROUND_FACTOR)
        else:
            self._write(token)

    def _multiply(self, start: int, factor: float) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            self.weights[start : len(self.texts)] *= factor

    def _write(self, text: str) -> None:
        for position, part in enumerate(_between_breaks(text)):
            if position > 0:
                self.weights[len(self.texts)] = -1.0
                self.texts.append(BREAK)
            self.texts.append(part)


def _number(text: str) -> float | None:
    """The weight written as digits and points, or None where it is none (`1.2.3`, a lone point)."""
    try:
        return float(text)
    except ValueError:
        return None


def _between_breaks(text: str) -> Iterator[str]:
    """What stands between the words BREAK; white space beside a BREAK belongs to it."""
    start = 0
    for match in BREAK_WORD.finditer(text):
        part = text[start : match.start()].rstrip()
        yield part.lstrip() if start else part
        start = match.end()
    yield text[start:].lstrip() if start else text


def _merged(texts: list[str], weights: NDArray[np.float64], source: str) -> list[Weighted]:
    """Neighbours of equal weight joined."""
    if weights.size and not bool(np.all(np.abs(weights) <= LARGEST_WEIGHT)):
        raise InvalidRequest(
            "prompt",
            f"The emphasis in the prompt that begins with {source[:40]!r} multiplies to more than a number "
            "can hold. Take some of the brackets away, escape them as \\( and \\), or write smaller weights.",
        )
    pairs = zip(texts, weights.tolist(), strict=True)
    groups = groupby(pairs, key=lambda pair: pair[1])
    merged = [Weighted("".join(text for text, _ in group), weight) for weight, group in groups]
    return merged or [Weighted("", 1.0)]
