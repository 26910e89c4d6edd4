"""From probabilities to the text of a prompt, by the settings of the section Interrogate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from modules.errors import EaselError
from modules.settings import Options

__all__ = ["named_probabilities", "tags_text"]

WORD = re.compile(r"[^\W\d_]{2}")
BRACKETS = re.compile(r"([\\()])")


def named_probabilities(
    name: str, tags: Sequence[str | None], values: NDArray[np.float32]
) -> dict[str, float]:
    """The probability of each tag; `values` (tags,) may be logits, which a value outside 0 .. 1 tells.

    Raises EaselError when the model `name` answers more or fewer values than there are tags.
    """
    if values.shape != (len(tags),):
        raise EaselError(
            f"{name} answers {values.size} values, and its list has {len(tags)} tags. "
            "Put the list there that belongs to the model."
        )
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        values = expit(values)
    return {tag: float(value) for tag, value in zip(tags, values, strict=True) if tag is not None}


def tags_text(probabilities: Mapping[str, float], options: Options) -> str:
    """The tags at or above the threshold, separated by commas, as the settings want them written."""
    unwanted = {_plain(tag) for tag in options.deepbooru_filter_tags.split(",")}
    threshold = options.interrogate_deepbooru_score_threshold
    kept = [
        (tag, value)
        for tag, value in probabilities.items()
        if value >= threshold and _plain(tag) not in unwanted
    ]
    by_name = options.deepbooru_sort_alpha
    ordered = sorted(kept, key=lambda each: each[0] if by_name else (-each[1], each[0]))
    return ", ".join(_written(tag, value, options) for tag, value in ordered)


def _plain(tag: str) -> str:
    return tag.strip().replace(" ", "_").lower()


def _written(tag: str, value: float, options: Options) -> str:
    # Faces such as ^_^ are no words: their underscores stay.
    text = tag.replace("_", " ") if options.deepbooru_use_spaces and WORD.search(tag) else tag
    if options.deepbooru_escape:
        text = BRACKETS.sub(r"\\\1", text)
    return f"({text}:{value:.3f})" if options.interrogate_return_ranks else text
