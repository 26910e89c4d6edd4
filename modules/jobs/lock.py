"""One queue at a time works on a data folder."""

import logging
import os
import sys
from pathlib import Path
from typing import BinaryIO

from modules.errors import EaselError

__all__ = ["FolderLock"]

log = logging.getLogger(__name__)

FAR_BYTE = 1 << 30
"""What is locked on Windows: a byte beyond the text, so that others can read who holds it."""


class FolderLock:
    """Holds `path` for this process until it is released or the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def take(self) -> None:
        """Take the lock. Raises EaselError when another program has it."""
        try:
            file = self._path.open("a+b")
        except OSError as error:
            raise EaselError(
                f"The file {self._path} cannot be written: {error.strerror or error}. Give yourself the "
                "rights to the folder, or name another one as --data-dir."
            ) from error
        try:
            _lock(file)
        except BlockingIOError as error:
            holder = _read(file)
            file.close()
            raise EaselError(
                f"Another Easel{holder} already works on the folder {self._path.parent}. Close it first, "
                "or start this one with another --data-dir."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let go of it. The file stays: removing it would let two others each lock a file of this name."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _read(file: BinaryIO) -> str:
    file.seek(0)
    text = file.read(32).decode("ascii", "replace").strip()
    return f" (process {text})" if text.isdecimal() else ""


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        file.seek(FAR_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError from error
        finally:
            file.seek(0)
else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError as error:
            log.warning(
                "The file system of %s cannot lock files (%s), so a second program would not be noticed.",
                file.name,
                error.strerror,
            )
