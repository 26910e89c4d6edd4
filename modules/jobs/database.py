"""The file of the queue's database: opened, checked, brought up to date; one writer, readers beside it."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from modules.jobs.errors import StoreUnavailable
from modules.jobs.migrations import migrate, refuse_newer

__all__ = ["Database"]

log = logging.getLogger(__name__)

BUSY_SECONDS = 2.0
"""How long a statement waits for another program that holds the file."""
BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
FULL = (sqlite3.SQLITE_FULL,)
PARTS = ("", "-wal", "-shm")
"""The files of a database: what is written lies in the second until it is carried over into the first."""


class Database:
    """SQLite in write-ahead mode: a killed process loses nothing that was committed."""

    def __init__(self, path: Path) -> None:
        """Open `path`, or make it. A broken file is kept aside under another name.

        Raises StoreUnavailable when it cannot be used, EaselError when a newer program has written it.
        """
        self._path = path
        self._lock = threading.RLock()
        self._files: dict[str, tuple[int, int]] = {}
        self.notice: str | None = None
        """What a person should know about the opening."""
        try:
            try:
                self._writer = self._open()
            except sqlite3.DatabaseError as error:
                if not _is_broken(error):
                    raise
                self._put_aside(error)
                self._writer = self._open()
        except sqlite3.Error as error:
            raise self.explained(error) from error
        self._remember_files()

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction, one at a time. `durable`: it survives the loss of power too, not only of the
        process.

        Raises sqlite3.Error, and then nothing of it was written.
        """
        with self._lock:
            self._bring_back()
            if durable:
                self._writer.execute("PRAGMA synchronous = FULL")
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
                self._remember_files()
            finally:
                # Left by an error only; what SQLite has rolled back itself is no transaction any more.
                if self._writer.in_transaction:
                    with suppress(sqlite3.Error):
                        self._writer.execute("ROLLBACK")
                if durable:
                    self._writer.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, so that a slow reader holds up nobody.

        Raises StoreUnavailable when the file cannot be read.
        """
        try:
            with self._lock:
                self._bring_back()
            with closing(self._connect()) as connection:
                connection.execute("PRAGMA query_only = ON")
                yield connection
        except sqlite3.Error as error:
            raise self.explained(error) from error

    def explained(self, error: sqlite3.Error) -> StoreUnavailable:
        """`error` as a sentence."""
        code = _code(error)
        if code in FULL:
            reason, what = "the disk is full", "Make room on the disk, then send the job again."
        elif code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            reason = "another program holds it"
            what = "Close what has the file open, or send the job again later."
        else:
            reason, what = str(error), f"Look after the folder {self._path.parent}, then send the job again."
        sentence = f"The database of the queue ({self._path.name}) cannot be used now: {reason}. {what}"
        return StoreUnavailable(sentence, is_full=code in FULL)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._writer.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        return connection

    def _remember_files(self) -> None:
        """Note which files these are, to know later whether they are still the same."""
        self._files = {suffix: found for suffix in PARTS if (found := _identity(self._part(suffix)))}

    def _part(self, suffix: str) -> Path:
        return self._path.with_name(self._path.name + suffix)

    def _bring_back(self) -> None:
        """Where somebody deleted or replaced the files while the program runs, write them anew: what was open
        still holds everything, and goes on there. A file that was put in its place is kept aside.

        Raises sqlite3.Error when that cannot be done, and then nothing that is accepted would be kept.
        """
        lost = [suffix for suffix, known in self._files.items() if _identity(self._part(suffix)) != known]
        if not lost:
            return
        if not self._path.parent.is_dir():
            raise sqlite3.OperationalError("it was deleted or replaced, and its folder is not there any more")
        new = self._part(".new")
        try:
            new.unlink(missing_ok=True)
            with closing(sqlite3.connect(new, isolation_level=None)) as copy:
                self._writer.backup(copy)
            for suffix in PARTS:
                if (part := self._part(suffix)).exists():
                    part.replace(self._part(f".replaced-{_stamp()}{suffix}"))
            new.replace(self._path)
        except OSError as error:
            raise sqlite3.OperationalError(f"it was deleted or replaced, and {error.strerror}") from error
        old, self._writer = self._writer, self._open()
        # It would write the old log once more, into a file that nobody finds.
        old.close()
        self._remember_files()
        log.warning(
            "The database of the queue (%s) was deleted or replaced while the program runs. It is written "
            "anew from what was open; what was put in its place is kept beside it.",
            self._path.name,
        )

    def _open(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            refuse_newer(connection)
            # Where a file system has no shared memory, SQLite answers with another mode and works on.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise _Damaged(verdict)
            migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _put_aside(self, error: sqlite3.Error) -> None:
        kept = self._part(f".broken-{_stamp()}")
        for suffix in PARTS:
            if (part := self._part(suffix)).exists():
                part.replace(kept.with_name(kept.name + suffix))
        self.notice = (
            f"The database of the queue was damaged ({error}). It is kept as {kept.name} and a new one was "
            "made: the jobs in it are forgotten, the saved pictures are untouched."
        )
        log.warning("%s", self.notice)


def _stamp() -> str:
    return datetime.now().strftime("%Y%m%d-%H%M%S-%f")


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file lies at `path`, whatever is written into it; None for none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


class _Damaged(sqlite3.DatabaseError):
    """The check of the file found something."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def _code(error: sqlite3.Error) -> int | None:
    """The primary result code: the lowest byte of what SQLite says."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _is_broken(error: sqlite3.Error) -> bool:
    return _code(error) in BROKEN
