"""Several workers: a job is spread over them, comes out as if one had drawn it, and survives their deaths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.generation import Order, parse_txt2img, plan_run
from modules.jobs import JobState, WorkerLost, share_out
from modules.jobs.work import leave_to_another

from .gate import GateWorker

TWELVE = {"n_iter": 6, "batch_size": 2}


@pytest.fixture
def workers():
    """Two workers at gates of their own."""
    return GateWorker("one"), GateWorker("two")


def seen_pictures(worker) -> list[tuple[int, ...]]:
    return [share.pictures for share in worker.seen]


@pytest.mark.parametrize(
    ("exact", "missing", "workers", "shares"),
    [
        (False, range(6), 1, [(0, 1, 2, 3, 4, 5)]),
        (False, range(6), 2, [(0, 1), (2, 3), (4, 5)]),
        (False, (1, 4, 5), 4, [(1,), (4, 5)]),
        (False, (5, 1), 1, [(1, 5)]),
        (True, (0, 1, 4), 2, [(0,), (1,), (4,)]),
        (False, (), 1, []),
        (False, (), 3, []),
    ],
)
def test_shares_are_the_groups_that_are_drawn_together(order, exact, missing, workers, shares):
    run = plan_run(order({"n_iter": 3, "batch_size": 2}, exact_batches=exact))
    assert share_out(run, missing, workers) == shares


@given(missing=st.sets(st.integers(0, 11)), workers=st.integers(1, 9))
def test_shares_hold_every_missing_picture_once(missing, workers):
    request = parse_txt2img({"width": 64, "height": 64, "seed": 1, **TWELVE})
    run = plan_run(Order(request=request, settings={}))
    drawn = [picture for share in share_out(run, missing, workers) for picture in share]
    assert drawn == sorted(missing)


@pytest.mark.parametrize(
    ("own", "idle", "leaves"),
    [
        ("tiny-sd1.safetensors [abc]", [None], False),
        ("other", ["tiny-sd1.safetensors [abc]"], True),
        ("other", ["another", None], False),
        (None, ["tiny-sd1.safetensors [abc]"], True),
        (None, [], False),
    ],
)
def test_a_job_is_left_to_an_idle_worker_that_has_its_checkpoint(order, own, idle, leaves):
    assert leave_to_another(order(), own, idle) is leaves


def test_the_batches_of_a_job_are_spread_and_come_out_in_order(make_queue, workers, order, until):
    queue = make_queue(*workers)
    job = queue.submit(order(TWELVE, save=True, samples_filename_pattern="[seed]"))
    until(lambda: all(worker.seen for worker in workers))
    slow = next(worker for worker in workers if worker.seen[0].pictures == (0, 1))
    fast = next(worker for worker in workers if worker is not slow)
    fast.open.set()
    until(lambda: len(fast.drawn) == 10)
    assert job.pictures == () and 0.8 < job.progress < 1
    slow.open.set()
    assert queue.wait(job, 30)
    single = [picture for picture in job.result.pictures if not picture.is_grid]
    assert [picture.index for picture in single] == list(range(12))
    assert [picture.path.name for picture in single] == [f"{n:05}-{n + 1}.png" for n in range(12)]
    assert [picture.pixels().getpixel((0, 0))[0] for picture in single] == [7 * n for n in range(12)]


def test_two_jobs_run_side_by_side(make_queue, workers, order, until):
    queue = make_queue(*workers)
    jobs = [queue.submit(order()) for _ in range(3)]
    until(lambda: len(queue.running()) == 2)
    assert queue.running() == jobs[:2] and queue.current() is jobs[0]
    assert queue.waiting() == jobs[2:]


def test_a_job_of_higher_priority_gets_the_next_worker_that_is_free(make_queue, workers, order, until):
    queue = make_queue(*workers)
    long = queue.submit(order(TWELVE))
    until(lambda: all(worker.seen for worker in workers))
    urgent = queue.submit(order(), priority=1)
    workers[0].passes.release(1)
    until(lambda: len(workers[0].seen) == 2)
    assert workers[0].seen[1].job_id == urgent.id and long.state is JobState.RUNNING


def test_the_worker_that_has_the_checkpoint_takes_the_job(make_queue, workers, order):
    workers[1].hot = "tiny-sd1.safetensors [0123456789]"
    workers[0].hot = "something else"
    queue = make_queue(*workers)
    for worker in workers:
        worker.open.set()
    for _ in range(5):
        assert queue.wait(queue.submit(order()), 30)
    assert (len(workers[0].seen), len(workers[1].seen)) == (0, 5)


def test_what_a_dead_worker_has_not_drawn_goes_to_another(make_queue, workers, order, until):
    queue = make_queue(*workers)
    workers[0].dies = 1
    job = queue.submit(order(TWELVE))
    until(lambda: all(worker.seen for worker in workers))
    for worker in workers:
        worker.open.set()
    assert queue.wait(job, 30) and job.state is JobState.DONE
    assert sorted(index for worker in workers for _, index in worker.drawn) == list(range(12))
    assert [picture.index for picture in job.result.pictures] == list(range(12))


def test_pictures_that_kill_a_worker_twice_set_their_job_aside(make_queue, workers, order):
    queue = make_queue(*workers)
    for worker in workers:
        worker.dies = 2
        worker.open.set()
    job = queue.submit(order())
    assert queue.wait(job, 30)
    assert job.state is JobState.FAILED and "2 times in a row" in str(job.error)
    for worker in workers:
        worker.dies = 0
    after = queue.submit(order())
    assert queue.wait(after, 30) and after.state is JobState.DONE


def test_several_workers_that_die_at_different_pictures_are_not_the_jobs_fault(make_queue, workers, order):
    queue = make_queue(*workers)
    for worker in workers:
        worker.dies = 1
        worker.open.set()
    job = queue.submit(order(TWELVE))
    assert queue.wait(job, 30)
    assert job.state is JobState.DONE and len(job.result.pictures) == 12


def test_a_worker_that_is_lost_for_good_gets_no_more_work(make_queue, workers, order, until):
    class Gone(GateWorker):
        def draw(self, share, watcher, receive):
            self.seen.append(share)
            raise WorkerLost("The machine is off.", for_good=True)

    gone = Gone("gone")
    queue = make_queue(gone, workers[0])
    workers[0].started.clear()
    job = queue.submit(order(TWELVE))
    until(lambda: gone.closed)
    workers[0].started.set()
    workers[0].open.set()
    assert queue.wait(job, 30) and job.state is JobState.DONE
    assert len(gone.seen) == 1


def test_when_the_last_worker_is_lost_for_good_the_queue_pauses_and_keeps_its_jobs(make_queue, order, until):
    class Gone(GateWorker):
        def draw(self, share, watcher, receive):
            raise WorkerLost("The machine is off.", for_good=True)

    queue = make_queue(Gone())
    jobs = [queue.submit(order()) for _ in range(3)]
    until(lambda: queue.paused)
    assert queue.wait(jobs[0], 30) and jobs[0].state is JobState.FAILED
    assert queue.waiting() == jobs[1:]


def test_a_worker_that_is_still_being_started_holds_no_share(make_queue, workers, order, until):
    workers[0].started.clear()
    queue = make_queue(*workers)
    workers[1].open.set()
    job = queue.submit(order(TWELVE))
    assert queue.wait(job, 30) and job.state is JobState.DONE
    assert workers[0].seen == []


def test_while_no_worker_is_ready_a_job_can_still_be_interrupted(make_queue, gate, order, until):
    class Fragile(GateWorker):
        def draw(self, share, watcher, receive):
            self.started.clear()
            raise WorkerLost("The worker was killed.")

    queue = make_queue(Fragile())
    job = queue.submit(order())
    until(lambda: queue.current() is job)
    queue.interrupt()
    assert queue.wait(job, 30) and job.state is JobState.INTERRUPTED


def test_skipping_goes_to_all_workers_of_the_job(make_queue, workers, order, until):
    queue = make_queue(*workers)
    job = queue.submit(order({"n_iter": 4}))
    until(lambda: all(worker.seen for worker in workers))
    queue.skip()
    until(lambda: all(len(worker.drawn) == 1 for worker in workers))
    for worker in workers:
        worker.open.set()
    assert queue.wait(job, 30)
    assert [picture.index for picture in job.result.pictures] == [2, 3]


def test_a_failure_at_one_worker_stops_the_others_at_this_job(make_queue, workers, order, until):
    queue = make_queue(*workers)
    job = queue.submit(order(TWELVE))
    until(lambda: all(worker.seen for worker in workers))
    workers[0].failure = ValueError("odd")
    workers[0].passes.release(1)
    assert queue.wait(job, 30)
    assert job.state is JobState.FAILED and isinstance(job.error, ValueError)
    assert len(workers[1].drawn) <= 2
