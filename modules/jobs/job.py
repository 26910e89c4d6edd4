"""One piece of accepted work: its state, its progress and what it has made so far."""

import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum

from PIL import Image

from modules.generation import GenerationResult, MadePicture, Run, StepReport

__all__ = ["Job", "JobState", "JobWatcher", "Preview"]

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


@dataclass(eq=False)
class Job:
    """Work that was accepted. The worker's thread writes it, every other thread only reads whole values."""

    id: str
    run: Run
    client: str
    state: JobState = JobState.WAITING
    created: float = field(default_factory=time.time)
    started: float | None = None
    finished: float | None = None
    report: StepReport | None = None
    preview: Preview | None = None
    pictures: tuple[MadePicture, ...] = ()
    notes: tuple[str, ...] = ()
    result: GenerationResult | None = None
    error: Exception | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    stop_asked: threading.Event = field(default_factory=threading.Event)
    skip_asked: threading.Event = field(default_factory=threading.Event)
    preview_looked_at: float = 0.0

    @property
    def progress(self) -> float:
        """Share of the work that is done, 0 .. 1."""
        if self.state is JobState.DONE:
            return 1.0
        return self.report.done / self.report.total if self.report and self.report.total else 0.0

    @property
    def eta_seconds(self) -> float | None:
        """Seconds that are left at the speed so far, None before the first step."""
        if self.started is None or not 0 < self.progress < 1:
            return None
        elapsed = (self.finished or time.time()) - self.started
        return elapsed / self.progress - elapsed

    def look_at_preview(self) -> Preview | None:
        """The newest preview; asking for it is also what keeps previews being made."""
        self.preview_looked_at = time.monotonic()
        return self.preview


class JobWatcher:
    """Writes what a run reports into its job.

    `preview_every` steps a preview is made while somebody looks; 0: never.
    """

    def __init__(self, job: Job, preview_every: int) -> None:
        self._job = job
        self._preview_every = preview_every

    def on_step(self, report: StepReport) -> None:
        """Keep the newest report."""
        self._job.report = report

    def wants_preview(self, report: StepReport) -> bool:
        """True at every n-th step, if a watcher asked for a preview in the last seconds."""
        looked_at = time.monotonic() - self._job.preview_looked_at < PREVIEW_LOOKERS_SECONDS
        return self._preview_every > 0 and looked_at and report.done % self._preview_every == 0

    def on_preview(self, image: Image.Image) -> None:
        """Keep the newest preview."""
        number = self._job.preview.number + 1 if self._job.preview else 1
        self._job.preview = Preview(number, image)

    def on_picture(self, picture: MadePicture) -> None:
        """Add a finished picture."""
        self._job.pictures += (picture,)

    def on_note(self, sentence: str) -> None:
        """Add a note for the person, once."""
        if sentence not in self._job.notes:
            self._job.notes += (sentence,)

    def should_stop(self) -> bool:
        """Whether somebody asked to interrupt the job."""
        return self._job.stop_asked.is_set()

    def should_skip(self) -> bool:
        """Whether somebody asked to skip this batch; the wish is fulfilled once."""
        asked = self._job.skip_asked.is_set()
        self._job.skip_asked.clear()
        return asked
