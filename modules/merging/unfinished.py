"""A large file while it is written: beside its later place under a name of its own, until it is whole."""

from __future__ import annotations

import hashlib
import logging
import os
import queue
import re
import secrets
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from modules.errors import EaselError

__all__ = ["UnfinishedFile", "clear_unfinished"]

log = logging.getLogger(__name__)

ENDING = ".unfinished"
UNFINISHED = re.compile(rf"\..+\.[0-9a-f]{{8}}{re.escape(ENDING)}")
WAITING_PIECES = 4
"""Pieces in memory that are computed and not written yet."""


class UnfinishedFile:
    """Takes the bytes of the file `target` in their order, and hashes them, on a thread of its own while the
    next ones are computed. A context manager: what is not `finish`ed inside it is removed.

    Until then the file is called `.NAME.xxxxxxxx.unfinished` and locked. So whatever ends the program,
    nothing half-written ever has the name of a model, and `clear_unfinished` knows what was left behind.
    Raises EaselError where it cannot be written.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f".{target.name}.{secrets.token_hex(4)}{ENDING}")
        self._digest = hashlib.sha256()
        self._pieces: queue.Queue[memoryview | bytes | None] = queue.Queue(WAITING_PIECES)
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._drain, name="easel-merge-writer", daemon=True)

    def __enter__(self) -> Self:
        try:
            self._file: BinaryIO = self._path.open("xb")
        except OSError as error:
            raise self._refused(error) from error
        _lock(self._file)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_thread()
        self._file.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def write(self, data: memoryview | bytes, /) -> int:
        """Hand bytes over; they must not be changed afterwards."""
        if self._failure:
            raise self._refused(self._failure)
        self._pieces.put(data)
        return len(data)

    def finish(self, *, replace: bool) -> str:
        """Bring everything to the disk and give the file its name, in one moment; its sha256.

        Not `replace`: raises EaselError when there is a file of that name by now, and leaves it alone.
        """
        self._end_thread()
        if self._failure:
            raise self._refused(self._failure)
        try:
            os.fsync(self._file.fileno())
            self._file.close()
            self._name(replace)
            _sync_folder(self._target.parent)
        except FileExistsError as error:
            raise EaselError(
                f"{self._target.name} was made by another program meanwhile, and was left as it is. Merge "
                "again under another name."
            ) from error
        except OSError as error:
            raise self._refused(error) from error
        return self._digest.hexdigest()

    def _name(self, replace: bool) -> None:
        if replace:
            self._path.replace(self._target)
            return
        try:
            os.link(self._path, self._target)
        except FileExistsError:
            raise
        except OSError:
            # Some file systems (FAT, network drives) have no second names.
            if self._target.exists():
                raise FileExistsError(self._target) from None
            self._path.replace(self._target)

    def _drain(self) -> None:
        while (data := self._pieces.get()) is not None:
            if self._failure:
                continue
            try:
                self._file.write(data)
            except OSError as error:
                self._failure = error
            self._digest.update(data)

    def _end_thread(self) -> None:
        if self._thread.is_alive():
            self._pieces.put(None)
            self._thread.join()
        if not self._file.closed and not self._failure:
            try:
                self._file.flush()
            except OSError as error:
                self._failure = error

    def _refused(self, error: OSError) -> EaselError:
        return EaselError(
            f"{self._target.name} could not be written in {self._target.parent}: {error.strerror or error}. "
            "Nothing was left there; make room or give yourself the rights to it, and merge again."
        )


def clear_unfinished(folder: Path) -> list[Path]:
    """Remove what merges left behind that were killed while they wrote into `folder`; what was removed.

    Files that are still being written are locked and stay.
    """
    removed = []
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            if UNFINISHED.fullmatch(path.name) and _is_abandoned(path):
                with suppress(OSError):
                    path.unlink()
                    removed.append(path)
    if removed:
        log.info(
            "Removed what an earlier merge left unfinished: %s", ", ".join(each.name for each in removed)
        )
    return removed


def _sync_folder(folder: Path) -> None:
    """The name is on the disk too. Windows has no such call."""
    if sys.platform != "win32":
        with suppress(OSError):
            opened = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)


if sys.platform == "win32":

    def _lock(file: BinaryIO) -> None:
        """An open file cannot be removed there."""

    def _is_abandoned(path: Path) -> bool:
        return True
else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _is_abandoned(path: Path) -> bool:
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
