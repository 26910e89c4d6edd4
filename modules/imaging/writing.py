"""Files that appear whole or not at all, under names that were free."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from modules.imaging.numbering import last_number, own_numbers
from modules.imaging.owners import is_left_behind, own_mark

__all__ = ["publish", "remove_unfinished", "reserved_number", "temporary_file"]


@contextlib.contextmanager
def temporary_file(folder: Path, data: bytes) -> Iterator[Path]:
    """A complete file, safe on the disk, under a name that nobody looks for; gone at the end if still there.

    Raises `OSError`; nothing is left behind then.
    """
    path = folder / f".{own_mark()}.{secrets.token_hex(8)}.tmp"
    try:
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield path
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def publish(temporary: Path, path: Path) -> bool:
    """Give a finished file its name if that is free, in one step that no other program can come between.

    Returns False where the name is taken; raises other `OSError`s.
    """
    try:
        os.link(temporary, path)
        return True
    except FileExistsError:
        return False
    except OSError:
        return _publish_without_links(temporary, path)


@contextlib.contextmanager
def reserved_number(folder: Path, prefix: str = "") -> Iterator[int]:
    """A number past all pictures in the folder, which no other program takes while the context lasts.

    A hidden file marks it. What a program that was killed has left in the folder is removed first, so that
    it costs no number.
    """
    names = _names(folder)
    _remove_left_behind(folder, names)
    for number in itertools.count(last_number(names, prefix) + 1):
        marker = folder / f".{prefix}{number}.taken"
        if not _take(marker):
            continue
        try:
            # Another program may have saved under this number since the folder was read.
            if number not in own_numbers(_names(folder), prefix):
                yield number
                return
        finally:
            with contextlib.suppress(OSError):
                marker.unlink(missing_ok=True)


def _take(marker: Path) -> bool:
    """Make the marker, with who took it inside; False where it is taken."""
    draft = marker.with_name(f".{own_mark()}.{secrets.token_hex(8)}.tmp")
    try:
        draft.write_text(own_mark())
        return publish(draft, marker)
    finally:
        draft.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove from the folder the unfinished files and markers whose program has ended. Raises `OSError`."""
    _remove_left_behind(folder, _names(folder))


def _names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if not entry.is_dir()]


def _remove_left_behind(folder: Path, names: list[str]) -> None:
    for path in (folder / name for name in names if name.startswith(".")):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if path.suffix == ".tmp":
                owner = path.name[1:].split(".", 1)[0]
            elif path.suffix == ".taken":
                owner = path.read_text()
            else:
                continue
            if is_left_behind(owner):
                path.unlink(missing_ok=True)


def _publish_without_links(temporary: Path, path: Path) -> bool:
    """For file systems without hard links (FAT, some shares): take the name, then put the file there."""
    try:
        path.open("xb").close()
    except FileExistsError:
        return False
    try:
        temporary.replace(path)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return True
