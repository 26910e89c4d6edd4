"""The jobs in the database: accepted, changed, found again."""

import json
import logging
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from modules.errors import EaselError, InvalidRequest
from modules.generation import Role
from modules.jobs.database import Database
from modules.jobs.job import Job, JobState
from modules.jobs.journal import Journal, Statement
from modules.jobs.records import error_text, job_of, made_of, values_of

__all__ = ["IdempotencyKey", "JobStore"]

log = logging.getLogger(__name__)

UNREADABLE = EaselError(
    "The job was written by another version of the program, which this one cannot read. Send it again."
)
FINAL = tuple(state.value for state in JobState if state.is_final)
PAUSED = "paused"
OF_THE_END = (
    "state", "held", "stop_asked", "crashes", "started", "finished", "seconds", "notes", "error", "answer",
)  # fmt: skip
ENDED = "UPDATE jobs SET ended = (SELECT COALESCE(MAX(ended), 0) + 1 FROM jobs) WHERE number = ?"
PICTURES = """
    SELECT * FROM pictures WHERE job = ? AND state = 'kept' AND role != ? ORDER BY role = ?, picture
"""


class IdempotencyKey(NamedTuple):
    """What a client names a request by, and a fingerprint of the request."""

    client: str
    key: str
    fingerprint: str

    @property
    def stored(self) -> str:
        """Two clients may choose the same key."""
        return json.dumps([self.client, self.key], ensure_ascii=False)


def _update(job: Job, *columns: str) -> Statement:
    values = values_of(job, columns)
    assignments = ", ".join(f"{name} = ?" for name in columns)
    return f"UPDATE jobs SET {assignments} WHERE number = ?", [*values.values(), job.number]


class JobStore:
    """Rows for jobs, and jobs for rows. Paths inside `data` are kept relative, so the folder can be moved."""

    def __init__(self, database: Database, journal: Journal, data: Path) -> None:
        self._database, self.journal, self._data = database, journal, data

    def accept(self, job: Job, key: IdempotencyKey | None = None) -> None:
        """Write a new job and give it its number. Raises StoreUnavailable; then nothing was accepted."""
        values = values_of(job) | {"key": key.stored if key else None}
        values["fingerprint"] = key.fingerprint if key else None
        places = ", ".join("?" for _ in values)
        insert = f"INSERT INTO jobs ({', '.join(values)}) VALUES ({places})"
        job.number = self.journal.write((insert, list(values.values())))

    def change(self, jobs: Iterable[Job], *columns: str) -> None:
        """Write `columns` of `jobs`, all or none. Raises StoreUnavailable."""
        if statements := [_update(job, *columns) for job in jobs]:
            self.journal.write(*statements)

    def note(self, job: Job, *columns: str) -> None:
        """Write `columns` of a job, later if it cannot be now; the job is told."""
        self._soon(job, _update(job, *columns))

    def end(self, job: Job) -> None:
        """Write a job that has ended, as the newest of the past ones."""
        self._soon(job, _update(job, *OF_THE_END), (ENDED, [job.number]))

    def put_back(self, job: Job) -> None:
        """Write that a job waits, for the next start, whatever it is for those who look now."""
        waiting = "UPDATE jobs SET state = ? WHERE number = ?"
        values = [JobState.WAITING.value, job.number]
        self._soon(job, _update(job, "seconds", "notes"), (waiting, values))

    def forget(self, numbers: Iterable[int]) -> None:
        """Remove rows of jobs and pictures; files stay. Raises StoreUnavailable."""
        if statements := [("DELETE FROM jobs WHERE number = ?", [number]) for number in numbers]:
            self.journal.write(*statements)

    def find(self, job_id: str) -> Job | None:
        """The job with this id, with its pictures."""
        return next(iter(self._select("WHERE id = ?", [job_id])), None)

    def find_key(self, key: IdempotencyKey) -> str | None:
        """The id of the job that was sent under `key`.

        Raises InvalidRequest when the key was used for another request.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT id, fingerprint FROM jobs WHERE key = ?", [key.stored]
            ).fetchone()
        if row is None:
            return None
        if row["fingerprint"] != key.fingerprint:
            raise InvalidRequest(
                "idempotency_key",
                f"The key {key.key!r} was used for another request before; every request needs a new one.",
            )
        return str(row["id"])

    def unfinished(self) -> list[Job]:
        """The jobs that wait or run, in the order in which they were accepted, with their pictures."""
        marks = ", ".join("?" for _ in FINAL)
        return self._select(f"WHERE state NOT IN ({marks}) ORDER BY number", FINAL)

    def past(self, limit: int, before: str | None = None) -> list[Job]:
        """Up to `limit` jobs that have ended, newest first; `before` is the id of the job to go on after."""
        bound = "AND ended < (SELECT ended FROM jobs WHERE id = ?)" if before is not None else ""
        values = [before, limit] if before is not None else [limit]
        return self._select(f"WHERE ended IS NOT NULL {bound} ORDER BY ended DESC LIMIT ?", values)

    def orders_with_inputs(self) -> list[tuple[bool, str]]:
        """The orders that name pictures, as JSON, and whether their job has ended.

        Those of the unfinished jobs come first, then those of the past ones, the newest in front.
        """
        query = (
            "SELECT ended IS NOT NULL AS has_ended, order_text FROM jobs "
            "WHERE order_text LIKE '%\"sha256:%' ORDER BY has_ended, ended DESC"
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).fetchall()
        return [(bool(row["has_ended"]), row["order_text"]) for row in rows]

    def outlived(self, keep_jobs: int, finished_before: float) -> list[int]:
        """Numbers of the past jobs beyond the newest `keep_jobs`, and of those that finished earlier."""
        query = (
            "SELECT number FROM jobs WHERE ended IS NOT NULL AND (finished < ? OR ended <= "
            "(SELECT ended FROM jobs WHERE ended IS NOT NULL ORDER BY ended DESC LIMIT 1 OFFSET ?))"
        )
        with self._database.reading() as connection:
            rows = connection.execute(query, [finished_before, keep_jobs]).fetchall()
        return [row["number"] for row in rows]

    def is_paused(self) -> bool:
        """Whether a person has paused the queue and not resumed it."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT is_on FROM switches WHERE name = ?", [PAUSED]).fetchone()
        return row is not None and bool(row["is_on"])

    def set_paused(self, paused: bool) -> None:
        """Keep that for the next start, later if it cannot be written now."""
        self.journal.write_soon(("INSERT OR REPLACE INTO switches VALUES (?, ?)", [PAUSED, int(paused)]))

    def ended_sessions(self, now: float) -> dict[str, float]:
        """Digests of sessions that were ended, with the moment when each runs out; those are forgotten that
        have. Raises StoreUnavailable.
        """
        self.journal.write_soon(("DELETE FROM ended_sessions WHERE until <= ?", [now]))
        with self._database.reading() as connection:
            rows = connection.execute("SELECT digest, until FROM ended_sessions WHERE until > ?", [now])
            return {row["digest"]: row["until"] for row in rows}

    def end_session(self, digest: str, until: float) -> None:
        """Keep that a session was ended, later if it cannot be written now."""
        self.journal.write_soon(("INSERT OR REPLACE INTO ended_sessions VALUES (?, ?)", [digest, until]))

    def ended_numbers(self) -> list[int]:
        """Numbers of the past jobs, the newest first."""
        query = "SELECT number FROM jobs WHERE ended IS NOT NULL ORDER BY ended DESC"
        with self._database.reading() as connection:
            return [row["number"] for row in connection.execute(query)]

    def _soon(self, job: Job, *statements: Statement) -> None:
        if trouble := self.journal.write_soon(*statements):
            job.add_note(trouble)

    def _select(self, condition: str, values: Sequence[object]) -> list[Job]:
        with self._database.reading() as connection:
            rows = connection.execute(f"SELECT * FROM jobs {condition}", values).fetchall()
            found = [(row, self._read(row)) for row in rows]
            for _, job in found:
                if job is not None:
                    self._add_pictures(connection, job)
        for row, job in found:
            if job is None and row["state"] not in FINAL:
                self._give_up(row["number"])
        return [job for _, job in found if job is not None]

    @staticmethod
    def _read(row: sqlite3.Row) -> Job | None:
        try:
            return job_of(row)
        except ValidationError as error:
            log.warning("Job %s cannot be read: %s", row["id"], error)
            return None

    def _give_up(self, number: int) -> None:
        failed = "UPDATE jobs SET state = ?, error = ? WHERE number = ?"
        values = [JobState.FAILED.value, error_text(UNREADABLE), number]
        self.journal.write_soon((failed, values), (ENDED, [number]))

    def _add_pictures(self, connection: sqlite3.Connection, job: Job) -> None:
        """The pictures that are still where they were saved: a person may have moved some."""
        rows = connection.execute(PICTURES, [job.number, Role.BEFORE_HIRES.value, Role.GRID.value])
        made = [made_of(row, self._data) for row in rows]
        job.pictures = tuple(picture for picture in made if picture.file and picture.file.exists())
