"""Comments in prompts (setting `enable_prompt_comments`)."""

from __future__ import annotations

import re

from modules.prompts.networks import KNOWN_KINDS

__all__ = ["close_comment", "strip_comments"]

COMMENT_LINE = re.compile(r"(?:\A|\n)#[^\n]*(?:\n|\Z)")
# What is passed over comes first: an escaped sign, and a tag of a network, in whose name a "#" may stand.
COMMENT_AT_END_OF_LINE = re.compile(
    rf"(?P<text> \\. | <(?:{'|'.join(KNOWN_KINDS)}): (?:\\.|[^<>\n\\])* > ) | \#[^\n]*(?:\n|\Z)",
    re.VERBOSE | re.IGNORECASE,
)


def strip_comments(text: str) -> str:
    """The prompt without what follows a `#` on its line; a comment and its line's end leave one newline.

    A `#` inside the tag of a network is part of a name, and one behind a backslash is text.
    """
    return COMMENT_AT_END_OF_LINE.sub(lambda match: match["text"] or "\n", COMMENT_LINE.sub("\n", text))


def close_comment(text: str) -> str:
    """The text, with an end of line behind it if it ends in a comment: what is added is no part of that."""
    last_line = text.rpartition("\n")[2]
    return f"{text}\n" if strip_comments(last_line) != last_line else text
