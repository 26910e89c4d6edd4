"""A queue over a data folder of its own, with workers that draw plain squares and wait at a gate."""

import threading
import time
from pathlib import Path

import pytest

from modules.flags import parse_flags
from modules.folders import Folders
from modules.generation import Order, parse_txt2img
from modules.jobs import JobQueue, QueueRules
from modules.settings import Options

from .gate import GateWorker


def folders_at(data: Path) -> Folders:
    """The folders below a data folder; they are made."""
    folders = Folders.from_flags(parse_flags(["--data-dir", str(data)], environment={}))
    folders.ensure()
    return folders


@pytest.fixture
def folders(tmp_path):
    """The folders below a data folder of the test's own."""
    return folders_at(tmp_path / "data")


@pytest.fixture
def order():
    """A function from request values and settings to an order of small pictures that go nowhere."""

    def order(values=None, save=False, **settings) -> Order:
        request = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 1, **(values or {})}
        options = Options().overridden({"sd_model_checkpoint": "tiny-sd1", **settings})
        return Order(request=parse_txt2img(request), settings=options.model_dump(mode="json"), save=save)

    return order


@pytest.fixture
def gate():
    """A worker that waits at a gate before each picture."""
    return GateWorker()


@pytest.fixture
def make_queue(folders, gate):
    """A function that opens a queue over `folders`; what a test leaves open is closed after it."""
    made = []

    def make_queue(*workers, keep=64, **rules) -> JobQueue:
        queue = JobQueue(folders, lambda: workers or [gate], lambda: QueueRules(**rules), keep)
        made.append((queue, workers or [gate]))
        return queue

    yield make_queue
    for queue, workers in made:
        for worker in workers:
            worker.open.set()
        queue.close(10)


@pytest.fixture
def queue(make_queue):
    """A queue with one worker at the gate."""
    return make_queue()


@pytest.fixture
def until():
    """Wait for a condition; a test fails when it does not come about."""

    def until(condition, seconds=30.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.005)

    return until


@pytest.fixture(autouse=True)
def no_thread_is_left():
    """Every test ends its threads."""
    before = set(threading.enumerate())
    yield
    end = time.monotonic() + 10
    while left := [each for each in threading.enumerate() if each not in before and "easel" in each.name]:
        assert time.monotonic() < end, left
        time.sleep(0.01)
