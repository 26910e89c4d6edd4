"""Writing to the database now, or as soon as it works again."""

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

from modules.jobs.database import Database

__all__ = ["Journal", "Statement"]

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0

Statement = tuple[str, Sequence[Any]]
"""SQL and its values."""


class Journal:
    """Transactions in their order. What cannot be written while a job runs is kept and tried again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._backlog: deque[Sequence[Statement]] = deque()
        self._closing = threading.Event()
        self._retrying: threading.Thread | None = None

    @property
    def is_behind(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._backlog)

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will be written."""
        return self._closing.is_set()

    def write(self, *statements: Statement) -> int:
        """Write at once, to stay whatever happens; the number of the last row that was inserted.

        Raises StoreUnavailable, and then nothing was written.
        """
        try:
            with self._database.writing(durable=True) as connection:
                cursors = [connection.execute(sql, values) for sql, values in statements]
            return cursors[-1].lastrowid or 0
        except sqlite3.Error as error:
            raise self._database.explained(error) from error

    def write_soon(self, *statements: Statement) -> str | None:
        """Write now if the database lets us, else later: the sentence that says why. Never raises."""
        with self._lock:
            if self._backlog or self._closing.is_set():
                self._backlog.append(statements)
                return "The database of the queue still cannot be written; it is tried again."
            try:
                self._run(statements)
            except sqlite3.Error as error:
                self._backlog.append(statements)
                self._retrying = threading.Thread(target=self._retry, name="easel-journal", daemon=True)
                self._retrying.start()
                return str(self._database.explained(error))
        return None

    def close(self) -> None:
        """Try what is left once more, then stop trying."""
        self._closing.set()
        if self._retrying is not None:
            self._retrying.join()
        if not self._flush():
            log.warning(
                "The database of the queue could not be written to the end: after the next start the newest "
                "pictures of a job may be made once more."
            )

    def _retry(self) -> None:
        while not self._closing.wait(RETRY_SECONDS):
            if self._flush():
                return

    def _flush(self) -> bool:
        """Write the backlog as far as it goes; whether nothing is left."""
        while True:
            with self._lock:
                if not self._backlog:
                    return True
                first = self._backlog[0]
            try:
                self._run(first)
            except sqlite3.Error as error:
                log.debug("The queue's backlog has to wait: %s", error)
                return False
            with self._lock:
                self._backlog.popleft()

    def _run(self, statements: Sequence[Statement]) -> None:
        try:
            with self._database.writing() as connection:
                for sql, values in statements:
                    connection.execute(sql, values)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError) as error:
            # No retry mends these: the row was forgotten meanwhile, or the file was closed.
            log.debug("Not written: %s", error)
