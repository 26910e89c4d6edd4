"""What a running job tells: the reports of its workers put together, for everybody who looks."""

import threading
from collections.abc import Callable, Collection
from dataclasses import replace

from PIL import Image

from modules.generation import MadePicture, SilentWatcher, StepReport
from modules.jobs.events import EventKind
from modules.jobs.job import Job, Preview
from modules.jobs.work import Share

__all__ = ["Board", "ShareWatcher", "Tell"]

Tell = Callable[[EventKind], None]
"""Announces that something about the job is new."""


class Board(SilentWatcher):
    """Writes into a job what its workers and its assembly report. Safe for several threads."""

    def __init__(self, job: Job, tell: Tell) -> None:
        self._job, self._tell = job, tell
        self._lock = threading.Lock()
        self._steps: dict[int, int] = {}

    def begin(self, missing: Collection[int]) -> None:
        """The pictures `missing` are to be drawn; the groups that have none of them are done."""
        run, wanted = self._job.run, set(missing)
        self._steps = {
            number: 0 if wanted & set(group) else run.steps_of_group
            for number, group in enumerate(run.groups)
        }
        self.on_step(StepReport(0, run.steps_in_all, 0, len(run.groups), ""))

    def on_step(self, report: StepReport) -> None:
        """Add up the groups: a worker tells where it is in its own and counts those before as made."""
        within = report.done - report.batch * self._job.run.steps_of_group
        with self._lock:
            self._steps[report.batch] = max(within, self._steps.get(report.batch, 0))
            self._job.report = replace(report, done=sum(self._steps.values()))
        self._tell(EventKind.PROGRESS)

    def has_come(self, picture: int) -> None:
        """A picture was drawn or given up, so no more steps are made for its group."""
        run = self._job.run
        with self._lock:
            self._steps[picture // len(run.groups[0])] = run.steps_of_group
            if self._job.report:
                self._job.report = replace(self._job.report, done=sum(self._steps.values()))

    def on_preview(self, image: Image.Image) -> None:
        """Keep the newest preview."""
        with self._lock:
            number = self._job.preview.number + 1 if self._job.preview else 1
            self._job.preview = Preview(number, image)
        self._tell(EventKind.PREVIEW)

    def on_picture(self, picture: MadePicture) -> None:
        """Add a finished picture; its pixels leave memory where it has a file."""
        with self._lock:
            self._job.pictures += (picture.without_pixels(),)
        self._tell(EventKind.PICTURE)

    def on_note(self, sentence: str) -> None:
        """Add a note for the person, once."""
        if self._job.add_note(sentence):
            self._tell(EventKind.NOTE)


class ShareWatcher:
    """Watches one worker at its share of a job."""

    def __init__(self, share: Share, job: Job, board: Board, is_stopping: Callable[[], bool]) -> None:
        self.share = share
        self.skip_asked = threading.Event()
        self._job, self._board, self._is_stopping = job, board, is_stopping
        self._done: set[int] = set()
        options = job.run.options
        self._preview_every = options.show_progress_every_n_steps if options.live_previews_enable else 0

    @property
    def undone(self) -> tuple[int, ...]:
        """The pictures of the share that have not come."""
        return tuple(picture for picture in self.share.pictures if picture not in self._done)

    def has_come(self, picture: int) -> None:
        """A picture was handed over, or given up."""
        self._done.add(picture)

    def on_step(self, report: StepReport) -> None:
        """Keep the newest report."""
        self._board.on_step(report)

    def wants_preview(self, report: StepReport) -> bool:
        """True at every n-th step, if a watcher asked for a preview in the last seconds."""
        every = self._preview_every
        return every > 0 and self._job.is_looked_at and report.done % every == 0

    def on_preview(self, image: Image.Image) -> None:
        """Keep the newest preview."""
        self._board.on_preview(image)

    def on_picture(self, picture: MadePicture) -> None:
        """Whoever draws has no finished pictures: they are finished when they are kept."""

    def on_note(self, sentence: str) -> None:
        """Add a note for the person, once."""
        self._board.on_note(sentence)

    def should_stop(self) -> bool:
        """Whether somebody asked to interrupt the job, it has failed elsewhere, or the program ends."""
        return self._is_stopping()

    def should_skip(self) -> bool:
        """Whether somebody asked to skip this batch; the wish is fulfilled once."""
        asked = self.skip_asked.is_set()
        self.skip_asked.clear()
        self._job.skip_asked.clear()
        return asked
