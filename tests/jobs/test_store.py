"""What the database keeps: jobs with all that is told of them, over any number of starts."""

import json

import pytest

from modules.errors import EaselError, InvalidRequest, NotFound
from modules.jobs import JobQueue, JobState, ResumeAtStart

from .conftest import folders_at


@pytest.fixture
def reopened(make_queue):
    """A function that closes a queue and opens another one over the same folder."""

    def reopened(queue, **rules):
        queue.close(10)
        return make_queue(**rules)

    return reopened


def done(queue, gate, order, **submitted):
    gate.open.set()
    job = queue.submit(order, **submitted)
    assert queue.wait(job, 30)
    return job


def test_a_past_job_is_the_same_after_a_restart(queue, reopened, gate, order):
    before = done(queue, gate, order({"n_iter": 2}), job_id="task(a)", client="page 7", source="page txt2img")
    after = reopened(queue).get("task(a)")
    assert after is not before
    for name in (
        "id",
        "order",
        "client",
        "source",
        "number",
        "state",
        "created",
        "started",
        "finished",
        "seconds",
    ):
        assert getattr(after, name) == getattr(before, name), name
    assert after.ended.is_set() and after.progress == 1.0
    assert json.loads(after.result.info_json()) == json.loads(before.result.info_json())
    pairs = zip(before.result.pictures, after.result.pictures, strict=True)
    assert all(one.pixels().tobytes() == other.pixels().tobytes() for one, other in pairs)


@pytest.mark.parametrize(
    ("error", "kind", "field", "sentence"),
    [
        (InvalidRequest("hr_scale", "too much"), InvalidRequest, "hr_scale", "too much"),
        (NotFound("no such file"), NotFound, None, "no such file"),
        (EaselError("no room"), EaselError, None, "no room"),
        (ValueError("odd"), EaselError, None, "not expected (ValueError: odd)"),
    ],
)
def test_the_error_of_a_past_job_says_the_same(queue, reopened, gate, order, error, kind, field, sentence):
    gate.failure = error
    job = done(queue, gate, order())
    read = reopened(queue).get(job.id)
    assert read.state is JobState.FAILED and type(read.error) is kind
    assert sentence in str(read.error) and getattr(read.error, "field", None) == field


def test_waiting_jobs_wait_again_after_a_restart_and_then_run(queue, reopened, gate, order, until):
    jobs = [queue.submit(order({"n_iter": 3})) for _ in range(3)]
    gate.passes.release(1)
    until(lambda: len(jobs[0].pictures) == 1)
    again = reopened(queue)
    assert [job.id for job in again.jobs()] == [job.id for job in jobs]
    assert again.get(jobs[0].id).crashes == 0
    gate.open.set()
    assert all(again.wait(job, 30) for job in again.jobs())
    assert [job.state for job in again.jobs()] == [JobState.DONE] * 3
    assert gate.seen[1].pictures == (1, 2)


def test_a_job_that_a_person_interrupted_does_not_come_back(queue, reopened, gate, order, until):
    running, waiting = queue.submit(order()), queue.submit(order())
    until(lambda: queue.current() is running)
    queue.interrupt(waiting.id)
    queue.interrupt()
    assert queue.wait(running, 30)
    again = reopened(queue)
    assert again.waiting() == [] and again.current() is None
    assert {job.state for job in again.history()} == {JobState.INTERRUPTED}


def test_by_setting_unfinished_jobs_are_held_until_a_person_says_so(queue, reopened, gate, order):
    jobs = [queue.submit(order()) for _ in range(3)]
    again = reopened(queue, resume=ResumeAtStart.ASK)
    gate.open.set()
    assert [job.id for job in again.held()] == [job.id for job in jobs]
    assert again.waiting() == [] and again.current() is None
    fresh = again.submit(order())
    assert again.wait(fresh, 30)
    again.cancel(jobs[1].id)
    again.release_held()
    assert again.held() == []
    assert again.wait(again.get(jobs[2].id), 30)
    assert [job.state.value for job in again.jobs()] == ["done", "interrupted", "done", "done"]


def test_held_jobs_can_be_discarded(queue, reopened, order):
    for _ in range(2):
        queue.submit(order())
    again = reopened(queue, resume=ResumeAtStart.ASK)
    again.discard_held()
    assert again.held() == [] and {job.state for job in again.history()} == {JobState.INTERRUPTED}


def test_an_idempotency_key_is_remembered_over_a_restart(queue, reopened, gate, order):
    job = done(queue, gate, order(), idempotency_key="k")
    again = reopened(queue)
    assert again.submit(order({"seed": 9}), idempotency_key="k").id == job.id
    assert len(again.history()) == 1


def test_finished_jobs_hold_no_pixels_and_old_ones_leave_memory(make_queue, gate, order):
    queue = make_queue(keep=3)
    jobs = [done(queue, gate, order({"n_iter": 2})) for _ in range(8)]
    assert all(picture.image is None for job in jobs for picture in job.pictures)
    assert queue.jobs() == jobs[-3:]
    oldest = queue.get(jobs[0].id)
    assert oldest is not jobs[0] and oldest.state is JobState.DONE
    assert [picture.pixels().size for picture in oldest.result.pictures] == [(64, 64)] * 2


def test_the_history_is_paged_newest_first(make_queue, gate, order):
    queue = make_queue(keep=2)
    jobs = [done(queue, gate, order()) for _ in range(5)]
    first = queue.history(limit=2)
    assert [job.id for job in first] == [jobs[4].id, jobs[3].id]
    assert [job.id for job in queue.history(10, before=first[-1].id)] == [job.id for job in jobs[2::-1]]


def test_pictures_that_a_person_has_removed_are_not_shown(queue, reopened, gate, order):
    job = done(queue, gate, order({"n_iter": 2}))
    job.pictures[0].file.unlink()
    assert [picture.index for picture in reopened(queue).get(job.id).pictures] == [1]


def test_the_data_folder_can_be_moved(queue, gate, order, folders):
    job = done(queue, gate, order(save=True))
    queue.close(10)
    place = folders.data.rename(folders.data.with_name("elsewhere"))
    moved = JobQueue(folders_at(place), lambda: [gate])
    try:
        (picture,) = moved.get(job.id).pictures
        assert picture.path.is_relative_to(place) and picture.pixels().size == (64, 64)
    finally:
        moved.close()


def test_only_so_many_past_jobs_are_kept_with_their_files(make_queue, gate, order, folders, reopened):
    queue = make_queue()
    jobs = [done(queue, gate, order()) for _ in range(4)]
    spools = [job.pictures[0].file.parent for job in jobs]
    again = reopened(queue, keep_jobs=2)
    assert [job.id for job in again.history()] == [jobs[3].id, jobs[2].id]
    assert [spool.exists() for spool in spools] == [False, False, True, True]


def test_pictures_that_were_not_saved_have_a_bound(make_queue, gate, order, reopened):
    queue = make_queue()
    saved, *jobs = [done(queue, gate, order(save=save)) for save in (True, False, False, False)]
    size = jobs[0].pictures[0].file.stat().st_size
    again = reopened(queue, keep_spool_bytes=round(2.5 * size))
    assert [job.id for job in again.history()] == [jobs[2].id, jobs[1].id, saved.id]
    assert [job.pictures[0].file.exists() for job in jobs] == [False, True, True]
    last = reopened(again, keep_spool_bytes=0)
    assert [job.id for job in last.history()] == [jobs[2].id, saved.id]


def test_old_jobs_are_forgotten_after_some_days(make_queue, gate, order, reopened, monkeypatch):
    queue = make_queue()
    old = done(queue, gate, order())
    later = old.finished + 40 * 86400
    monkeypatch.setattr("time.time", lambda: later)
    new = done(queue, gate, order())
    queue = reopened(queue, keep_days=0)
    assert [job.id for job in queue.history()] == [new.id, old.id]
    assert [job.id for job in reopened(queue, keep_days=30).history()] == [new.id]


def test_a_person_can_forget_past_jobs_and_saved_pictures_stay(queue, gate, order, folders):
    job = done(queue, gate, order(save=True))
    unsaved = done(queue, gate, order())
    other = done(queue, gate, order())
    queue.forget(unsaved.id)
    assert not unsaved.pictures[0].file.exists()
    queue.forget_past()
    assert queue.history() == [] and queue.jobs() == []
    with pytest.raises(NotFound):
        queue.get(other.id)
    assert job.pictures[0].path.exists()


def test_the_clock_may_be_set_back(queue, reopened, gate, order, until, monkeypatch):
    first = done(queue, gate, order())
    gate.open.clear()
    running = queue.submit(order())
    until(lambda: running.started is not None)
    monkeypatch.setattr("time.time", lambda: 1000.0)
    last = queue.submit(order())
    assert queue.waiting() == [last]
    gate.open.set()
    assert queue.wait(last, 30)
    assert running.finished >= running.started and last.finished >= last.started
    assert 0 <= running.elapsed < 30
    assert [job.id for job in reopened(queue).history()] == [last.id, running.id, first.id]


def test_a_pause_outlives_the_program(queue, reopened, gate, order):
    gate.open.set()
    queue.pause()
    waiting = queue.submit(order())
    again = reopened(queue)
    assert again.paused
    assert again.get(waiting.id).state is JobState.WAITING
    again.resume()
    assert again.wait(again.get(waiting.id), 30)
    assert not reopened(again).paused
