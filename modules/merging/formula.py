"""The formula of a merge: sums of models times numbers, such as `A*0.6 + B*0.4 + (C-D)*m`.

    sum     = product (("+" | "-") product)*
    product = signed (("*" | "/") signed)*
    signed  = ("+" | "-") signed | number | name | "(" sum ")"

`m` is the multiplier. What comes out is a factor for each model, so a product of two models has no meaning.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from modules.errors import InvalidRequest

__all__ = ["MULTIPLIER", "is_model_name", "names_in_formula", "read_formula"]

MULTIPLIER = "m"
DEEPEST = 50
"""Parentheses and signs inside one another; nobody writes ten."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z]\w*)|(?P<sign>[-+*/()]))"
)
SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Value:
    """A number, plus each model times its factor."""

    number: float = 0.0
    models: Mapping[str, float] = field(default_factory=dict)

    def times(self, factor: float) -> _Value:
        return _Value(self.number * factor, {name: each * factor for name, each in self.models.items()})

    def plus(self, other: _Value, sign: float) -> _Value:
        models = dict(self.models)
        for name, factor in other.models.items():
            models[name] = models.get(name, 0.0) + sign * factor
        return _Value(self.number + sign * other.number, models)


def is_model_name(name: str) -> bool:
    """Whether a formula can call a model so: letters, digits and "_", a letter first, and not `m`."""
    return bool(NAME.fullmatch(name)) and name != MULTIPLIER


def names_in_formula(text: str) -> list[str]:
    """The names of models in a formula, each once, in the order in which they first stand there."""
    names = (match["name"] for match in TOKEN.finditer(text))
    return list(dict.fromkeys(name for name in names if name and name != MULTIPLIER))


def read_formula(text: str, models: Collection[str], multiplier: float) -> dict[str, float]:
    """The factor of each model that stands in the formula, in the order in which they first do.

    models: the names that are known. Raises InvalidRequest for `formula`, naming the column, for what is
    not understood, an unknown name, a product of models, and a formula without models or with a number that
    is added to them.
    """
    value = _Reader(text, models, multiplier).value()
    if not value.models:
        raise _refused("it names no model. Write for example A*0.6 + B*0.4")
    if value.number:
        raise _refused(
            f"it adds the number {value.number:g} to models, which can only be multiplied by numbers"
        )
    if not any(value.models.values()):
        raise _refused("all models in it cancel each other out, so nothing would be left")
    if not all(map(math.isfinite, value.models.values())):
        raise _refused("its numbers are too large")
    return dict(value.models)


class _Reader:
    """Reads from left to right, computing at once."""

    def __init__(self, text: str, models: Collection[str], multiplier: float) -> None:
        self._text, self._models, self._multiplier = text, models, multiplier
        self._at = 0
        self._depth = 0

    def value(self) -> _Value:
        """All of the text."""
        value = self._sum()
        if self._text[self._at :].strip():
            raise self._wrong("an operator (+ - * /) is missing, or a parenthesis was not opened,")
        return value

    def _sum(self) -> _Value:
        value = self._product()
        while sign := self._take("+-"):
            value = value.plus(self._product(), 1.0 if sign == "+" else -1.0)
        return value

    def _product(self) -> _Value:
        value = self._signed()
        while (at := self._at, sign := self._take("*/"))[1]:
            other = self._signed()
            if sign == "/":
                value = self._quotient(value, other, at)
            elif value.models and other.models:
                raise self._wrong("two models are multiplied, which has no meaning,", at)
            else:
                value = value.times(other.number) if value.models else other.times(value.number)
        return value

    def _quotient(self, value: _Value, other: _Value, at: int) -> _Value:
        if other.models:
            raise self._wrong("something is divided by a model, which has no meaning,", at)
        if other.number == 0:
            raise self._wrong("something is divided by zero", at)
        models = {name: each / other.number for name, each in value.models.items()}
        return _Value(value.number / other.number, models)

    def _signed(self) -> _Value:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._wrong("parentheses or signs are nested too deeply")
        try:
            if sign := self._take("+-"):
                return self._signed().times(1.0 if sign == "+" else -1.0)
            return self._atom()
        finally:
            self._depth -= 1

    def _atom(self) -> _Value:
        if self._take("("):
            value = self._sum()
            if not self._take(")"):
                raise self._wrong('")" is missing')
            return value
        match = TOKEN.match(self._text, self._at)
        if match is None or match["sign"]:
            raise self._wrong("a model, a number or a parenthesis is missing")
        start, self._at = match.start(match.lastgroup or 0), match.end()
        if match["number"]:
            return _Value(float(match["number"]))
        return self._named(match["name"], start)

    def _named(self, name: str, at: int) -> _Value:
        if name == MULTIPLIER:
            return _Value(self._multiplier)
        if name not in self._models:
            known = ", ".join([*self._models, MULTIPLIER])
            raise self._wrong(f'"{name[:SHOWN]}" is no model of this merge (there are: {known})', at)
        return _Value(0.0, {name: 1.0})

    def _take(self, signs: str) -> str:
        """The next sign, if it is one of these."""
        match = TOKEN.match(self._text, self._at)
        if match is None or not match["sign"] or match["sign"] not in signs:
            return ""
        self._at = match.end()
        return match["sign"]

    def _wrong(self, what: str, at: int | None = None) -> InvalidRequest:
        start = self._at if at is None else at
        rest = self._text[start:]
        column = start + len(rest) - len(rest.lstrip()) + 1
        place = f'before "{rest.strip()[:SHOWN]}"' if rest.strip() else "at its end"
        return _refused(f"{what} {place} (column {column})")


def _refused(reason: str) -> InvalidRequest:
    return InvalidRequest("formula", f"The formula cannot be used: {reason}.")
