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
    A prompt without AND may end in a weight too. Raises `InvalidRequest` for a weight too long for a number.
    """
    return [_read_part(part) for part in AND_WORD.split(text)]


def _read_part(text: str) -> PromptPart:
    stripped = text.rstrip()
    head, colon, tail = stripped.rpartition(":")
    match = WEIGHT.fullmatch(tail) if colon else None
    if match is None:
        return PromptPart(stripped, 1.0)
    weight = float(match["number"])
    if not math.isfinite(weight):
        raise InvalidRequest(
            "prompt", f"The weight of the prompt's part {head[:40]!r} is too large for a number."
        )
    return PromptPart(head.rstrip(), weight)
