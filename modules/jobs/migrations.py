"""The schema of the database, version by version. A version that was released is never edited."""

import sqlite3
from collections.abc import Sequence

from modules.errors import EaselError

__all__ = ["MIGRATIONS", "migrate", "refuse_newer"]

VERSION_1 = (
    """
    CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        client TEXT NOT NULL,
        source TEXT NOT NULL,
        priority INTEGER NOT NULL,
        turn REAL NOT NULL,
        cost REAL NOT NULL,
        order_text TEXT NOT NULL,
        key TEXT UNIQUE,
        fingerprint TEXT,
        state TEXT NOT NULL,
        held INTEGER NOT NULL DEFAULT 0,
        stop_asked INTEGER NOT NULL DEFAULT 0,
        crashes INTEGER NOT NULL DEFAULT 0,
        created REAL NOT NULL,
        started REAL,
        finished REAL,
        seconds REAL NOT NULL DEFAULT 0,
        notes TEXT NOT NULL DEFAULT '[]',
        error TEXT,
        answer TEXT,
        ended INTEGER
    )
    """,
    "CREATE INDEX jobs_by_state ON jobs (state)",
    "CREATE UNIQUE INDEX jobs_by_end ON jobs (ended)",
    """
    CREATE TABLE pictures (
        job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
        role TEXT NOT NULL,
        picture INTEGER NOT NULL,
        state TEXT NOT NULL,
        path TEXT,
        digest TEXT,
        spooled INTEGER NOT NULL DEFAULT 0,
        infotext TEXT NOT NULL DEFAULT '',
        seed TEXT NOT NULL DEFAULT '',
        subseed TEXT NOT NULL DEFAULT '',
        facts TEXT NOT NULL,
        PRIMARY KEY (job, role, picture)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE skips (
        job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
        picture INTEGER NOT NULL,
        facts TEXT NOT NULL,
        PRIMARY KEY (job, picture)
    ) WITHOUT ROWID
    """,
)

VERSION_2 = ("CREATE TABLE switches (name TEXT PRIMARY KEY, is_on INTEGER NOT NULL) WITHOUT ROWID",)

VERSION_3 = ("CREATE TABLE ended_sessions (digest TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID",)

MIGRATIONS: tuple[Sequence[str], ...] = (VERSION_1, VERSION_2, VERSION_3)
"""Statements that lead from each schema version to the next; the first start from an empty file."""


def refuse_newer(connection: sqlite3.Connection, newest: int = len(MIGRATIONS)) -> int:
    """The version of the database. Raises EaselError for one that a newer program has written."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > newest:
        raise EaselError(
            f"The database of the queue has version {version}, written by a newer Easel; this one knows "
            f"versions up to {newest}. Update the program, or move easel.sqlite3 out of the way."
        )
    return version


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring the database to the newest version, one transaction a version.

    Raises EaselError as above, sqlite3.Error for a database that cannot be written.
    """
    version = refuse_newer(connection, len(migrations))
    for number, statements in enumerate(migrations[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
