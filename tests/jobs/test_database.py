"""The database is damaged, locked, full or of another version: the pictures go on, and a sentence says what."""

import sqlite3
import subprocess
import sys

import pytest

from modules.errors import EaselError
from modules.folders import PROGRAM
from modules.jobs import JobState, StoreUnavailable
from modules.jobs.database import Database
from modules.jobs.ledger import JobLedger
from modules.jobs.lock import FolderLock
from modules.jobs.migrations import MIGRATIONS, migrate

# By its path, so that the program need not be loaded whole.
HOLDER = """
import runpy, sys
from pathlib import Path
lock = runpy.run_path("modules/jobs/lock.py")["FolderLock"](Path(sys.argv[1]))
lock.take()
print("taken", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def outsider(folders):
    """Another program that holds the database; it lets go at the end."""
    connection = sqlite3.connect(folders.database_file, timeout=30, isolation_level=None)
    yield connection
    connection.close()


def done(queue, gate, order):
    gate.open.set()
    job = queue.submit(order)
    assert queue.wait(job, 60)
    return job


def damage(path, how: str) -> None:
    content = path.read_bytes()
    if how == "no database":
        path.write_bytes(b"something else altogether" * 300)
    elif how == "garbage inside":
        path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    else:
        path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("how", ["no database", "garbage inside", "cut off"])
def test_a_damaged_database_is_kept_aside_and_the_outputs_are_untouched(
    make_queue, gate, order, folders, caplog, how
):
    queue = make_queue()
    job = done(queue, gate, order(save=True))
    queue.close(10)
    damage(folders.database_file, how)
    broken = folders.database_file.read_bytes()
    after = make_queue()
    assert "damaged" in after.notice and "damaged" in caplog.text
    assert after.jobs() == []
    (kept,) = folders.data.glob("easel.sqlite3.broken-*")
    assert kept.read_bytes() == broken and kept.name in after.notice
    assert job.pictures[0].path.exists()
    assert done(after, gate, order()).state is JobState.DONE
    after.close(10)
    assert len(make_queue().history()) == 1


def test_a_sound_database_gives_no_notice(queue):
    assert queue.notice is None


def test_while_another_program_holds_the_database_the_run_goes_on(queue, gate, order, outsider, until):
    job = queue.submit(order({"n_iter": 3}, save=True))
    gate.passes.release(1)
    until(lambda: len(job.pictures) == 1)
    outsider.execute("BEGIN IMMEDIATE")
    gate.open.set()
    assert queue.wait(job, 60)
    assert job.state is JobState.DONE
    assert all(picture.path.exists() for picture in job.result.pictures)
    assert any("another program holds it" in note for note in job.notes)
    with pytest.raises(StoreUnavailable, match="another program holds it") as refused:
        queue.submit(order())
    assert not refused.value.is_full
    assert queue.waiting() == []


def test_what_could_not_be_written_is_written_when_the_database_works_again(
    queue, gate, order, outsider, make_queue, until
):
    job = queue.submit(order({"n_iter": 2}))
    until(lambda: queue.current() is job)
    outsider.execute("BEGIN IMMEDIATE")
    gate.open.set()
    assert queue.wait(job, 60)
    outsider.execute("COMMIT")
    queue.close(10)
    read = make_queue().get(job.id)
    assert read.state is JobState.DONE and len(read.result.pictures) == 2


def test_a_job_that_goes_on_waits_until_the_database_can_be_read(make_queue, gate, order, until, monkeypatch):
    first = make_queue()
    job = first.submit(order({"n_iter": 3}))
    gate.passes.release(1)
    until(lambda: len(job.pictures) == 1)
    first.close(10)
    troubles = [StoreUnavailable("Another program holds it.", is_full=False)]
    read = JobLedger._rows

    def rows(ledger, query):
        if troubles:
            raise troubles.pop()
        return read(ledger, query)

    monkeypatch.setattr(JobLedger, "_rows", rows)
    gate.open.set()
    queue = make_queue()
    again = queue.get(job.id)
    assert queue.wait(again, 60) and again.state is JobState.DONE
    assert gate.seen[-1].pictures == (1, 2)


def test_on_a_full_disk_the_run_goes_on_and_new_jobs_are_refused(queue, gate, order, folders, until):
    running = queue.submit(order({"n_iter": 30}, save=True))
    until(lambda: queue.current() is running)
    database = queue._office._database
    with database.writing() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="disk is full") as refused:
        for _ in range(50):
            queue.submit(order({"prompt": "many words " * 500}))
    assert refused.value.is_full
    gate.open.set()
    assert queue.wait(running, 60) and running.state is JobState.DONE
    assert len(list(folders.outputs.rglob("*-1*.png"))) > 0
    assert any("disk is full" in note for note in running.notes)
    with database.writing() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    until(lambda: not queue._office.store.journal.is_behind, 60)
    assert queue.submit(order()).number > running.number


def test_a_database_of_a_newer_program_is_refused_and_left_alone(make_queue, folders):
    with sqlite3.connect(folders.database_file) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = folders.database_file.read_bytes()
    with pytest.raises(EaselError, match="written by a newer Easel"):
        make_queue().open()
    assert folders.database_file.read_bytes() == before
    FolderLock(folders.lock_file).take()


def test_versions_are_migrated_one_after_another_and_rows_stay(folders):
    connection = sqlite3.connect(folders.database_file, isolation_level=None)
    steps = (
        ["CREATE TABLE jobs (id TEXT)"],
        ["ALTER TABLE jobs ADD COLUMN mood TEXT NOT NULL DEFAULT 'fine'"],
    )
    migrate(connection, steps[:1])
    connection.execute("INSERT INTO jobs VALUES ('a')")
    migrate(connection, steps)
    migrate(connection, steps)
    assert connection.execute("SELECT * FROM jobs").fetchall() == [("a", "fine")]
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    connection.close()


def test_a_migration_that_fails_changes_nothing(folders):
    connection = sqlite3.connect(folders.database_file, isolation_level=None)
    with pytest.raises(sqlite3.Error):
        migrate(connection, (["CREATE TABLE one (id TEXT)", "nonsense"],))
    assert connection.execute("PRAGMA user_version").fetchone() == (0,)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()


def test_the_schema_has_a_version_and_is_written_ahead(folders):
    Database(folders.database_file).close()
    connection = sqlite3.connect(folders.database_file)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_folder_without_rights_is_a_sentence(folders):
    folders.database_file.mkdir()
    with pytest.raises(StoreUnavailable, match="cannot be used now"):
        Database(folders.database_file)


def test_a_second_queue_on_the_same_folder_is_refused(queue, make_queue, order, folders):
    queue.submit(order())
    second = make_queue()
    with pytest.raises(EaselError, match=r"already works on the folder .*data"):
        second.submit(order())
    queue.close(10)
    assert [job.id for job in second.jobs()] == [job.id for job in queue.jobs()]


def test_a_second_program_on_the_same_folder_is_refused_and_told_who_holds_it(folders):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLDER,
            str(folders.lock_file),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROGRAM,
    )
    assert holder.stdout.readline() == "taken\n"
    with pytest.raises(EaselError, match=rf"process {holder.pid}\)"):
        FolderLock(folders.lock_file).take()
    holder.kill()
    holder.communicate()
    lock = FolderLock(folders.lock_file)
    lock.take()
    lock.release()


def test_a_client_has_no_debt_for_jobs_that_could_not_be_written(queue, order, outsider, until):
    first = queue.submit(order(), client="first")
    until(lambda: queue.current() is first)
    outsider.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        queue.submit(order(), client="a")
    outsider.execute("COMMIT")
    jobs = [queue.submit(order(), client=client) for client in ("b", "a", "b")]
    assert queue.waiting() == jobs


WAYS = {
    "all deleted": lambda data: [path.unlink() for path in data.glob("easel.sqlite3*")],
    "the file deleted": lambda data: (data / "easel.sqlite3").unlink(),
    "the log deleted": lambda data: (data / "easel.sqlite3-wal").unlink(),
    "another in its place": lambda data: (data / "other").replace(data / "easel.sqlite3"),
    "renamed": lambda data: (data / "easel.sqlite3").rename(data / "moved.sqlite3"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be taken away there")
@pytest.mark.parametrize("way", WAYS)
def test_a_database_that_is_taken_away_while_the_program_runs_is_written_anew(
    make_queue, gate, order, folders, caplog, way
):
    queue = make_queue()
    before = done(queue, gate, order())
    (folders.data / "other").write_bytes(b"something of somebody else's")
    WAYS[way](folders.data)
    assert queue.get(before.id).state is JobState.DONE
    after = done(queue, gate, order())
    assert "deleted or replaced" in caplog.text
    queue.close(10)
    read = make_queue()
    assert {job.id for job in read.history()} == {before.id, after.id}
    if way == "another in its place":
        kept = [path.read_bytes() for path in folders.data.glob("easel.sqlite3.replaced-*")]
        assert b"something of somebody else's" in kept


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be taken away there")
def test_where_the_database_cannot_be_written_anew_nothing_is_accepted(queue, gate, order, folders, tmp_path):
    done(queue, gate, order())
    away = tmp_path / "away"
    folders.data.rename(away)
    try:
        with pytest.raises(StoreUnavailable, match="deleted or replaced") as refused:
            queue.submit(order())
        assert str(folders.data) in str(refused.value)
        assert queue.waiting() == []
    finally:
        away.rename(folders.data)
    assert done(queue, gate, order()).state is JobState.DONE
