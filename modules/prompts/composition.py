"""Composable prompts: `a cat :1.2 AND a dog :0.8` (Liu et al. 2022, "Compositional visual generation")."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from modules.errors import InvalidRequest

__all__ = ["PromptPart", "split_and"]

AND_WORD = re.compile(r"\bAND\b")
WEIGHT = re.compile(r"\s*(?P<number>[-+]?(?:\d+\.?|\d*\.\d+))")


@dataclass(frozen=True, slots=True)
class PromptPart:
    """One part of a composed prompt and its share in the guidance."""

    text: str
    weight: float


def split_and(text: str) -> list[PromptPart]:
    """Split a positive prompt at the word AND; at least one part.

    A part may end in `:weight`; white space before the colon and at the end is dropped, at the start kept.
    Without AND nothing is weighed, so that a number behind a colon is text. A backslash before the
    colon makes a weight text. Raises `InvalidRequest` for a weight too long for a number.
    """
    parts = AND_WORD.split(text)
    return [PromptPart(text.rstrip(), 1.0)] if len(parts) == 1 else [_read_part(part) for part in parts]


def _read_part(text: str) -> PromptPart:
    stripped = text.rstrip()
    head, colon, tail = stripped.rpartition(":")
    is_escaped = (len(head) - len(head.rstrip("\\"))) % 2 == 1
    match = WEIGHT.fullmatch(tail) if colon and not is_escaped else None
    if match is None:
        return PromptPart(stripped, 1.0)
    weight = float(match["number"])
    if not math.isfinite(weight):
        raise InvalidRequest(
            "prompt", f"The weight of the prompt's part {head[:40]!r} is too large for a number."
        )
    return PromptPart(head.rstrip(), weight)
