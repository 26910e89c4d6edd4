"""Killed at any moment, a batch goes on with the next start: no picture is lost, none is made twice."""

import json
import os
import signal

import pytest

from modules.batches import BatchState
from tests.jobs.crasher import started

from .conftest import names

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no kill -9 on Windows")


@pytest.fixture(scope="module")
def crasher():
    """A process whose children go through batches and are killed."""
    with started("tests.batches.crasher") as process:
        yield process


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("before a job is accepted", 2),
        ("after a job is accepted", 4),
        ("before a picture is noted", 2),
        ("before an outcome is written", 1),
        ("after an outcome is written", 3),
    ],
)
def test_a_batch_survives_the_end_of_the_program(crasher, four, open_works, until, moment, number):
    data = four.parent
    crasher.stdin.write(f"{json.dumps({'data': str(data), 'moment': moment, 'number': number})}\n")
    crasher.stdin.flush()
    assert int(crasher.stdout.readline()) == -signal.SIGKILL
    works = open_works()
    works.gate.open.set()
    (batch,) = works.batches.all()
    until(lambda: batch.state is BatchState.DONE)
    assert batch.summary == "4 of 4"
    assert names(data / "out") == ["a.png", "b.png", "c.png", "d.png"]
    assert len(works.queue.history()) == 4
