"""Watchers hear of everything that is new, and the slowest of them holds up nobody."""

import asyncio
import threading
import time

import pytest

from modules.jobs.events import LONGEST_MAILBOX, EventKind, JobEvents


def read(subscription) -> list:
    """All that is in the mailbox now."""
    events = []
    while event := subscription.next(0):
        events.append(event)
    return events


def test_the_life_of_a_job_is_told(queue, gate, order):
    with queue.subscribe() as watcher:
        gate.open.set()
        job = queue.submit(order({"n_iter": 2}))
        assert queue.wait(job, 30)
        kinds = {event.kind for event in read(watcher) if event.job_id == job.id}
    assert kinds == {EventKind.STATE, EventKind.PROGRESS, EventKind.PICTURE}


def test_who_watches_one_job_hears_of_no_other(queue, gate, order):
    gate.open.set()
    with queue.subscribe("task(a)") as watcher:
        for name in ("task(b)", "task(a)"):
            assert queue.wait(queue.submit(order(), name), 30)
        assert {event.job_id for event in read(watcher)} == {"task(a)"}


@pytest.mark.parametrize(
    "change",
    [
        lambda queue, job: queue.pause(),
        lambda queue, job: queue.resume(),
        lambda queue, job: queue.move(job.id),
        lambda queue, job: queue.set_priority(job.id, 3),
        lambda queue, job: queue.edit(job.id, job.order),
    ],
)
def test_changes_of_the_queue_are_told(queue, order, until, change):
    running, waiting = queue.submit(order()), queue.submit(order())
    until(lambda: queue.current() is running)
    with queue.subscribe() as watcher:
        change(queue, waiting)
        assert [event.kind for event in read(watcher)] == [EventKind.QUEUE]


def test_a_slow_reader_gets_the_newest_state_and_holds_up_nobody(queue, gate, order):
    gate.open.set()
    with queue.subscribe() as sleeper, queue.subscribe() as reader:
        job = queue.submit(order({"n_iter": 40}))
        assert queue.wait(job, 60)
        events = read(sleeper)
        assert len(events) == len({(event.kind, event.job_id) for event in events}) == 3
        assert max(event.number for event in events) > 80
        assert len(read(reader)) == 3


def test_numbers_grow():
    events = JobEvents()
    with events.subscribe() as watcher:
        for number in range(5):
            events.post(EventKind.STATE, f"job {number}")
        numbers = [event.number for event in read(watcher)]
    assert numbers == sorted(set(numbers)) and len(numbers) == 5


def test_a_mailbox_that_nobody_empties_stays_small_and_says_look_again():
    events = JobEvents()
    with events.subscribe() as watcher:
        for number in range(5 * LONGEST_MAILBOX):
            events.post(EventKind.STATE, f"job {number}")
        got = read(watcher)
    assert len(got) <= LONGEST_MAILBOX and got[0].kind is EventKind.QUEUE


def test_waiting_for_an_event_ends_when_one_comes_or_the_time_is_over():
    events = JobEvents()
    with events.subscribe() as watcher:
        began = time.monotonic()
        assert watcher.next(0.05) is None
        assert time.monotonic() - began >= 0.05
        threading.Timer(0.05, events.post, (EventKind.STATE, "a")).start()
        assert watcher.next(30).job_id == "a"


def test_closing_the_queue_ends_all_who_wait(make_queue, order):
    queue = make_queue()
    got = []
    with queue.subscribe() as watcher:
        thread = threading.Thread(target=lambda: got.append(watcher.next(30)))
        thread.start()
        queue.close()
        thread.join(10)
        assert got == [None] and watcher.is_closed
    with queue.subscribe() as late:
        assert late.next(30) is None


def test_who_has_left_is_sent_nothing():
    events = JobEvents()
    with events.subscribe() as watcher:
        pass
    events.post(EventKind.STATE, "a")
    assert watcher.next(0) is None


def test_an_event_loop_is_woken_without_a_thread_of_its_own():
    async def watch() -> str:
        arrived, loop = asyncio.Event(), asyncio.get_running_loop()
        events = JobEvents()
        with events.subscribe(wake=lambda: loop.call_soon_threadsafe(arrived.set)) as watcher:
            threading.Thread(target=events.post, args=(EventKind.STATE, "a")).start()
            await asyncio.wait_for(arrived.wait(), 30)
            return watcher.next(0).job_id

    assert asyncio.run(watch()) == "a"
