"""Words of a prompt that mean nothing but themselves: a backslash takes a sign's meaning away."""

from __future__ import annotations

import re

__all__ = ["literal_words"]

SIGNS = re.compile(r"[\\()\[\]|:#]")
# A backslash inside the word, since one before it leaves it a word of its own.
WORDS = re.compile(r"\b(A(?=ND\b)|B(?=REAK\b))")


def literal_words(text: str) -> str:
    """How a prompt has to be written so that exactly `text` is read: no emphasis, no schedule, no comment."""
    return WORDS.sub(r"\1\\", SIGNS.sub(lambda sign: f"\\{sign[0]}", text))
