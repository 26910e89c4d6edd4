"""The queue: what was accepted is worked on, in order; it can be stopped; failures stay with their job."""

import time

import pytest
from PIL import Image

from modules.errors import EaselError, InvalidRequest, NotFound
from modules.jobs import JobState, QueueFull, WrongState

from .gate import GateWorker

FOUR = {"n_iter": 4}


def test_jobs_run_one_after_another_in_the_order_they_came(queue, gate, order, until):
    jobs = [queue.submit(order()) for _ in range(3)]
    until(lambda: queue.current() is jobs[0])
    assert queue.waiting() == jobs[1:]
    gate.open.set()
    assert all(queue.wait(job, 30) for job in jobs)
    assert [job.state for job in jobs] == [JobState.DONE] * 3
    assert [share.job_id for share in gate.seen] == [job.id for job in jobs]


def test_the_same_id_again_is_the_same_job(queue, order):
    assert queue.submit(order(), "task(a)") is queue.submit(order(), "task(a)")


def test_a_waiting_job_that_is_interrupted_never_starts(queue, gate, order):
    first, second = queue.submit(order()), queue.submit(order())
    queue.interrupt(second.id)
    gate.open.set()
    assert queue.wait(first, 30)
    assert second.state is JobState.INTERRUPTED
    assert len(gate.seen) == 1


def test_the_running_job_is_stopped_keeps_what_it_has_and_the_next_goes_on(queue, gate, order, until):
    first, second = queue.submit(order(FOUR)), queue.submit(order())
    gate.passes.release(2)
    until(lambda: len(first.pictures) == 2)
    queue.interrupt()
    assert queue.wait(first, 30)
    assert first.state is JobState.INTERRUPTED
    assert [picture.infotext for picture in first.result.pictures] == ["picture 0", "picture 1"]
    until(lambda: queue.current() is second)


def test_skipping_goes_on_with_the_next_batch(queue, gate, order, until):
    job = queue.submit(order(FOUR))
    gate.passes.release(1)
    until(lambda: job.report and job.report.batch == 1)
    queue.skip()
    until(lambda: len(gate.drawn) == 2)
    gate.open.set()
    assert queue.wait(job, 30)
    assert job.state is JobState.DONE
    assert [picture.index for picture in job.result.pictures] == [0, 2, 3]
    assert not job.skip_asked.is_set()


def test_a_failure_is_its_jobs_own(queue, gate, order):
    gate.failure = EaselError("no room")
    gate.open.set()
    failed = queue.submit(order())
    assert queue.wait(failed, 30)
    assert (failed.state, str(failed.error)) == (JobState.FAILED, "no room")
    gate.failure = None
    after = queue.submit(order())
    assert queue.wait(after, 30)
    assert after.state is JobState.DONE


def test_a_full_queue_refuses_and_says_when_to_come_again(make_queue, order, until):
    queue = make_queue(max_queue=3)
    first = queue.submit(order())
    until(lambda: queue.current() is first)
    for _ in range(3):
        queue.submit(order())
    with pytest.raises(QueueFull, match="max_queue") as refused:
        queue.submit(order())
    assert 1 <= refused.value.retry_after <= 600
    assert len(queue.waiting()) == 3


def test_closing_ends_all_jobs_for_those_who_wait_and_takes_no_more(make_queue, gate, order, until):
    queue = make_queue()
    running, waiting = queue.submit(order(FOUR)), queue.submit(order())
    gate.passes.release(1)
    until(lambda: len(running.pictures) == 1)
    queue.close(10)
    assert queue.wait(running, 1) and queue.wait(waiting, 1)
    assert (running.state, waiting.state) == (JobState.INTERRUPTED, JobState.INTERRUPTED)
    assert [picture.index for picture in running.result.pictures] == [0]
    assert waiting.result is None
    assert len(gate.seen) == 1 and gate.closed
    with pytest.raises(EaselError, match="being closed"):
        queue.submit(order())


def test_closing_does_not_wait_for_ever_for_a_step_that_does_not_end(make_queue, order, until):
    class Stuck(GateWorker):
        def _wait(self, watcher):
            return self.open.wait(30)

    queue = make_queue(Stuck())
    job = queue.submit(order())
    until(lambda: queue.current() is job)
    began = time.monotonic()
    queue.close(0.1)
    assert time.monotonic() - began < 10
    assert job.ended.is_set()


def test_a_queue_that_was_never_opened_closes_without_touching_the_folder(make_queue, folders):
    make_queue().close()
    assert not folders.database_file.exists() and not folders.lock_file.exists()


def test_what_can_be_explained_is_logged_without_a_traceback(queue, gate, order, caplog):
    gate.open.set()
    for gate.failure in (EaselError("no room"), ValueError("a fault of the program")):
        assert queue.wait(queue.submit(order()), 30)
    explained, fault = [record for record in caplog.records if "failed" in record.message]
    assert "no room" in explained.message and not explained.exc_info
    assert fault.exc_info[0] is ValueError


def test_a_pause_lets_the_running_job_end_and_begins_no_other(queue, gate, order, until):
    running, waiting = queue.submit(order()), queue.submit(order())
    until(lambda: queue.current() is running)
    queue.pause()
    gate.open.set()
    assert queue.wait(running, 30)
    assert queue.paused and not queue.wait(waiting, 0.2)
    queue.resume()
    assert queue.wait(waiting, 30) and not queue.paused


def test_only_a_waiting_job_can_be_cancelled_and_only_an_ended_one_sent_again(queue, gate, order, until):
    running, waiting = queue.submit(order({"seed": 5})), queue.submit(order())
    until(lambda: queue.current() is running)
    for forbidden in (queue.cancel, queue.retry, queue.forget):
        with pytest.raises(WrongState, match="is running"):
            forbidden(running.id)
    queue.cancel(waiting.id)
    assert waiting.state is JobState.INTERRUPTED
    with pytest.raises(WrongState, match="is interrupted"):
        queue.cancel(waiting.id)
    gate.open.set()
    assert queue.wait(running, 30)
    again = queue.retry(running.id)
    assert again is not running and again.order == running.order and again.client == running.client


def test_a_duplicate_may_be_made_of_a_job_in_any_state(queue, order, until):
    running = queue.submit(order({"seed": 5}), client="page a", source="page")
    until(lambda: queue.current() is running)
    twin = queue.duplicate(running.id)
    assert (twin.order, twin.client, twin.source) == (running.order, "page a", "page")
    assert queue.waiting() == [twin]


def test_a_waiting_job_can_be_edited_and_runs_as_edited(queue, gate, order, until):
    first, second = queue.submit(order()), queue.submit(order({"prompt": "a dog"}))
    until(lambda: queue.current() is first)
    queue.edit(second.id, order({"prompt": "a bird", "n_iter": 2}))
    with pytest.raises(WrongState):
        queue.edit(first.id, order())
    gate.open.set()
    assert queue.wait(second, 30)
    assert gate.seen[1].order.request.prompt == "a bird"
    assert len(second.result.pictures) == 2


def test_an_idempotency_key_names_one_request_of_one_client(queue, order):
    first = queue.submit(order({"seed": 1}), client="a", idempotency_key="k")
    assert queue.submit(order({"seed": 2}), client="a", idempotency_key="k") is first
    assert queue.submit(order({"seed": 2}), client="b", idempotency_key="k") is not first
    with pytest.raises(InvalidRequest, match="another request") as refused:
        queue.submit(order({"prompt": "a dog"}), client="a", idempotency_key="k")
    assert refused.value.field == "idempotency_key"


def test_a_fingerprint_tells_whether_the_request_is_the_same(queue, order):
    first = queue.submit(order(), idempotency_key="k", fingerprint="x")
    assert queue.submit(order({"prompt": "other"}), idempotency_key="k", fingerprint="x") is first
    with pytest.raises(InvalidRequest):
        queue.submit(order(), idempotency_key="k", fingerprint="y")


def test_what_was_never_accepted_is_not_there(queue):
    with pytest.raises(NotFound, match="no job named"):
        queue.get("task(none)")


def test_previews_are_made_while_somebody_looks(make_queue, gate, order, until):
    gate.preview = Image.new("RGB", (8, 8))
    queue = make_queue()
    job = queue.submit(order(FOUR, show_progress_every_n_steps=1))
    gate.passes.release(1)
    until(lambda: len(job.pictures) == 1)
    assert job.preview is None
    assert job.look_at_preview() is None
    gate.passes.release(1)
    until(lambda: job.preview is not None)
    assert job.look_at_preview().number == 1


def test_an_order_that_cannot_be_planned_any_more_fails_with_its_sentence(queue, gate, order):
    broken = order()
    broken = broken.model_copy(update={"request": broken.request.model_copy(update={"sampler_name": "gone"})})
    job = queue.submit(broken)
    assert queue.wait(job, 30)
    assert job.state is JobState.FAILED and "gone" in str(job.error)
    assert not gate.seen


@pytest.mark.parametrize("place", ["forecast.Forecast.learn", "office.prune", "store.JobStore.end"])
def test_a_fault_in_the_queues_own_books_stops_neither_the_job_nor_the_queue(
    make_queue, gate, order, monkeypatch, caplog, place
):
    queue = make_queue()
    queue.open()

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("modules.jobs.office.PRUNE_EVERY", 1)
    monkeypatch.setattr(f"modules.jobs.{place}", broken)
    gate.open.set()
    jobs = [queue.submit(order()) for _ in range(2)]
    assert all(queue.wait(job, 30) for job in jobs)
    assert [job.state for job in jobs] == [JobState.DONE] * 2
    assert "ZeroDivisionError" in caplog.text


def test_a_watcher_whose_event_loop_has_ended_stops_nobody(queue, gate, order):
    def wake():
        raise RuntimeError("Event loop is closed")

    gate.open.set()
    with queue.subscribe(wake=wake):
        job = queue.submit(order())
        assert queue.wait(job, 30) and job.state is JobState.DONE
