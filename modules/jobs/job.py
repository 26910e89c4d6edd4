"""One piece of accepted work: its state, its progress and what it has made so far."""

import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum

from PIL import Image

from modules.generation import GenerationResult, MadePicture, Order, Run, StepReport, plan_run
from modules.jobs.answer import Answer

__all__ = ["Job", "JobState", "Preview"]

PREVIEW_LOOKERS_SECONDS = 5.0


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self in (JobState.DONE, JobState.FAILED, JobState.INTERRUPTED)


@dataclass(frozen=True)
class Preview:
    """A look at the unfinished picture; `number` grows with each new one."""

    number: int
    image: Image.Image


@dataclass(eq=False, repr=False)
class Job:
    """Work that was accepted. The queue's threads write it, every other thread only reads whole values.

    `client` is who has a right to a fair turn, `source` is how a person is told where it came from.
    `created`, `started` and `finished` are seconds since 1970, for people; nothing is computed from them.
    """

    id: str
    order: Order
    client: str = "api"
    source: str = "api"
    priority: int = 0
    number: int = 0
    """Grows with every job that is accepted."""
    turn: float = 0.0
    cost: float = 1.0
    state: JobState = JobState.WAITING
    held: bool = False
    """It was found unfinished at the start, and waits until a person releases it."""
    created: float = field(default_factory=time.time)
    started: float | None = None
    finished: float | None = None
    seconds: float = 0.0
    """How long it was worked on, by a clock that nobody sets, not counting what goes on now."""
    report: StepReport | None = None
    preview: Preview | None = None
    pictures: tuple[MadePicture, ...] = ()
    notes: tuple[str, ...] = ()
    answer: Answer | None = None
    error: Exception | None = None
    crashes: int = 0
    """How often in a row the program died over it, without a new picture in between."""
    ended: threading.Event = field(default_factory=threading.Event)
    stop_asked: threading.Event = field(default_factory=threading.Event)
    skip_asked: threading.Event = field(default_factory=threading.Event)
    preview_looked_at: float = float("-inf")
    began_at: tuple[float, float] | None = None
    """Monotonic time and progress at which the work that goes on now began."""
    _run: Run | None = None

    def __repr__(self) -> str:
        return f"<Job {self.number} {self.id} {self.state}>"

    @property
    def run(self) -> Run:
        """The order, planned. Raises InvalidRequest where an old order names what no longer exists."""
        run = self._run
        if run is None or run.order is not self.order:
            run = self._run = plan_run(self.order)
        return run

    @property
    def result(self) -> GenerationResult | None:
        """What the job answers; None until it ends, and for one that never began or failed."""
        return self.answer.result(self.run, self.pictures) if self.answer else None

    @property
    def progress(self) -> float:
        """Share of the work that is done, 0 .. 1."""
        if self.state is JobState.DONE:
            return 1.0
        report = self.report
        return report.done / report.total if report and report.total else 0.0

    @property
    def elapsed(self) -> float:
        """Seconds of work on it, until now while it runs."""
        began = self.began_at
        return self.seconds + (time.monotonic() - began[0] if began else 0.0)

    @property
    def eta_seconds(self) -> float | None:
        """Seconds that are left at the speed so far, None before the first step."""
        began, progress = self.began_at, self.progress
        if began is None or not began[1] < progress < 1:
            return None
        return (time.monotonic() - began[0]) * (1 - progress) / (progress - began[1])

    def look_at_preview(self) -> Preview | None:
        """The newest preview; asking for it is also what keeps previews being made."""
        self.preview_looked_at = time.monotonic()
        return self.preview

    @property
    def is_looked_at(self) -> bool:
        """Whether somebody asked for a preview in the last seconds."""
        return time.monotonic() - self.preview_looked_at < PREVIEW_LOOKERS_SECONDS

    def add_note(self, sentence: str) -> bool:
        """Add a note for the person; whether it is new."""
        if sentence in self.notes:
            return False
        self.notes += (sentence,)
        return True
