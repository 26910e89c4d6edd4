"""What can befall a server and its data folder, at real servers: it says so, goes on, and loses nothing."""

import base64
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
from pathlib import Path

import pytest

from .asking import PROGRAM, free_port, until
from .crashes import left_behind, output_files, submit
from .lives import Life, Nursery
from .small_jobs import make_data_folder, small_jobs

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="lives are forked")]

DAY = 86_400.0
PICTURE = next(iter(small_jobs(1).values()))
LONG = {**PICTURE, "n_iter": 40, "steps": 2, "override_settings": {"grid_save": False, "return_grid": False}}


@pytest.fixture(scope="module")
def nursery(tmp_path_factory):
    with Nursery(tmp_path_factory.mktemp("trials") / "servers.log") as nursery:
        yield nursery


@pytest.fixture
def start(nursery, tmp_path, all_parity_models):
    """A function that starts a server over one data folder, the same for all of a test."""
    data, lives = make_data_folder(tmp_path / "data"), []

    def start(**how) -> Life:
        lives.append(nursery.start(data, all_parity_models, **how))
        lives[-1].until_it_answers()
        return lives[-1]

    yield start
    for life in lives:
        life.kill()


@pytest.fixture
def data(tmp_path) -> Path:
    return tmp_path / "data"


@pytest.fixture(scope="module")
def whole(nursery, tmp_path_factory, all_parity_models) -> dict[str, bytes]:
    """The files of the long job when nothing happens to it."""
    data = make_data_folder(tmp_path_factory.mktemp("whole") / "data")
    life = nursery.start(data, all_parity_models)
    life.until_it_answers()
    ended(life, submit(life, "long 0", LONG))
    life.kill()
    files = output_files(data)
    assert len(files) == LONG["n_iter"]
    return files


def state_of(life: Life, job: str) -> dict:
    return life.ask(f"/easel/v1/jobs/{job.replace(' ', '%20')}")


def ended(life: Life, job: str) -> dict:
    return until(lambda: (told := state_of(life, job))["state"] not in ("waiting", "running") and told)


def some_pictures(data: Path, number: int = 5) -> None:
    until(lambda: len(output_files(data)) >= number)


def test_after_ctrl_c_the_job_goes_on_from_the_first_picture_that_is_not_saved(start, data, whole):
    first = start()
    job = submit(first, "long 0", LONG)
    some_pictures(data)
    first.press_ctrl_c()
    before = {name: (data / "outputs" / name).stat().st_mtime_ns for name in output_files(data)}
    assert 5 <= len(before) < len(whole)

    assert ended(start(), job)["state"] == "done"
    assert output_files(data) == whole
    assert left_behind(data) == []
    after = {name: (data / "outputs" / name).stat().st_mtime_ns for name in before}
    assert after == before, "a picture was made twice"


@pytest.mark.parametrize("clock", [-DAY, DAY, -20_000 * DAY], ids=["back", "ahead", "to the seventies"])
def test_a_clock_that_is_set_between_two_lives_changes_nothing(start, data, whole, clock):
    first = start()
    done = submit(first, "short 0", {**PICTURE, "save_images": False})
    assert ended(first, done)["state"] == "done"
    job = submit(first, "long 0", LONG)
    next_job = submit(first, "next 0", {**PICTURE, "save_images": False})
    some_pictures(data)
    first.kill()

    second = start(clock=clock)
    assert ended(second, next_job)["state"] == "done"
    assert state_of(second, job)["state"] == "done"
    assert output_files(data) == whole
    assert state_of(second, done)["state"] == "done"
    assert {told["id"] for told in second.ask("/easel/v1/jobs")["jobs"]} == {done, job, next_job}


def test_a_second_server_on_the_folder_says_so_and_exits(start, data, all_parity_models):
    first = start()
    job = submit(first, "long 0", LONG)
    words = ["--nowebui", "--api", "--port", str(free_port()), "--data-dir", str(data)]
    second = subprocess.run(
        [sys.executable, "webui.py", *words, "--ckpt-dir", str(all_parity_models)],
        cwd=PROGRAM,
        env={**os.environ, "COMMANDLINE_ARGS": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert second.returncode == 1
    assert str(data) in second.stderr
    assert str(first.pid) in second.stderr
    assert "Traceback" not in second.stderr
    assert ended(first, job)["state"] == "done"


def locked(data: Path) -> sqlite3.Connection:
    """Another program that has the queue's database for itself."""
    other = sqlite3.connect(data / "easel.sqlite3", isolation_level=None, timeout=30)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_while_another_program_holds_the_database_work_goes_on_and_nothing_is_forgotten(start, data, whole):
    life = start()
    job = submit(life, "long 0", LONG)
    some_pictures(data, 2)
    other = locked(data)
    try:
        with pytest.raises(urllib.error.HTTPError) as refused:
            submit(life, "refused 0", PICTURE)
        assert refused.value.code == 503
        assert "another program holds it" in refused.value.read().decode()
        began = len(output_files(data))
        some_pictures(data, began + 10)
        asked = time.monotonic()
        assert state_of(life, job)["state"] == "running"
        assert time.monotonic() - asked < 5
    finally:
        other.execute("ROLLBACK")
        other.close()
    accepted = submit(life, "refused 0", {**PICTURE, "save_images": False})
    assert ended(life, accepted)["state"] == "done"
    assert state_of(life, job)["state"] == "done"
    life.kill()

    again = start()
    assert state_of(again, job)["state"] == "done"
    assert len(again.ask(f"/easel/v1/jobs/{job.replace(' ', '%20')}/pictures")["pictures"]) == len(whole)
    assert output_files(data) == whole


def test_killed_while_the_database_is_held_every_picture_is_there_in_the_end(start, data, whole):
    """What could not be written of the newest pictures may be made once more; none may be missing."""
    first = start()
    job = submit(first, "long 0", LONG)
    some_pictures(data, 3)
    other = locked(data)
    some_pictures(data, len(output_files(data)) + 3)
    first.kill()
    other.execute("ROLLBACK")
    other.close()

    assert ended(start(), job)["state"] == "done"
    pictures = set(output_files(data).values())
    assert pictures == set(whole.values())


@pytest.fixture
def full_disk():
    """A function that lets a server's disk take no more, or (False) again as much as before."""
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("the limit of another process cannot be set here")

    def set_full(life: Life, is_full: bool) -> None:
        hard = resource.prlimit(life.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(life.pid, resource.RLIMIT_FSIZE, (2000 if is_full else hard, hard))

    return set_full


def test_a_disk_that_takes_no_more_costs_files_and_not_pictures(start, data, whole, full_disk):
    life = start()
    job = submit(life, "long 0", LONG)
    some_pictures(data, 5)
    full_disk(life, True)
    until(lambda: state_of(life, job)["notes"])
    with pytest.raises(urllib.error.HTTPError) as refused:
        submit(life, "refused 0", PICTURE)
    assert refused.value.code in (503, 507)
    saved = len(output_files(data))
    assert saved < len(whole)
    done = state_of(life, job)["progress"]
    until(lambda: (told := state_of(life, job))["progress"] > done + 0.1 or told["state"] == "done")
    assert len(output_files(data)) == saved
    assert left_behind(data) == []

    full_disk(life, False)
    assert ended(life, job)["state"] == "done"
    pictures = life.ask(f"/easel/v1/jobs/{job.replace(' ', '%20')}/pictures?as=base64")["pictures"]
    assert [base64.b64decode(picture["data"]) for picture in pictures] == list(whole.values())
    assert set(output_files(data).values()) <= set(whole.values())
    again = submit(life, "next 0", {**PICTURE, "seed": 5})
    assert ended(life, again)["state"] == "done"
    assert len(output_files(data)) > saved


def rubbish(path: Path, begin: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(random.Random(1).randbytes(length))


def damage_header(database: Path) -> None:
    rubbish(database, 0, 100)


def damage_middle(database: Path) -> None:
    # The pages of the tables, but not the first one, which says that it is a database.
    rubbish(database, 4096, database.stat().st_size - 4096)


def cut_off(database: Path) -> None:
    os.truncate(database, 4096 + 100)


def replace_by_text(database: Path) -> None:
    database.write_text("dear diary\n" * 1000)


@pytest.mark.parametrize("damage", [damage_header, damage_middle, cut_off, replace_by_text])
def test_a_damaged_database_is_kept_aside_and_the_outputs_are_untouched(start, data, damage):
    first = start()
    for number in range(3):
        ended(first, submit(first, f"job {2 * number}", {**PICTURE, "seed": number}))
    # An orderly end brings all into the one file, where the damage is.
    first.press_ctrl_c()
    before = output_files(data)
    damage(data / "easel.sqlite3")
    damaged = (data / "easel.sqlite3").read_bytes()

    second = start()
    kept = list(data.glob("easel.sqlite3.broken-*"))
    assert [path.read_bytes() for path in kept] == [damaged]
    assert output_files(data) == before
    assert second.ask("/easel/v1/jobs")["jobs"] == []
    job = submit(second, "job 0", {**PICTURE, "seed": 9})
    assert ended(second, job)["state"] == "done"
    assert set(before.items()) < set(output_files(data).items())
    assert f"is kept as {kept[0].name}" in second.nursery.log.read_text()


def test_rubbish_in_the_write_ahead_log_stops_no_start(start, data):
    first = start()
    ended(first, submit(first, "job 0", PICTURE))
    first.kill()
    before = output_files(data)
    log = data / "easel.sqlite3-wal"
    rubbish(log, 0, log.stat().st_size)
    second = start()
    job = submit(second, "job 2", {**PICTURE, "seed": 9})
    assert ended(second, job)["state"] == "done"
    assert set(before.items()) < set(output_files(data).items())


def test_a_server_that_is_frozen_for_a_while_goes_on(start, data, whole):
    """A laptop that sleeps, a debugger, a memory that swaps."""
    life = start()
    job = submit(life, "long 0", LONG)
    some_pictures(data, 2)
    os.kill(life.pid, signal.SIGSTOP)
    time.sleep(1)
    os.kill(life.pid, signal.SIGCONT)
    assert ended(life, job)["state"] == "done"
    assert output_files(data) == whole
