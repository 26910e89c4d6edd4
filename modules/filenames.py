"""Names that every file system takes, and what of that a person may leave out."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EVERYWHERE", "NameRules", "cut_name", "path_in", "safe_folder", "safe_part"]

# Most file systems stop at 255 bytes; some bytes are kept free for what is added (".txt", a temporary name).
LONGEST_NAME = 240
LONGEST_WINDOWS_PATH = 250
SHORTEST_CUT = 24

CONTROLS_AND_SURROGATES = r"\x00-\x1f\x7f\ud800-\udfff"
FORBIDDEN = re.compile(rf"[#<>:\"/\\|?*{CONTROLS_AND_SURROGATES}]")
FORBIDDEN_ON_UNIX = re.compile(rf"[/{CONTROLS_AND_SURROGATES}]")
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?=\.|$)")


@dataclass(frozen=True, slots=True)
class NameRules:
    """What a text becomes in a file name.

    longest_part: characters of a prompt, or of another single text. only_unix: what Windows alone forbids
    stays as it is.
    """

    longest_part: int = 128
    only_unix: bool = False

    @property
    def forbidden(self) -> re.Pattern[str]:
        """Characters that become "_"."""
        return FORBIDDEN_ON_UNIX if self.only_unix else FORBIDDEN


EVERYWHERE = NameRules()


def safe_part(text: str, replace_spaces: bool = True, rules: NameRules = EVERYWHERE) -> str:
    """A text as a part of a file name: what the rules forbid becomes "_", and it is cut to their length.

    Spaces become "_" too unless they are to stay; those at the start and spaces and points at the end go.
    """
    text = text.replace(" ", "_") if replace_spaces else text
    return rules.forbidden.sub("_", text).lstrip(" ")[: rules.longest_part].rstrip(" .")


def safe_folder(text: str, rules: NameRules = EVERYWHERE) -> Path:
    """A pattern's result as a relative path: "/" parts folders, and "\\" unless the rules are for Unix alone;
    it never leads upwards.
    """
    names = re.split("/" if rules.only_unix else r"[/\\]", text)
    parts = (cut_name(name.strip(), "", LONGEST_NAME, rules).strip(" .") for name in names)
    return Path(*(part for part in parts if part))


def cut_name(stem: str, suffix: str, limit: int, rules: NameRules = EVERYWHERE) -> str:
    """The file name `stem + suffix` at most `limit` bytes long; the stem is cut, never within a character.

    A name that Windows keeps for a device gets a "_" in front, unless the rules are for Unix alone.
    """
    stem = rules.forbidden.sub("_", stem).strip(" ")
    if RESERVED.match(stem) and not rules.only_unix:
        stem = f"_{stem}"
    room = max(limit - len(suffix.encode()), 1)
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") + suffix


def path_in(folder: Path, stem: str, suffix: str, rules: NameRules = EVERYWHERE) -> Path:
    """The file `stem + suffix` of a folder, the stem cut to what its file system takes."""
    return folder / cut_name(stem, suffix, _longest_name(folder), rules)


def _longest_name(folder: Path) -> int:
    """Bytes that a file name may have in this folder."""
    if os.name != "nt":
        return LONGEST_NAME
    return max(SHORTEST_CUT, min(LONGEST_NAME, LONGEST_WINDOWS_PATH - len(str(folder.resolve()))))
