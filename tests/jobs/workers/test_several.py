"""Two workers elsewhere against one here: the same pictures, whoever drew them, and whoever died meanwhile.

The same tests hold for processes and for actors of Ray.
"""

import dataclasses
import os
import signal

import pytest
from PIL import Image

from modules.folders import Folders
from modules.imaging import read_texts
from modules.jobs import JobQueue, JobState
from modules.jobs.workers import LocalWorker, make_workers

from .conftest import WAIT_SECONDS, until

pytestmark = pytest.mark.slow

MANY = {"n_iter": 12, "batch_size": 2}


@pytest.fixture(scope="module", params=["processes", "ray"])
def team(request, worker_flags, engine, tmp_path_factory):
    """Two workers, the queue they work for, and its data folder."""
    flags = worker_flags
    if request.param == "ray":
        pytest.importorskip("ray", reason="ray is not installed: pip install -r requirements-ray.txt")
        flags = dataclasses.replace(flags, ray="local")
    workers = make_workers(flags, engine)
    queue, data = open_queue(worker_flags, tmp_path_factory.mktemp("team"), workers)
    yield queue, data, workers
    queue.close()


@pytest.fixture(scope="module")
def alone(engine, worker_flags, tmp_path_factory, team):
    """The queue of one worker, in this process, and its data folder. It must be given what the team is given."""
    queue, data = open_queue(worker_flags, tmp_path_factory.mktemp("alone"), [LocalWorker(engine)])
    yield queue, data
    queue.close()


def open_queue(flags, data, workers):
    folders = Folders.from_flags(dataclasses.replace(flags, data_dir=data))
    folders.ensure()
    return JobQueue(folders, lambda: workers), data


def done(queue, order):
    job = queue.submit(order)
    assert queue.wait(job, WAIT_SECONDS)
    return job


def files(data):
    """Name, pixels and text of all that was saved, in order."""
    found = []
    for path in sorted((data / "outputs").rglob("*.png")):
        with Image.open(path) as image:
            found.append((str(path.relative_to(data)), image.tobytes(), read_texts(image).infotext))
    return found


def answer(job):
    """What a client gets."""
    return [
        (each.index, each.is_grid, each.seed, each.subseed, each.infotext, each.pixels().tobytes())
        for each in job.result.pictures
    ]


def test_twenty_four_pictures_are_those_of_one_worker(team, alone, order_of):
    order = order_of(save=True, **MANY)
    job, reference = done(team[0], order), done(alone[0], order)
    assert job.state is reference.state is JobState.DONE, job.error
    assert len(job.result.pictures) == 25
    assert answer(job) == answer(reference)
    assert files(team[1]) == files(alone[1])


def test_both_draw(team, order_of):
    workers = team[2]
    until(lambda: all(worker.process for worker in workers))
    done(team[0], order_of(**MANY))
    assert [(worker.hot or "").startswith("tiny-sd1") for worker in workers] == [True, True]


def test_killing_one_during_a_job_loses_nothing(team, alone, order_of, until_pictures):
    queue, data, workers = team
    order = order_of(save=True, **MANY)
    job = queue.submit(order)
    until_pictures(job, 3)
    victim = until(lambda: next((worker.process for worker in workers if worker.process), None))
    os.kill(victim, signal.SIGKILL)
    assert queue.wait(job, WAIT_SECONDS)
    assert job.state is JobState.DONE, job.error
    assert answer(job) == answer(done(alone[0], order))
    assert files(data) == files(alone[1])
    until(lambda: all(worker.process not in (None, victim) for worker in workers))


def test_killing_both_during_a_job_loses_nothing(team, alone, order_of, until_pictures):
    queue, data, workers = team
    order = order_of(save=True, **MANY)
    until(lambda: all(worker.process for worker in workers))
    job = queue.submit(order)
    until_pictures(job, 3)
    for worker in workers:
        os.kill(worker.process, signal.SIGKILL)
    assert queue.wait(job, WAIT_SECONDS)
    assert job.state is JobState.DONE, job.error
    assert answer(job) == answer(done(alone[0], order))
    assert files(data) == files(alone[1])


def test_pictures_of_one_batch_are_spread_where_batches_are_exact(team, alone, order_of):
    order = order_of(settings={"exact_batches": True}, batch_size=4)
    job = done(team[0], order)
    assert answer(job) == answer(done(alone[0], order))


def test_interrupting_stops_all(team, order_of, until_pictures):
    queue, _, _ = team
    job = queue.submit(order_of(steps=100, n_iter=50))
    until_pictures(job, 1)
    queue.interrupt(job.id)
    assert queue.wait(job, WAIT_SECONDS)
    assert job.state is JobState.INTERRUPTED
    assert 1 <= len(job.result.pictures) < 50


def test_who_looks_sees_a_preview(team, order_of):
    queue, _, _ = team
    job = queue.submit(order_of(steps=100, n_iter=20))
    preview = until(job.look_at_preview)
    assert preview.image.size == (64, 64)
    queue.interrupt(job.id)
    assert queue.wait(job, WAIT_SECONDS)


def test_an_order_that_nobody_can_draw_fails_with_the_sentence(team, order_of):
    order = order_of()
    job = done(
        team[0], order.model_copy(update={"settings": {**order.settings, "sd_model_checkpoint": "gone"}})
    )
    assert job.state is JobState.FAILED
    assert 'No checkpoint is called "gone"' in str(job.error)
