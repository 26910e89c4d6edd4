"""The book of one job's pictures, in the database."""

import hashlib
import logging
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from modules.generation import KeptPicture, ModelFacts, PictureKey
from modules.jobs.database import Database
from modules.jobs.errors import StoreUnavailable
from modules.jobs.job import Job
from modules.jobs.journal import Journal, Statement
from modules.jobs.records import facts_of, facts_text, kept_of

__all__ = ["JobLedger", "PictureBook"]

log = logging.getLogger(__name__)

WRITE = """
    INSERT INTO pictures (job, role, picture, state, path, digest, spooled, infotext, seed, subseed, facts)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (job, role, picture) DO UPDATE SET
        state = excluded.state, path = excluded.path, digest = COALESCE(excluded.digest, digest),
        spooled = excluded.spooled, infotext = excluded.infotext, seed = excluded.seed,
        subseed = excluded.subseed, facts = excluded.facts
"""


class PictureBook:
    """Makes the ledgers of jobs. `data` is the data folder, `spools` has a folder for each job in need."""

    def __init__(self, database: Database, journal: Journal, data: Path, spools: Path) -> None:
        self.database, self.journal, self.data, self._spools = database, journal, data, spools

    def ledger(self, job: Job) -> "JobLedger":
        """The ledger of a job that begins or goes on; the job gets a note when it cannot be written."""
        return JobLedger(self, job)

    def spool(self, number: int) -> Path:
        """The folder of the job with this number."""
        return self._spools / str(number)

    def spooled(self, numbers: Sequence[int]) -> list[tuple[int, int]]:
        """Those of the jobs `numbers` that have such a folder, each with the bytes in it, in their order."""
        there = {entry.name for entry in os.scandir(self._spools)} if self._spools.is_dir() else set()
        return [(number, _bytes_in(self.spool(number))) for number in numbers if str(number) in there]

    def settle(self) -> None:
        """Decide about the pictures that were about to be saved when the program ended.

        One whose whole file is there was saved; of any other nothing is known, so it will be made again.
        """
        with self.database.reading() as connection:
            rows = connection.execute("SELECT * FROM pictures WHERE state = 'about'").fetchall()
        for row in rows:
            key = [row["job"], row["role"], row["picture"]]
            was_saved = _digest(self.data / row["path"]) == row["digest"]
            change = "UPDATE pictures SET state = 'kept'" if was_saved else "DELETE FROM pictures"
            self.journal.write_soon((f"{change} WHERE job = ? AND role = ? AND picture = ?", key))


def _bytes_in(folder: Path) -> int:
    """The size of the files in `folder`, as far as they stay there meanwhile."""
    size = 0
    with suppress(OSError):
        for path in folder.iterdir():
            size += path.stat().st_size
    return size


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


class JobLedger:
    """A `generation.Ledger`. What cannot be written now is written later, and the job goes on."""

    def __init__(self, book: PictureBook, job: Job) -> None:
        self._book, self._job = book, job
        self._is_new = job.started is None

    @property
    def started(self) -> datetime:
        """When the job began, before any crash."""
        return datetime.fromtimestamp(self._job.started or self._job.created, UTC).astimezone()

    @property
    def spool(self) -> Path:
        """The folder for pictures that do not go into the outputs."""
        return self._book.spool(self._job.number)

    def kept(self) -> Mapping[PictureKey, KeptPicture]:
        """The pictures that are on the disk; one that a person has removed is not among them.

        Raises StoreUnavailable when the database cannot be read, and so does `skipped`.
        """
        found = {}
        for row in self._rows("SELECT * FROM pictures WHERE job = ? AND state = 'kept'"):
            try:
                key, kept = kept_of(row, self._book.data)
            except ValidationError:
                log.warning("A picture of job %s was noted by another version: made again.", self._job.id)
                continue
            if kept.path.exists():
                found[key] = kept
        return found

    def skipped(self) -> Mapping[int, ModelFacts]:
        """The pictures that a person skipped before a crash, with the model that was to draw them."""
        rows = self._rows("SELECT picture, facts FROM skips WHERE job = ?")
        return {row["picture"]: facts_of(row["facts"]) for row in rows}

    def _rows(self, query: str) -> list[sqlite3.Row]:
        """Rows about this job. A job that never began has none, even while the database cannot be read."""
        if self._is_new:
            return []
        with self._book.database.reading() as connection:
            return connection.execute(query, [self._job.number]).fetchall()

    def about_to_keep(self, key: PictureKey, path: Path, digest: str, kept: KeptPicture) -> None:
        """The file with this sha256 is about to appear at `path`.

        Raises StoreUnavailable once the queue is closed: what nobody can note must not be saved.
        """
        if self._book.journal.is_closed:
            raise StoreUnavailable("The program is being closed and saves no more pictures.", is_full=False)
        self._write(self._row("about", key, path, digest, kept))

    def has_kept(self, key: PictureKey, kept: KeptPicture) -> None:
        """The file is there."""
        self._write(self._row("kept", key, kept.path, None, kept))

    def has_skipped(self, picture: int, facts: ModelFacts) -> None:
        """A person did not want this picture: it is not to be drawn after a crash."""
        values = [self._job.number, picture, facts_text(facts)]
        self._write(("INSERT OR REPLACE INTO skips (job, picture, facts) VALUES (?, ?, ?)", values))

    def _row(
        self, state: str, key: PictureKey, path: Path, digest: str | None, kept: KeptPicture
    ) -> Statement:
        role, picture = key
        inside = path.relative_to(self._book.data) if path.is_relative_to(self._book.data) else path
        seeds = [str(kept.seed), str(kept.subseed)]
        values = [self._job.number, role.value, picture, state, str(inside), digest, int(kept.spooled)]
        return WRITE, [*values, kept.infotext, *seeds, facts_text(kept.facts)]

    def _write(self, statement: Statement) -> None:
        if trouble := self._book.journal.write_soon(statement):
            self._job.add_note(trouble)
