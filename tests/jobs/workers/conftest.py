"""Orders of small real pictures, engines over the recorded models, and what a worker did with them."""

import threading
import time
from dataclasses import dataclass, field

import pytest

from modules.flags import Flags, parse_flags
from modules.folders import Folders
from modules.generation import Drawn, Engine, Order, Role, SilentWatcher, StepReport, parse_txt2img
from modules.prompts import StyleBook
from modules.settings import Options

WAIT_SECONDS = 240


@pytest.fixture
def no_thread_is_left():
    """Not asked for here: workers and their queues outlive a test."""


@pytest.fixture(scope="session")
def worker_flags(tmp_path_factory, all_parity_models) -> Flags:
    """The flags of a program over the recorded models, in which two workers divide the processor's cores."""
    data = tmp_path_factory.mktemp("workers")
    arguments = ["--data-dir", str(data), "--ckpt-dir", str(all_parity_models), "--workers", "2"]
    return parse_flags(arguments, environment={})


@pytest.fixture(scope="session")
def engine(worker_flags) -> Engine:
    """The engine of the process that runs the tests."""
    folders = Folders.from_flags(worker_flags)
    folders.ensure()
    return Engine(folders, worker_flags)


@pytest.fixture
def order_of(engine):
    """A function from request values and settings to a definite order."""

    def order_of(save=False, settings=None, **values) -> Order:
        request = {
            "prompt": "a cat",
            "steps": 4,
            "width": 64,
            "height": 64,
            "seed": 1,
            "sampler_name": "Euler a",
        }
        options = Options().overridden({"sd_model_checkpoint": "tiny-sd1", **(settings or {})})
        return engine.order(parse_txt2img({**request, **values}), options, StyleBook(()), save)

    return order_of


@dataclass
class Ears(SilentWatcher):
    """Remembers what a worker tells, and wishes what the test wants at a step of its choice."""

    stop_at: int | None = None
    skip_at: int | None = None
    looks: bool = False
    steps: list[StepReport] = field(default_factory=list)
    previews: list = field(default_factory=list)
    drawn: list[Drawn] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    _skipped: bool = False

    def on_step(self, report):
        self.steps.append(report)

    def wants_preview(self, report):
        return self.looks

    def on_preview(self, image):
        self.previews.append(image)

    def should_stop(self):
        return self.stopped.is_set() or self._reached(self.stop_at)

    def should_skip(self):
        if self._skipped or not self._reached(self.skip_at):
            return False
        self._skipped = True
        return True

    def _reached(self, step) -> bool:
        return step is not None and any(report.done >= step for report in self.steps)

    @property
    def finished(self) -> list[int]:
        """The pictures that came whole."""
        return [drawn.index for drawn in self.drawn if drawn.complete and drawn.role is Role.PICTURE]


@pytest.fixture
def ears():
    """The class of the watcher, for tests that make their own."""
    return Ears


@pytest.fixture
def drawn_here(engine):
    """A function that draws an order in this process, the way that all others are held against."""
    from modules.generation import plan_run

    def drawn_here(order) -> list[Drawn]:
        found: list[Drawn] = []
        engine.draw(plan_run(order), range(order.pictures), SilentWatcher(), found.append)
        return found

    return drawn_here


def likeness(pictures: list[Drawn]) -> list[tuple]:
    """What two drawings of the same order must have in common."""
    return [
        (each.role, each.index, each.image.tobytes(), each.infotext, each.seed, each.subseed, each.complete)
        for each in sorted(pictures, key=lambda each: (each.index, each.role))
    ]


def until(condition, seconds=WAIT_SECONDS):
    """Wait for a condition; the test fails when it does not come about."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return value


@pytest.fixture
def until_pictures():
    """A function that waits until a job has so many pictures."""
    return lambda job, count: until(lambda: len(job.pictures) >= count or job.ended.is_set())
