"""Comments in prompts (setting `enable_prompt_comments`)."""

from __future__ import annotations

import re

__all__ = ["strip_comments"]

COMMENT_LINE = re.compile(r"(?:\A|\n)#[^\n]*(?:\n|\Z)")
COMMENT_AT_END_OF_LINE = re.compile(r"#[^\n]*(?:\n|\Z)")


def strip_comments(text: str) -> str:
    """The prompt without what follows a `#` on its line; a comment and its line's end leave one newline."""
    return COMMENT_AT_END_OF_LINE.sub("\n", COMMENT_LINE.sub("\n", text))
