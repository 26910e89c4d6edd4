"""Styles as text: putting a style's text around a prompt, and taking it off again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ExtractedStyles", "PromptStyle", "apply_style_texts", "extract_styles"]

PLACE = "{prompt}"
SPACES = re.compile("  +")


@dataclass(frozen=True, slots=True)
class PromptStyle:
    """A named pair of texts that is added to prompts. `file`: where it is kept, if anywhere."""

    name: str
    prompt: str = ""
    negative_prompt: str = ""
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class ExtractedStyles:
    """What is left of two prompts once the styles named are taken out, in the order of their use."""

    prompt: str
    negative_prompt: str
    names: tuple[str, ...]


def apply_style_texts(prompt: str, styles: Iterable[str]) -> str:
    """The prompt inside one style text after another.

    A text with `{prompt}` takes the prompt so far in its place; any other is added after ", ".
    """
    for style in styles:
        if PLACE in style:
            prompt = style.replace(PLACE, prompt)
        else:
            prompt = ", ".join(part for part in (prompt.strip(), style.strip()) if part)
    return prompt


def extract_styles(prompt: str, negative_prompt: str, styles: Iterable[PromptStyle]) -> ExtractedStyles:
    """Take out of two prompts every style whose both texts are found in them, the outermost first."""
    candidates = [style for style in styles if style.prompt or style.negative_prompt]
    names: list[str] = []
    texts = (prompt, negative_prompt)
    while True:
        found = next(((style, rest) for style in candidates if (rest := _without(style, *texts))), None)
        if found is None:
            return ExtractedStyles(*texts, tuple(reversed(names)))
        style, texts = found
        candidates.remove(style)
        names.append(style.name)


def _without(style: PromptStyle, prompt: str, negative_prompt: str) -> tuple[str, str] | None:
    positive = _unwrapped(prompt, style.prompt)
    negative = _unwrapped(negative_prompt, style.negative_prompt)
    return None if positive is None or negative is None else (positive, negative)


def _unwrapped(text: str, style: str) -> str | None:
    """The text without the style, or None where it is not there; runs of spaces count as one."""
    text, style = SPACES.sub(" ", text.strip()), SPACES.sub(" ", style.strip())
    if PLACE not in style:
        return text.removesuffix(style).removesuffix(", ") if text.endswith(style) else None
    left, _, right = style.partition(PLACE)
    fits = len(text) >= len(left) + len(right) and text.startswith(left) and text.endswith(right)
    return text[len(left) : len(text) - len(right)] if fits else None
