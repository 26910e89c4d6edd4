"""The queue: what was accepted is worked on, in order; it can be stopped; failures stay with their job."""

import threading
import time

import pytest

from modules.errors import EaselError, NotFound
from modules.generation import parse_txt2img
from modules.jobs import JobQueue, JobState


@pytest.fixture(scope="module")
def run(house):
    request = parse_txt2img({"prompt": "a cat", "steps": 2, "width": 64, "height": 64})
    return house.engine.plan(request, house.store.options, house.styles)


@pytest.fixture
def gate():
    """Work that waits at a gate, notes what it was given, and can be told to fail."""

    class Gate:
        def __init__(self) -> None:
            self.open, self.seen, self.failure = threading.Event(), [], None

        def __call__(self, run, watcher):
            self.seen.append(run)
            while not self.open.wait(0.01):
                if watcher.should_stop():
                    break
            if self.failure:
                raise self.failure

    return Gate()


@pytest.fixture
def queue(gate):
    queue = JobQueue(gate, keep=3, longest=4)
    yield queue
    gate.open.set()
    queue.close(5)


def until(condition, seconds=5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def test_jobs_run_one_after_another_in_the_order_they_came(queue, gate, run):
    jobs = [queue.submit(run) for _ in range(3)]
    until(lambda: queue.current() is jobs[0])
    assert queue.waiting() == jobs[1:]
    gate.open.set()
    assert all(queue.wait(job, 5) for job in jobs)
    assert [job.state for job in jobs] == [JobState.DONE] * 3


def test_the_same_id_again_is_the_same_job(queue, run):
    assert queue.submit(run, "task(a)") is queue.submit(run, "task(a)")


def test_a_waiting_job_that_is_interrupted_never_starts(queue, gate, run):
    first, second = queue.submit(run), queue.submit(run)
    queue.interrupt(second.id)
    gate.open.set()
    queue.wait(first, 5)
    assert second.state is JobState.INTERRUPTED
    assert len(gate.seen) == 1


def test_the_running_job_is_stopped_and_the_next_goes_on(queue, gate, run):
    first, second = queue.submit(run), queue.submit(run)
    until(lambda: queue.current() is first)
    queue.interrupt()
    queue.wait(first, 5)
    assert first.state is JobState.INTERRUPTED
    until(lambda: queue.current() is second)


def test_a_failure_is_its_jobs_own(queue, gate, run):
    gate.failure = EaselError("no room")
    gate.open.set()
    failed = queue.submit(run)
    queue.wait(failed, 5)
    assert (failed.state, str(failed.error)) == (JobState.FAILED, "no room")
    gate.failure = None
    after = queue.submit(run)
    queue.wait(after, 5)
    assert after.state is JobState.DONE


def test_a_full_queue_refuses_with_a_sentence(queue, run):
    for _ in range(4):
        queue.submit(run)
    with pytest.raises(EaselError, match="waiting already"):
        queue.submit(run)


def test_old_jobs_are_forgotten_and_asking_for_one_says_so(queue, gate, run):
    gate.open.set()
    jobs = []
    for _ in range(6):
        jobs.append(queue.submit(run))
        queue.wait(jobs[-1], 5)
    assert queue.get(jobs[-1].id) is jobs[-1]
    with pytest.raises(NotFound, match="no job named"):
        queue.get(jobs[0].id)


def test_closing_stops_the_running_job_and_takes_no_more(gate, run):
    queue = JobQueue(gate)
    job = queue.submit(run)
    until(lambda: queue.current() is job)
    queue.close(5)
    assert job.state is JobState.INTERRUPTED
    with pytest.raises(EaselError, match="being closed"):
        queue.submit(run)


def test_closing_answers_those_who_wait_for_jobs_that_never_began(gate, run):
    queue = JobQueue(gate)
    running, waiting = queue.submit(run), queue.submit(run)
    until(lambda: queue.current() is running)
    queue.close(5)
    assert queue.wait(waiting, 1)
    assert (waiting.state, waiting.result) == (JobState.INTERRUPTED, None)
    assert len(gate.seen) == 1


def test_closing_does_not_wait_for_ever_for_a_step_that_does_not_end(run):
    end = threading.Event()
    queue = JobQueue(lambda run, watcher: end.wait(20))
    job = queue.submit(run)
    until(lambda: queue.current() is job)
    began = time.monotonic()
    queue.close(0.1)
    assert time.monotonic() - began < 5
    assert job.ended.is_set()
    end.set()


def test_what_can_be_explained_is_logged_without_a_traceback(queue, gate, run, caplog):
    gate.open.set()
    for gate.failure in (EaselError("no room"), ValueError("a fault of the program")):
        queue.wait(queue.submit(run), 5)
    explained, fault = caplog.records
    assert "no room" in explained.message and not explained.exc_info
    assert fault.exc_info[0] is ValueError
