"""Names that every file system takes."""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["cut_name", "longest_name", "safe_folder", "safe_part"]

LONGEST_PART = 128
# Most file systems stop at 255 bytes; some bytes are kept free for what is added (".txt", a temporary name).
LONGEST_NAME = 240
LONGEST_WINDOWS_PATH = 250
SHORTEST_CUT = 24

FORBIDDEN = re.compile(r"[#<>:\"/\\|?*\x00-\x1f\x7f\ud800-\udfff]")
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?=\.|$)")


def safe_part(text: str, replace_spaces: bool = True) -> str:
    """A text as a part of a file name: signs that some system forbids become "_", at most 128 characters.

    Spaces become "_" too unless they are to stay; those at the start and spaces and points at the end go.
    """
    text = text.replace(" ", "_") if replace_spaces else text
    return FORBIDDEN.sub("_", text).lstrip(" ")[:LONGEST_PART].rstrip(" .")


def safe_folder(text: str) -> Path:
    """A pattern's result as a relative path: "/" and "\\" part folders, and it never leads upwards."""
    parts = (_safe_folder_name(part) for part in re.split(r"[/\\]", text))
    return Path(*(part for part in parts if part))


def cut_name(stem: str, suffix: str, limit: int) -> str:
    """The file name `stem + suffix` at most `limit` bytes long; the stem is cut, never within a character.

    A name that Windows keeps for a device gets a "_" in front.
    """
    stem = FORBIDDEN.sub("_", stem).strip(" ")
    if RESERVED.match(stem):
        stem = f"_{stem}"
    room = max(limit - len(suffix.encode()), 1)
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") + suffix


def longest_name(folder: Path) -> int:
    """Bytes that a file name may have in this folder."""
    if os.name != "nt":
        return LONGEST_NAME
    return max(SHORTEST_CUT, min(LONGEST_NAME, LONGEST_WINDOWS_PATH - len(str(folder.resolve()))))


def _safe_folder_name(part: str) -> str:
    return cut_name(part.strip(), "", LONGEST_NAME).strip(" .")
