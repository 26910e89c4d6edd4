"""Files that appear whole or not at all, under names that were free."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

__all__ = ["publish", "reserved_number", "temporary_file"]


@contextlib.contextmanager
def temporary_file(folder: Path, data: bytes) -> Iterator[Path]:
    """A complete file, safe on the disk, under a name that nobody looks for; gone at the end if still there.

    Raises `OSError`; nothing is left behind then.
    """
    path = folder / f".{secrets.token_hex(8)}.tmp"
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

    An empty hidden file marks it. One that a crash leaves behind costs that number and nothing else.
    """
    for number in itertools.count(max(_numbers(folder, prefix), default=-1) + 1):
        marker = folder / f".{prefix}{number}.taken"
        try:
            marker.open("xb").close()
        except FileExistsError:
            continue
        try:
            # Another program may have saved under this number since the folder was read.
            if number not in _numbers(folder, prefix):
                yield number
                return
        finally:
            with contextlib.suppress(OSError):
                marker.unlink(missing_ok=True)


def _numbers(folder: Path, prefix: str) -> set[int]:
    """The numbers that names in the folder begin with, after `prefix-` where there is one."""
    start = f"{prefix}-" if prefix else ""
    with os.scandir(folder) as entries:
        names = [entry.name.removeprefix(start) for entry in entries if entry.name.startswith(start)]
    numbers = (name.split(".", 1)[0].split("-", 1)[0] for name in names)
    return {int(number) for number in numbers if number.isdecimal()}


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
