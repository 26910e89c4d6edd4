"""Taking a text apart into the words of a command line. Old Pythons can read this file, too."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from modules.errors import EaselError

__all__ = ["split_words", "words_of_environment"]

BETWEEN = re.compile(r"(?:\s|#(?!\S).*)*")
"""What stands between words."""
PIECE = re.compile(r'"(?P<double>(?:[^"\\]|\\.)*)"|\\(?P<taken>.)|(?P<letter>.)', re.DOTALL)
WINDOWS_PIECE = re.compile(r'"(?P<whole>[^"]*)"|(?P<letter>.)', re.DOTALL)
SINGLE = re.compile(r"'(?P<single>[^']*)'")
ESCAPED = re.compile(r'\\(["\\])')


def words_of_environment(environment: Mapping[str, str], windows: bool = os.name == "nt") -> list[str]:
    """The words of COMMANDLINE_ARGS. Raises EaselError for a quotation mark without its end."""
    text = environment.get("COMMANDLINE_ARGS", "")
    try:
        words = split_words(text, windows)
        if len(words) == 1 and words[0].startswith("-") and "=" not in words[0].split()[0]:
            # Some put quotation marks around the whole value in webui-user.bat.
            words = split_words(words[0], windows)
    except ValueError as error:
        raise EaselError(
            f"COMMANDLINE_ARGS cannot be read: {error}. Close the quotation mark, or take it away."
        ) from error
    return words


def split_words(text: str, windows: bool = os.name == "nt") -> list[str]:
    r"""The words of `text`, split at blanks and line ends that are not quoted.

    A quotation mark counts where a word, or the value of a `--flag=`, begins; `"` counts anywhere if it is
    closed. Elsewhere it is a letter, as in o'brien. A backslash takes the next character as it is; on Windows
    it is a letter, as in C:\new. A # that stands alone begins a comment up to the end of its line. Raises
    ValueError for a quotation mark that begins a word and has no end.
    """
    words: list[str] = []
    place = _behind_blanks(text, 0)
    while place < len(text):
        word, place = _word_at(text, place, windows)
        words.append(word)
        place = _behind_blanks(text, place)
    return words


def _behind_blanks(text: str, place: int) -> int:
    found = BETWEEN.match(text, place)
    return found.end() if found else place


def _word_at(text: str, start: int, windows: bool) -> tuple[str, int]:
    """The word that begins at `start`, and where the text goes on behind it."""
    pieces, word, place = WINDOWS_PIECE if windows else PIECE, "", start
    while place < len(text) and not text[place].isspace():
        begins = place == start or (text[start] == "-" and text[place - 1] == "=")
        found = (SINGLE.match(text, place) if begins else None) or pieces.match(text, place)
        if found is None:
            break
        kind = found.lastgroup or ""
        if begins and kind == "letter" and text[place] in "\"'":
            raise ValueError(f"the quotation mark before {text[place + 1 : place + 40].strip()} has no end")
        word += ESCAPED.sub(r"\1", found[kind]) if kind == "double" else found[kind]
        place = found.end()
    return word, place
