"""The names of files that a request may mean: of its settings, its tags, and the words of its prompts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modules.generation.request import PictureRequest
from modules.prompts import take_network_tags

__all__ = ["names_of"]

PROMPTS = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt")
CHECKPOINTS = ("hr_checkpoint_name", "refiner_checkpoint")
WORD = re.compile(r"[\w.-]{3,}")
"""Embeddings are named by words; shorter ones stand in every prompt."""


def names_of(request: PictureRequest, settings: Mapping[str, Any]) -> set[str]:
    """Names under which `request` and `settings`, its own or all, may mean a file."""
    names = {value for value in settings.values() if isinstance(value, str)}
    names |= {name for field in CHECKPOINTS if (name := getattr(request, field, None))}
    for field in PROMPTS:
        text, tags = take_network_tags(getattr(request, field, None) or "")
        names |= {tag.name for tag in tags if tag.items} | set(WORD.findall(text))
    return names
