"""Which workers a command line asks for. None of them is started here."""

import dataclasses

import pytest

from modules.errors import InvalidRequest
from modules.jobs.workers import LocalWorker, draws_here, make_workers
from modules.jobs.workers.making import cards_of, process_workers


def test_without_a_flag_the_engine_itself_draws(engine):
    flags = dataclasses.replace(engine.flags, workers=None)
    [worker] = make_workers(flags, engine)
    assert isinstance(worker, LocalWorker)
    assert draws_here(flags, engine)


@pytest.mark.parametrize(("workers", "ray"), [(2, None), (1, "local"), (None, "auto")])
def test_the_engine_of_the_head_draws_nothing_where_others_do(engine, workers, ray):
    assert not draws_here(dataclasses.replace(engine.flags, workers=workers, ray=ray), engine)


@pytest.mark.parametrize("workers", [0, -1, 100_000])
def test_a_number_of_workers_that_cannot_be_is_refused(engine, workers):
    with pytest.raises(InvalidRequest, match=f"--workers {workers}: give a number"):
        make_workers(dataclasses.replace(engine.flags, workers=workers), engine)


def test_workers_are_told_apart_by_their_names(engine):
    assert [worker.name for worker in process_workers(engine.flags, 3)] == [
        "process 1",
        "process 2",
        "process 3",
    ]


@pytest.mark.parametrize(
    ("workers", "cards", "visible", "expected"),
    [
        (2, 2, None, ["0", "1"]),
        (4, 2, None, ["0", "1", "0", "1"]),
        (2, 4, None, ["0", "1"]),
        (2, 2, "5, 7", ["5", "7"]),
        (3, 2, "GPU-a,GPU-b", ["GPU-a", "GPU-b", "GPU-a"]),
        (2, 1, "3,9", ["3", "3"]),
        (2, 0, None, [None, None]),
        (1, 0, "", [None]),
    ],
)
def test_workers_share_the_cards_evenly(workers, cards, visible, expected):
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert cards_of(workers, cards, environment) == expected
