"""The thread that keeps a few jobs of a batch in the queue until all of its pictures are made."""

import logging
import threading
from collections import deque
from contextlib import suppress

from modules.batches.batch import Batch, BatchState, Outcome, OutcomeKind
from modules.batches.book import BatchBook
from modules.batches.making import OrderOf, order_of_picture
from modules.batches.places import BatchPlaces
from modules.errors import EaselError, TooBusy
from modules.jobs import Job, JobQueue, JobState, QueueClosed, QueueFull, StoreUnavailable, WrongState

__all__ = ["Feeder"]

log = logging.getLogger(__name__)

LOOK_SECONDS, RETRY_SECONDS = 0.1, 2.0
TAKEN_OFF = "Its job was taken off the queue."


class Feeder:
    """Feeds one batch. A job's id follows from its picture, so that a restart meets the jobs of before."""

    def __init__(
        self,
        batch: Batch,
        places: BatchPlaces,
        book: BatchBook,
        queue: JobQueue,
        order_of: OrderOf,
        ahead: int,
    ) -> None:
        """`ahead`: so many jobs at most stand in the queue at a time."""
        self.batch = batch
        self._places, self._book, self._queue, self._order_of = places, book, queue, order_of
        self._ahead = ahead
        self._left = deque(batch.left)
        self._jobs: dict[int, Job] = {}
        self._lock = threading.RLock()
        self._leaving = threading.Event()
        self._look = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"easel-batch {batch.id}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let what is drawn be drawn to its end, and begin no more."""
        with self._lock:
            if self.batch.state is BatchState.RUNNING:
                self.batch.state = BatchState.STOPPING
                self._take_back()
        self._look.set()

    def leave(self) -> None:
        """The program ends: leave all as it is, for the next start."""
        self._leaving.set()
        self._look.set()

    def join(self, seconds: float | None = None) -> bool:
        """Wait for the thread's end; whether it has come."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            while not self._leaving.is_set() and self._go_on():
                self._look.wait(RETRY_SECONDS if self.batch.notice else LOOK_SECONDS)
                self._look.clear()
            if not self._leaving.is_set():
                self._end()
        except Exception:
            log.exception("Batch %s met an error of the program's own and is stopped.", self.batch.id)
            self.batch.state, self.batch.notice = BatchState.STOPPED, "It met an error; the log has more."

    def _go_on(self) -> bool:
        """Look after the jobs, and send the next ones; whether there is anything left to do."""
        with self._lock:
            for number, job in list(self._jobs.items()):
                if job.ended.is_set() and not self._leaving.is_set():
                    del self._jobs[number]
                    self._has_ended(number, job)
            if self.batch.state is BatchState.RUNNING:
                self._fill()
            return bool(self._jobs) or (self.batch.state is BatchState.RUNNING and bool(self._left))

    def _fill(self) -> None:
        self.batch.notice = ""
        while self._left and len(self._jobs) < self._ahead and not self._leaving.is_set():
            number = self._left[0]
            try:
                self._jobs[number] = self._submitted(number)
            except (QueueFull, QueueClosed, StoreUnavailable, TooBusy) as error:
                self.batch.notice = str(error)
                return
            except EaselError as error:
                self._book.note(self.batch, number, Outcome(OutcomeKind.FAILED, str(error)))
            except Exception as error:
                # Whatever one picture does to a reader, the others are drawn.
                name = self.batch.names[number]
                log.exception("Batch %s: %s cannot be drawn.", self.batch.id, name)
                sentence = f"{name} cannot be drawn: {type(error).__name__}; the log has more."
                self._book.note(self.batch, number, Outcome(OutcomeKind.FAILED, sentence))
            self._left.popleft()

    def _submitted(self, number: int) -> Job:
        batch, job_id = self.batch, self.batch.job_id(number)
        with suppress(EaselError):
            # Of before a restart; the picture may have changed since, or be gone.
            return self._queue.get(job_id)
        order = order_of_picture(batch.names[number], batch.plan, self._places, self._order_of)
        source = f"batch, {number + 1} of {len(batch.names)}: {batch.names[number]}"
        return self._queue.submit(order, job_id, batch.client, source=source)

    def _has_ended(self, number: int, job: Job) -> None:
        if job.state is JobState.DONE:
            unsaved = [each.unsaved for each in job.result.pictures if each.unsaved] if job.result else []
            outcome = Outcome(OutcomeKind.FAILED, unsaved[0]) if unsaved else Outcome(OutcomeKind.DONE)
        elif job.state is JobState.FAILED:
            outcome = Outcome(OutcomeKind.FAILED, str(job.error))
        elif self.batch.state is BatchState.RUNNING and job.started is None:
            outcome = Outcome(OutcomeKind.LEFT_OUT, TAKEN_OFF)
        else:
            # A person who interrupts a picture of a batch means the batch, and what has just begun too.
            if self.batch.state is BatchState.RUNNING:
                self.batch.state = BatchState.STOPPING
                for other in self._jobs.values():
                    self._queue.interrupt(other.id)
            outcome = Outcome(OutcomeKind.AGAIN)
        self._book.note(self.batch, number, outcome)

    def _take_back(self) -> None:
        for job in self._jobs.values():
            with suppress(WrongState):
                self._queue.cancel(job.id)

    def _end(self) -> None:
        batch = self.batch
        state = BatchState.STOPPED if batch.left else BatchState.DONE
        if state is BatchState.DONE and not batch.of_kind(OutcomeKind.FAILED):
            self._book.drop_uploads(batch)
        try:
            self._book.write(batch, state)
        except EaselError as error:
            batch.notice = str(error)
        # Last: from now on others may forget the batch.
        batch.state = state
