"""Listing folders that people fill: the one walk over models, pictures and whatever else lies in them.

A name that is no text (bytes that are not UTF-8, a line break or another control character) can be written
neither into a prompt nor into JSON, and a link to nothing cannot be opened. Such entries are passed over with
a sentence in the log, so that one odd file never costs a person all the others.
"""

from __future__ import annotations

import logging
import os
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

__all__ = [
    "FileTree",
    "FolderEntries",
    "FoundFile",
    "folder_entries",
    "folder_time",
    "folders_below",
    "named_apart",
    "shown_name",
]

log = logging.getLogger(__name__)

NO_TEXT = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of control characters, halves of characters and breaks of lines."""
UNSURE_SECONDS = 2.0
"""How long after a change of a folder a second one may have the same time: file systems count in steps, FAT
in the longest.
"""
MOST_REMEMBERED = 4096
"""Sentences that were written into the log once."""


@dataclass(frozen=True, slots=True)
class FolderEntries:
    """The names of the files and folders in one folder, sorted, and sentences about what was passed over."""

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file, and the folder given to `FileTree` that it was found below."""

    path: Path
    root: Path

    @property
    def folder(self) -> str:
        """Its folder below the root, with "/" between parts; empty at the top."""
        below = self.path.parent.relative_to(self.root).as_posix()
        return "" if below == "." else below


def shown_name(name: str) -> str:
    """`name` as it can be shown and logged: what is no text in it as escapes (`caf\\xe9`)."""
    if name.isprintable():
        return name
    try:
        text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        # Windows has names with halves of characters.
        text = name
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in NO_TEXT else char
        for char in text
    )


def folder_entries(folder: Path | str) -> FolderEntries:
    """What is in `folder`. One that is missing or cannot be read is empty."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return FolderEntries()
    except OSError as error:
        return FolderEntries(passed_over=(_passed_over(f"The folder {folder}", _reason(error)),))
    files: list[str] = []
    folders: list[str] = []
    passed_over: list[str] = []
    for entry in entries:
        kind, reason = _kind(entry)
        if reason:
            passed_over.append(_passed_over(f"{entry.name} in {folder}", reason))
        elif kind:
            (folders if kind == "folder" else files).append(entry.name)
    return FolderEntries(tuple(files), tuple(folders), tuple(passed_over))


def folders_below(root: Path | str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """`root` and its sub-folders, hidden ones too, each with the names of its files; symbolic links are
    followed once.
    """
    return ((folder, entries.files) for folder, _, entries in _walked(root))


def named_apart(files: Iterable[FoundFile], name_of: Callable[[FoundFile], str]) -> dict[str, FoundFile]:
    """`files` by names of which each means one. Where a file before it has its name, that is preceded by its
    folder, and followed by its ending where even these are alike. A file that is found twice, by way of a
    link, counts once.
    """
    named: dict[str, FoundFile] = {}
    for file in files:
        name = name_of(file)
        if name in named and _is_same(file.path, named[name].path):
            continue
        free = next((each for each in _names_for(file, name) if each not in named), None)
        if free is not None:
            named[free] = file
    return named


def _names_for(file: FoundFile, name: str) -> Iterator[str]:
    below = f"{file.folder}/" if file.folder else ""
    yield name
    for start in (below, f"{file.root.name}/{below}", f"{file.path.parent.as_posix()}/"):
        yield f"{start}{name}"
        yield f"{start}{file.path.name}"


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


class FileTree:
    """The files with certain endings below some folders, as they were at the last `look`."""

    def __init__(self, roots: Sequence[Path], endings: tuple[str, ...]) -> None:
        self._roots, self._endings = tuple(roots), endings
        self._found = _Look()

    @property
    def files(self) -> tuple[FoundFile, ...]:
        """By root, folder and name."""
        return self._found.files

    @property
    def passed_over(self) -> tuple[str, ...]:
        """Sentences about files of these endings, and folders, that were passed over."""
        return self._found.passed_over

    def look(self) -> None:
        """Look into all the folders again."""
        files: list[FoundFile] = []
        passed_over: list[str] = []
        begun, times = time.time(), {}
        for root in self._roots:
            for folder, times[folder], entries in _walked(root):
                passed_over += entries.passed_over
                files += [
                    FoundFile(Path(folder, name), root)
                    for name in entries.files
                    if name.lower().endswith(self._endings)
                ]
        self._found = _Look(tuple(files), tuple(dict.fromkeys(passed_over)), times, begun)

    def is_current(self) -> bool:
        """Whether no file can have been made, renamed or taken away since the last look, as far as the times
        of the folders tell: a question to the system for each of them.
        """
        found = self._found
        newest = int((found.begun - UNSURE_SECONDS) * 1e9)
        return bool(found.times) and all(
            time_ns < newest and folder_time(folder) == time_ns for folder, time_ns in found.times.items()
        )


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look has found. begun: seconds since 1970."""

    files: tuple[FoundFile, ...] = ()
    passed_over: tuple[str, ...] = ()
    times: dict[str, int] = field(default_factory=dict)
    begun: float = 0.0


def _walked(root: Path | str) -> Iterator[tuple[str, int, FolderEntries]]:
    """`root` and each folder below it, with its time before the look into it, and what is in it."""
    seen: set[str] = set()
    waiting = [str(root)]
    while waiting:
        folder = waiting.pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        # The time comes first: what changes during the look is seen the next time.
        changed, entries = folder_time(folder), folder_entries(folder)
        yield folder, changed, entries
        waiting += [os.path.join(folder, name) for name in reversed(entries.folders)]  # noqa: PTH118


def folder_time(folder: str) -> int:
    """When a file in it was last made, renamed or taken away, nanoseconds; -1 for a folder that is gone."""
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116
    except OSError:
        return -1


def _kind(entry: os.DirEntry[str]) -> tuple[str, str]:
    """ "file" or "folder", and why it is passed over. Sockets and devices are neither."""
    if not entry.name.isprintable() and any(unicodedata.category(char) in NO_TEXT for char in entry.name):
        is_text = not any("\ud800" <= char <= "\udfff" for char in entry.name)
        what = "a control character or a line break" if is_text else "bytes that are not UTF-8"
        return "", f"its name holds {what}. Rename it"
    try:
        if entry.is_dir():
            return "folder", ""
        if entry.is_file():
            return "file", ""
        return "", "it is a link to a file that is not there" if entry.is_symlink() else ""
    except OSError as error:
        return "", _reason(error)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _passed_over(what: str, reason: str) -> str:
    """The sentence about it, which the log gets once."""
    sentence = f"{shown_name(what)} was passed over: {reason}."
    _log_once(sentence)
    return sentence


@lru_cache(maxsize=MOST_REMEMBERED)
def _log_once(sentence: str) -> None:
    log.warning("%s", sentence)
