"""Names of embeddings with signs in them, found in the text of a prompt."""

from __future__ import annotations

import re
from collections.abc import Iterable

from modules.prompts import literal_words

__all__ = ["NameFinder"]


class NameFinder:
    """Takes texts apart around names that the tokenizer would melt into the signs beside them.

    It reads the ")," behind `name(1),` as one token, so that the name's own tokens are not among the text's.
    Names of letters, digits and inner signs that mean nothing in a prompt need no help.
    """

    def __init__(self, names: Iterable[str]) -> None:
        awkward = [name for name in {name.strip() for name in names} if name and _is_awkward(name)]
        self._names = {spelling.lower(): name for name in awkward for spelling in _spellings(name)}
        patterns = map(_pattern, sorted(self._names, key=len, reverse=True))
        self._found = re.compile("|".join(patterns), re.IGNORECASE) if awkward else None

    def separated(self, text: str) -> tuple[str, ...]:
        """The parts of `text`, each of these names by itself."""
        if self._found is None:
            return (text,)
        parts, position = [], 0
        for match in self._found.finditer(text):
            parts += [text[position : match.start()], self._names.get(match[0].lower(), match[0])]
            position = match.end()
        return tuple(part for part in (*parts, text[position:]) if part) or (text,)


def _is_awkward(name: str) -> bool:
    return not (name[0].isalnum() and name[-1].isalnum()) or literal_words(name) != name


def _spellings(name: str) -> set[str]:
    """As it is, and as a card writes it, which stays so where brackets are no emphasis."""
    return {name, literal_words(name)}


def _pattern(name: str) -> str:
    before = r"(?<!\w)" if name[0].isalnum() else ""
    behind = r"(?!\w)" if name[-1].isalnum() else ""
    return f"{before}{re.escape(name)}{behind}"
