"""Styles as text: putting a style's text around a prompt, and taking it off again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from modules.prompts.comments import close_comment, strip_comments

__all__ = ["ExtractedStyles", "PromptStyle", "apply_style_texts", "drawn_prompt", "extract_styles"]

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


def apply_style_texts(prompt: str, styles: Iterable[str], *, has_comments: bool = False) -> str:
    """The prompt inside one style text after another.

    A text with `{prompt}` takes the prompt so far in its place; any other is added after ", ". has_comments:
    the texts keep their comments, so that what follows one has to begin a new line.
    """
    closed = close_comment if has_comments else str
    for style in styles:
        if PLACE in style:
            prompt = style.replace(PLACE, closed(prompt))
        elif prompt.strip() and style.strip():
            prompt = f"{closed(prompt.strip())}, {style.strip()}"
        else:
            prompt = prompt.strip() or style.strip()
    return prompt


def drawn_prompt(prompt: str, styles: Iterable[str], *, has_comments: bool) -> str:
    """The prompt as it is drawn, with style texts around it.

    Comments are taken out of each text by itself, since one reaches to the end of its line.
    """
    if not has_comments:
        return apply_style_texts(prompt, styles)
    texts = [_without_comments(style) for style in styles]
    return apply_style_texts(_without_comments(prompt), texts) if texts else strip_comments(prompt)


def _without_comments(text: str) -> str:
    """The text, and at its ends nothing of the lines that its comments stood on."""
    stripped = strip_comments(text)
    return text if stripped == text else stripped.strip()


def extract_styles(
    prompt: str, negative_prompt: str, styles: Iterable[PromptStyle], *, has_comments: bool = False
) -> ExtractedStyles:
    """Take out of two prompts every style whose both texts are found in them, the outermost first.

    has_comments: what is drawn of a style is found, which is its text without comments.
    """
    drawn = [_as_drawn(style) for style in styles] if has_comments else styles
    candidates = [style for style in drawn if _says_something(style)]
    names: list[str] = []
    texts = (prompt, negative_prompt)
    while True:
        found = next(((style, rest) for style in candidates if (rest := _without(style, *texts))), None)
        if found is None:
            return ExtractedStyles(*texts, tuple(reversed(names)))
        style, texts = found
        candidates.remove(style)
        names.append(style.name)


def _says_something(style: PromptStyle) -> bool:
    return any(text.strip() not in ("", PLACE) for text in (style.prompt, style.negative_prompt))


def _as_drawn(style: PromptStyle) -> PromptStyle:
    prompt, negative = _without_comments(style.prompt), _without_comments(style.negative_prompt)
    return replace(style, prompt=prompt, negative_prompt=negative)


def _without(style: PromptStyle, prompt: str, negative_prompt: str) -> tuple[str, str] | None:
    positive = _unwrapped(prompt, style.prompt)
    negative = _unwrapped(negative_prompt, style.negative_prompt)
    return None if positive is None or negative is None else (positive, negative)


def _unwrapped(text: str, style: str) -> str | None:
    """The text without the style, or None where it is not there; runs of spaces count as one.

    A style is found as a part of its own, never inside a word or a phrase: "a wildcat" and "a black cat" do
    not end with the style "cat", since it would have been put there after ", ".
    """
    text, style = SPACES.sub(" ", text.strip()), SPACES.sub(" ", style.strip())
    if PLACE not in style:
        rest = text.removesuffix(style)
        return rest.removesuffix(", ") if text.endswith(style) and _is_apart(rest, style) else None
    left, _, right = style.partition(PLACE)
    fits = len(text) >= len(left) + len(right) and text.startswith(left) and text.endswith(right)
    inside = text[len(left) : len(text) - len(right)]
    return inside if fits and not (_cuts_a_word(left, inside) or _cuts_a_word(inside, right)) else None


def _is_apart(rest: str, style: str) -> bool:
    return not style or not rest or rest.rstrip(" ").endswith((",", "\n"))


def _cuts_a_word(before: str, after: str) -> bool:
    return bool(before and after) and _in_words(before[-1]) and _in_words(after[0])


def _in_words(character: str) -> bool:
    return character.isalnum() or character == "_"
