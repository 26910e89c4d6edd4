"""Killed at any moment, the queue goes on as if nothing had happened: nothing is lost, nothing made twice."""

import json
import os
import signal

import pytest

from modules.jobs import JobState

from .crasher import started

TWO_BY_TWO = {"n_iter": 2, "batch_size": 2}
MOMENTS = [
    ("before a picture is announced", 2),
    ("before its file appears", 1),
    ("before its file appears", 3),
    ("before it is noted", 1),
    ("before it is noted", 4),
    ("before it is noted", 5),
    ("after it is noted", 1),
    ("after it is noted", 4),
    ("after it is noted", 5),
    ("before the end is noted", 1),
    ("after the end is noted", 1),
    ("after a job is accepted", 2),
    ("while it draws", 1),
    ("while it draws", 2),
]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no kill -9 on Windows")


@pytest.fixture(scope="module")
def crasher():
    """A process whose children run queues and are killed."""
    with started("tests.jobs.crasher") as process:
        yield process


@pytest.fixture
def crash(crasher, folders):
    """A function that runs a queue in a process of its own until it is killed at a moment."""

    def crash(moment: str, number: int, *orders) -> None:
        texts = [order.model_dump_json() for order in orders]
        asked = {"data": str(folders.data), "moment": moment, "number": number, "orders": texts}
        crasher.stdin.write(f"{json.dumps(asked)}\n")
        crasher.stdin.flush()
        assert int(crasher.stdout.readline()) == -signal.SIGKILL

    return crash


@pytest.fixture
def orders(order):
    """Two jobs that save four pictures and a grid each."""
    settings = {"save_to_dirs": False, "grid_save_to_dirs": False, "samples_filename_pattern": "[seed]"}
    return [order({**TWO_BY_TWO, "seed": seed}, save=True, **settings) for seed in (10, 20)]


def outputs(folders) -> list[str]:
    return sorted(str(path.relative_to(folders.outputs)) for path in folders.outputs.rglob("*.*"))


EXPECTED = sorted(
    [
        *(
            f"txt2img-images/{number:05}-{seed}.png"
            for number, seed in enumerate((10, 11, 12, 13, 20, 21, 22, 23))
        ),
        "txt2img-grids/grid-0000.png",
        "txt2img-grids/grid-0001.png",
    ]
)


@pytest.mark.parametrize(("moment", "number"), MOMENTS)
def test_killed_at_any_moment_nothing_is_lost_and_nothing_made_twice(
    crash, folders, gate, make_queue, orders, moment, number
):
    crash(moment, number, *orders)
    gate.open.set()
    queue = make_queue()
    left = queue.jobs()
    assert len(left) == 2 and all(queue.wait(job, 60) for job in left)
    assert [job.state for job in left] == [JobState.DONE] * 2
    assert outputs(folders) == EXPECTED
    for job, first in zip(left, (10, 20), strict=True):
        assert [picture.seed for picture in job.result.pictures[1:]] == [
            first,
            first + 1,
            first + 2,
            first + 3,
        ]


def test_pictures_that_are_not_to_be_saved_are_not_lost_either(crash, gate, make_queue, order):
    crash("after it is noted", 3, order({"n_iter": 4}))
    gate.open.set()
    queue = make_queue()
    (job,) = queue.jobs()
    assert queue.wait(job, 60)
    assert gate.seen[0].pictures == (3,)
    colours = [picture.pixels().getpixel((0, 0))[0] for picture in job.result.pictures]
    assert colours == [0, 7, 14, 21]


def test_a_skipped_picture_stays_skipped(crash, gate, make_queue, order):
    crash("after a skip is noted", 1, order({"n_iter": 3}))
    gate.open.set()
    queue = make_queue()
    (job,) = queue.jobs()
    assert queue.wait(job, 60)
    assert gate.seen[0].pictures == (2,)
    assert [picture.index for picture in job.result.pictures] == [0, 2]


def test_a_job_that_kills_the_program_twice_is_set_aside_and_the_rest_goes_on(
    crash, gate, make_queue, orders
):
    crash("while it draws", 1, *orders)
    crash("while it draws", 1)
    gate.open.set()
    queue = make_queue()
    poison, good = queue.jobs()
    assert poison.state is JobState.FAILED and "died 2 times in a row" in str(poison.error)
    assert queue.wait(good, 60) and good.state is JobState.DONE
    assert {share.job_id for share in gate.seen} == {good.id}
    assert queue.retry(poison.id).order == poison.order


def test_crashes_with_new_pictures_in_between_are_not_counted_together(crash, gate, make_queue, order):
    orders = [order({"n_iter": 6})]
    for _ in range(3):
        crash("while it draws", 2, *orders)
        orders = []
    gate.open.set()
    queue = make_queue()
    (job,) = queue.jobs()
    assert queue.wait(job, 60) and job.state is JobState.DONE
    assert gate.seen[0].pictures == (3, 4, 5)
