"""Regular expressions that a person or a caller wrote, with an engine that can be stopped."""

from collections.abc import Callable
from math import prod
from time import monotonic
from typing import Any

import regex

from modules.errors import InvalidRequest

__all__ = ["Expression"]

LONGEST = 2000
"""Characters of an expression; compiling takes time and memory too."""
SECONDS = 0.5
"""For all searches of one expression together, in the engine itself."""
COUNTS = regex.compile(r"\{\s*(\d*)(?:\s*,\s*(\d*))?\s*\}")
MOST_REPETITIONS = 1000
"""All counts in braces multiplied: inside one another they are compiled so many times."""


class Expression:
    """A regular expression from outside, with a time limit over all that is asked of it.

    Python's own `re` holds the interpreter until it has an answer, which for some expressions is never.
    """

    def __init__(self, text: str, field: str, seconds: float = SECONDS) -> None:
        """Compile `text`. field: the request field or setting it came from, for the errors' sake.

        Raises InvalidRequest naming `field` where it is no expression, or too long.
        """
        self._text = text
        self._field = field
        self._left = seconds
        if len(text) > LONGEST or _repetitions(text) > MOST_REPETITIONS:
            raise InvalidRequest(
                field,
                f"The expression {self._shown} is too large: at most {LONGEST} characters are taken, and "
                f"counts in braces that multiply to {MOST_REPETITIONS}.",
            )
        try:
            self._compiled = regex.compile(text, cache_pattern=False)
        except (regex.error, RecursionError, OverflowError, ValueError) as error:
            raise InvalidRequest(
                field,
                f"{self._shown} is no regular expression: {error}. Leave it empty, or write for example "
                "^model_ema.",
            ) from None

    def search(self, text: str) -> bool:
        """Whether the expression finds something in `text`. Raises InvalidRequest once its time is over."""
        return self._timed(lambda seconds: self._compiled.search(text, timeout=seconds)) is not None

    def sub(self, replacement: str, text: str) -> str:
        """`text` with each match replaced; `\\1` and the like are groups. Raises InvalidRequest."""
        try:
            return str(self._timed(lambda seconds: self._compiled.sub(replacement, text, timeout=seconds)))
        except (regex.error, IndexError) as error:
            raise InvalidRequest(
                self._field, f"{replacement[:60]!r} cannot be put in place of {self._shown}: {error}."
            ) from None

    def _timed(self, ask: Callable[[float], Any]) -> Any:
        started = monotonic()
        try:
            if self._left <= 0:
                raise TimeoutError
            return ask(self._left)
        except (TimeoutError, MemoryError):
            raise InvalidRequest(
                self._field,
                f"The expression {self._shown} takes too long to search with. Write it without repetitions "
                "inside repetitions, such as (a+)+.",
            ) from None
        finally:
            self._left -= monotonic() - started

    @property
    def _shown(self) -> str:
        return repr(self._text[:60])


def _repetitions(text: str) -> int:
    """How often the innermost part of `text` may be compiled at most."""
    return prod(max(1, int(most or least or 1)) for least, most in COUNTS.findall(text[:LONGEST]))
