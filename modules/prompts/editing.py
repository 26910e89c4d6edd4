"""Prompt editing and alternation, read into a flat list of pieces that can be replayed for any step.

The language, in words: `[before:after:when]`, `[after:when]`, `[before::when]` and `[a|b|...]`. Their parts
may hold text, balanced brackets and further forms of the kind. Brackets and colons that make no form are
text. A `|` outside an alternation, or a backslash with nothing to escape, makes the whole prompt text.

A grammar library's general parsers (Earley) need time and memory that grow faster than the prompt, and the
language is ambiguous for the fast ones (LALR), because unbalanced brackets are allowed. But a form's brackets
are balanced, so its end is known: one pass with a stack of open brackets reads everything, in linear time
and without recursion.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Alternation", "Edit", "Jump", "Piece", "read_pieces", "replay"]

TOKEN = re.compile(r"(?P<plain>(?:[^\\\[\]():|]|\\.)+)|[\[\]():|]")
WHEN = re.compile(r"\s*(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*")
PARTNER = {"(": ")", "[": "]"}


@dataclass(frozen=True, slots=True)
class Jump:
    """Go on reading at piece `to`."""

    to: int


@dataclass(frozen=True, slots=True)
class Edit:
    """`[before:after:when]`: go on at piece `before` up to step `when`, later at piece `after`.

    `when` is the number as it was written: with a point it is a share of the steps, without one a step.
    """

    before: int
    after: int
    when: str


@dataclass(frozen=True, slots=True)
class Alternation:
    """`[a|b|...]`: go on at one of these pieces, another one at each step."""

    branches: tuple[int, ...]


Piece = str | Jump | Edit | Alternation


@dataclass(slots=True)
class _OpenBracket:
    """A bracket that waits for its partner. Positions are indices into the list of pieces."""

    kind: str
    position: int
    separators: list[int] = field(default_factory=list)
    signs: str = ""
    broken: bool = False
    """A bracket or colon inside it makes no form, so that this one makes none either."""


class _PlainTextError(Exception):
    """The text does not follow the language; it is used as it stands."""


def read_pieces(text: str) -> list[Piece]:
    """The pieces of a prompt, in the order of the text; never raises, never recurses, linear time."""
    try:
        return _Reader().read(text)
    except _PlainTextError:
        return [text]


def replay(pieces: Sequence[Piece], step: int, last_steps: Mapping[int, int]) -> str:
    """The text at `step` (1-based).

    last_steps: for the position of each `Edit` among the pieces, the last step of its first text.
    """
    text: list[str] = []
    position = 0
    while position < len(pieces):
        piece = pieces[position]
        if isinstance(piece, str):
            text.append(piece)
            position += 1
        elif isinstance(piece, Jump):
            position = piece.to
        elif isinstance(piece, Alternation):
            position = piece.branches[(step - 1) % len(piece.branches)]
        else:
            position = piece.before if step <= last_steps[position] else piece.after
    return "".join(text)


class _Reader:
    """One pass over the tokens with a stack of open brackets."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.open: list[_OpenBracket] = []

    def read(self, text: str) -> list[Piece]:
        """The pieces of the whole text; raises `_PlainTextError` where it is to be used as it stands."""
        end = 0
        for match in TOKEN.finditer(text):
            if match.start() != end:
                raise _PlainTextError
            end = match.end()
            self._take(match[0], plain=match["plain"] is not None)
        if end != len(text):
            raise _PlainTextError
        for bracket in self.open:
            _refuse_alternation(bracket)
        return self.pieces

    def _take(self, token: str, plain: bool) -> None:
        if not plain:
            self._take_sign(token)
        self.pieces.append(token)
        if not plain and token in ")]":
            self._close(token)

    def _take_sign(self, sign: str) -> None:
        """Note a sign before it is written down as text."""
        position = len(self.pieces)
        if sign in PARTNER:
            self.open.append(_OpenBracket(sign, position))
        elif sign in ":|" and self.open:
            self.open[-1].separators.append(position)
            self.open[-1].signs += sign
        elif sign == "|":
            raise _PlainTextError

    def _close(self, sign: str) -> None:
        if not self.open:
            return
        if PARTNER[self.open[-1].kind] != sign:
            self.open[-1].broken = True
            return
        bracket = self.open.pop()
        if not self._makes_form(bracket):
            _refuse_alternation(bracket)
            if self.open:
                self.open[-1].broken = True

    def _makes_form(self, bracket: _OpenBracket) -> bool:
        """Turn a balanced bracket into what it stands for; False where it stands for nothing."""
        if bracket.broken:
            return False
        if bracket.kind == "(":
            return bracket.signs in ("", ":")
        if bracket.signs in (":", "::"):
            return self._make_edit(bracket)
        if bracket.signs and not bracket.signs.strip("|"):
            self._make_alternation(bracket)
            return True
        return not bracket.signs

    def _make_edit(self, bracket: _OpenBracket) -> bool:
        end = len(self.pieces)
        number = self.pieces[bracket.separators[-1] + 1 : end - 1]
        when = WHEN.fullmatch(number[0]) if len(number) == 1 and isinstance(number[0], str) else None
        if when is None:
            return False
        first = bracket.position + 1
        second = bracket.separators[0] + 1
        before, after = (end, first) if len(bracket.separators) == 1 else (first, second)
        self.pieces[bracket.position] = Edit(before, after, when["number"])
        self._leave_at(bracket.separators, end)
        return True

    def _make_alternation(self, bracket: _OpenBracket) -> None:
        end = len(self.pieces)
        starts = (bracket.position + 1, *(position + 1 for position in bracket.separators))
        self.pieces[bracket.position] = Alternation(starts)
        self._leave_at([*bracket.separators, end - 1], end)

    def _leave_at(self, positions: Sequence[int], end: int) -> None:
        for position in positions:
            self.pieces[position] = Jump(end)


def _refuse_alternation(bracket: _OpenBracket) -> None:
    """A `|` is never text: where its bracket makes no alternation, nothing of the prompt is edited."""
    if "|" in bracket.signs:
        raise _PlainTextError
