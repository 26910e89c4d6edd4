"""Sentences for drawings, varied so that a prompt need not be worded in one way."""

import random

from tools.embedded_model.concepts import Concept, Style

__all__ = ["PLAIN", "STYLED", "all_captions", "caption"]

PLAIN = (
    "{word}",
    "{a} {word}",
    "the {word}",
    "{word} emoji",
    "a picture of {a} {word}",
    "a drawing of {a} {word}",
    "an emoji of {a} {word}",
)
STYLED = (
    "{word}, {style} style",
    "{word}, {style}",
    "{style} {word}",
    "{a} {word}, {style} style",
    "{a} {word} in {style} style",
    "a picture of {a} {word}, {style} style",
    "an emoji of {a} {word}, {style} style",
)
EMPTY_SHARE, STYLED_SHARE, USUAL_WORD_SHARE = 0.1, 0.65, 0.6


def _filled(template: str, word: str, style: str = "") -> str:
    vowel = word[0] in "aeiou" and not word.startswith("uni")
    return template.format(word=word, style=style, a="an" if vowel else "a")


def caption(concept: Concept, style: Style, rng: random.Random) -> str:
    """A caption for the drawing of `concept` in `style`; one in ten is empty, for guidance."""
    if rng.random() < EMPTY_SHARE:
        return ""
    word = concept.words[0] if rng.random() < USUAL_WORD_SHARE else rng.choice(concept.words)
    templates = STYLED if rng.random() < STYLED_SHARE else PLAIN
    return _filled(rng.choice(templates), word, style.word)


def all_captions(concepts: tuple[Concept, ...], styles: tuple[Style, ...]) -> set[str]:
    """Every caption there can be."""
    words = [word for concept in concepts for word in concept.words]
    plain = {_filled(template, word) for word in words for template in PLAIN}
    return plain | {_filled(t, word, style.word) for word in words for style in styles for t in STYLED} | {""}
