"""What lies beside networks: one look at a folder for all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from modules.listing import folder_time, folders_below

__all__ = ["PREVIEW_ENDINGS", "FileState", "FolderLook", "folder_time", "folder_times", "look_into"]

PREVIEW_ENDINGS = tuple(
    f"{middle}.{kind}"
    for kind in ("png", "jpg", "jpeg", "webp", "avif", "gif")
    for middle in ("", ".preview")
)
"""In the order in which they count: `NAME.png` before `NAME.preview.png`, and so on."""
DESCRIPTION_ENDINGS = (".txt", ".description.txt")


@dataclass(frozen=True, slots=True)
class FileState:
    """A file's size in bytes, its times (nanoseconds of its last change, seconds of its making), and its
    number in its file system, which another file in its place does not have.
    """

    size: int
    mtime_ns: int
    created: float
    inode: int = 0


class FolderLook:
    """The files of one folder as they were a moment ago."""

    def __init__(self, folder: Path, entries: Mapping[str, os.DirEntry[str]]) -> None:
        self._folder, self._entries = folder, entries

    def state(self, name: str) -> FileState | None:
        """Of the file, or folder, called `name`; None if it is gone."""
        try:
            found = self._entries[name].stat()
        except (KeyError, OSError):
            return None
        # Where the system knows no time of making, the field takes that of the last change of its entry.
        created = getattr(found, "st_birthtime", found.st_ctime)
        return FileState(found.st_size, found.st_mtime_ns, created, found.st_ino)

    def sidecar(self, stem: str) -> Path | None:
        """`STEM.json`, if it is there."""
        return self._first(stem, (".json",))

    def description(self, stem: str) -> Path | None:
        """`STEM.txt`, else `STEM.description.txt`."""
        return self._first(stem, DESCRIPTION_ENDINGS)

    def preview(self, stem: str, own: str) -> Path | None:
        """The picture that shows what `stem` does. `own` is the network's file, which may be a picture itself
        and then comes last.
        """
        others = tuple(ending for ending in PREVIEW_ENDINGS if stem + ending != own)
        return self._first(stem, others) or self._first(stem, PREVIEW_ENDINGS)

    def _first(self, stem: str, endings: tuple[str, ...]) -> Path | None:
        return next((self._folder / (stem + each) for each in endings if stem + each in self._entries), None)


def folder_times(roots: Iterable[Path]) -> dict[str, int]:
    """`roots` and all folders below them, with the times (nanoseconds) of their last change: that is when a
    file in them was made, renamed, taken away, or replaced in one moment. -1 for one that is gone.
    """
    folders = [folder for root in roots for folder, _ in folders_below(root)]
    return {folder: folder_time(folder) for folder in (*map(str, roots), *folders)}


def look_into(folder: Path) -> FolderLook:
    """A look at `folder`; one that cannot be read is empty."""
    try:
        with os.scandir(folder) as found:
            return FolderLook(folder, {entry.name: entry for entry in found})
    except OSError:
        return FolderLook(folder, {})
