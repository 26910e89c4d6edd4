"""All batches of a program: started, stopped, gone on with, after a restart too."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from modules.batches.batch import JOB_OF_BATCH, Batch, BatchState, Outcome, OutcomeKind
from modules.batches.book import BatchBook
from modules.batches.feeder import Feeder
from modules.batches.files import pictures_in, store_picture
from modules.batches.making import OrderOf, drawn_seeds
from modules.batches.places import BatchPlaces, places_of
from modules.batches.plan import BatchPlan
from modules.errors import EaselError, InvalidRequest, NotFound
from modules.flags import Flags
from modules.folders import Folders
from modules.jobs import Job, JobQueue, WrongState

__all__ = ["Batches"]

AHEAD = 3
"""Jobs of a batch in the queue, beyond one for each worker."""
PAST = 20
"""Batches that have ended and are remembered."""
MOST_SENT = 10_000
END_SECONDS = 10.0


class Batches:
    """The batches, for any number of threads. The first use reads those that were left."""

    def __init__(self, folders: Folders, flags: Flags, queue: JobQueue, order_of: OrderOf) -> None:
        self._folders, self._flags, self._queue, self._order_of = folders, flags, queue, order_of
        self._book = BatchBook(folders.batches)
        self._lock = threading.RLock()
        self._read: dict[str, Batch] | None = None
        self._feeders: dict[str, Feeder] = {}
        self._closed = False

    def open(self) -> None:
        """Go on with the batches that ran when the program ended. Again: nothing happens."""
        _ = self._batches

    def all(self) -> list[Batch]:
        """Those that are remembered, oldest first."""
        return list(self._batches.values())

    def get(self, batch_id: str) -> Batch:
        """The batch with this id. Raises NotFound when there is none (any more)."""
        if batch := self._batches.get(batch_id):
            return batch
        raise NotFound(f"There is no batch {batch_id!r}; it may have been forgotten after newer ones.")

    def of_job(self, job_id: str) -> Batch | None:
        """The batch that a job belongs to; None where it belongs to none that is remembered."""
        found = JOB_OF_BATCH.fullmatch(job_id)
        return self._batches.get(found[1]) if found else None

    def jobs_until(self, job_id: str, most: int) -> list[Job]:
        """The jobs of the batch that `job_id` belongs to, as far as it is: in the order of its pictures, with
        this one, at most the newest `most`. Those that the queue has forgotten are left out.
        """
        found, batch = JOB_OF_BATCH.fullmatch(job_id), self.of_job(job_id)
        if not found or not batch:
            return []
        numbers = sorted({*batch.outcomes, int(found[2])})[-most:]
        ids = [job_id if number == int(found[2]) else batch.job_id(number) for number in numbers]
        return [job for each in ids if (job := self._job(each))]

    def _job(self, job_id: str) -> Job | None:
        with suppress(NotFound):
            return self._queue.get(job_id)
        return None

    def start(self, plan: BatchPlan, client: str) -> Batch:
        """Begin a batch over a folder. The plan of one that runs is that one, and one that was stopped goes
        on.

        Raises InvalidRequest for folders that are closed or empty, and EaselError for a request that cannot
        be.
        """
        with self._lock:
            names = self._names(plan, self._places(plan))
            open_ones = (each for each in reversed(self.all()) if each.state is not BatchState.DONE)
            if known := next((each for each in open_ones if each.is_of(plan)), None):
                return known if known.state is BatchState.RUNNING else self.go_on(known.id)
            seeds = drawn_seeds(plan, self._order_of)
            batch = self._book.new(plan.model_copy(update={"seeds": seeds}), names, client=client)
            self._batches[batch.id] = batch
            self._feed(batch)
            return batch

    def gather(self, plan: BatchPlan, client: str) -> Batch:
        """A batch whose pictures are sent one by one with `add_picture`; `begin` begins it.

        Raises as `start`.
        """
        with self._lock:
            self._places(plan, self._folders.batches)
            seeds = drawn_seeds(plan, self._order_of)
            plan = plan.model_copy(update={"seeds": seeds, "input_folder": ""})
            batch = self._book.new(plan, (), client=client, state=BatchState.GATHERING, has_uploads=True)
            self._batches[batch.id] = batch
            return batch

    def add_picture(self, batch_id: str, name: str, file: BinaryIO) -> str:
        """Take in a picture that was sent; the name it has got. Raises InvalidRequest, WrongState, EaselError
        when it cannot be written.
        """
        batch = self.get(batch_id)
        folder = self._book.uploads(batch)
        if folder is None or batch.state is not BatchState.GATHERING:
            raise WrongState(f"The batch {batch_id} is {batch.state} and takes no more pictures.")
        return store_picture(folder, name, file, MOST_SENT)

    def begin(self, batch_id: str) -> Batch:
        """Begin a batch whose pictures have been sent. Raises as `start`."""
        with self._lock:
            batch = self.get(batch_id)
            if batch.state is not BatchState.GATHERING:
                return batch
            batch.names = self._names(batch.plan, self._places(batch.plan, self._book.uploads(batch)))
            self._feed(batch)
            return batch

    def stop(self, batch_id: str) -> Batch:
        """Draw what is drawn now to its end, and no more."""
        batch = self.get(batch_id)
        with self._lock:
            if feeder := self._feeders.get(batch.id):
                feeder.stop()
        return batch

    def go_on(self, batch_id: str, *, with_failed: bool = False) -> Batch:
        """Draw what is left of a stopped batch, and what came into its folder since; by wish also what
        failed. Raises as `start`, and WrongState for one that is at work.
        """
        with self._lock:
            batch = self.get(batch_id)
            self._refuse_active(batch)
            names = self._names(batch.plan, self._places(batch.plan, self._book.uploads(batch)))
            batch.names += tuple(name for name in names if name not in set(batch.names))
            for name in batch.of_kind(OutcomeKind.FAILED) if with_failed else ():
                self._book.note(batch, batch.names.index(name), Outcome(OutcomeKind.AGAIN))
            self._feed(batch)
            return batch

    def discard(self, batch_id: str) -> None:
        """Forget a batch that is not at work; what it made stays. Raises NotFound, WrongState."""
        with self._lock:
            batch = self.get(batch_id)
            self._refuse_active(batch)
            self._let_go(batch)

    def close(self) -> None:
        """Begin no more; what is unfinished goes on after the next start."""
        with self._lock:
            self._closed = True
            feeders = list(self._feeders.values())
        for feeder in feeders:
            feeder.leave()
        for feeder in feeders:
            feeder.join(END_SECONDS)

    @property
    def _batches(self) -> dict[str, Batch]:
        with self._lock:
            if self._read is None:
                self._read = {batch.id: batch for batch in self._book.read_all()}
                for batch in self.all():
                    self._take_up(batch)
            return self._read

    def _take_up(self, batch: Batch) -> None:
        """Decide about a batch that a start has found."""
        if batch.state is not BatchState.RUNNING:
            batch.state = BatchState.DONE if batch.state is BatchState.DONE else BatchState.STOPPED
            return
        try:
            self._feed(batch)
        except EaselError as error:
            batch.state, batch.notice = BatchState.STOPPED, str(error)

    def _feed(self, batch: Batch) -> None:
        if self._closed:
            raise EaselError("The program is being closed and takes no more work.")
        places = self._places(batch.plan, self._book.uploads(batch))
        self._book.write(batch, BatchState.RUNNING)
        batch.state, batch.notice = BatchState.RUNNING, ""
        ahead = AHEAD + (self._flags.workers or 1)
        feeder = Feeder(batch, places, self._book, self._queue, self._order_of, ahead)
        self._feeders[batch.id] = feeder
        feeder.start()
        past = [each for each in self.all() if each.state is BatchState.DONE]
        for old in past[: max(len(past) - PAST, 0)]:
            self._let_go(old)

    def _let_go(self, batch: Batch) -> None:
        self._batches.pop(batch.id, None)
        self._feeders.pop(batch.id, None)
        self._book.discard(batch)

    def _places(self, plan: BatchPlan, uploads: Path | None = None) -> BatchPlaces:
        return places_of(plan, self._folders, self._flags, uploads)

    @staticmethod
    def _names(plan: BatchPlan, places: BatchPlaces) -> tuple[str, ...]:
        names = pictures_in(places.pictures, "input_folder")
        if not names:
            raise InvalidRequest("input_folder", f"There is no picture in {places.pictures}.")
        for field, folder in (("mask_folder", places.masks), ("text_folder", places.texts)):
            if folder is not None:
                pictures_in(folder, field)
        return names

    @staticmethod
    def _refuse_active(batch: Batch) -> None:
        if batch.state.is_active:
            raise WrongState(f"The batch {batch.id} is {batch.state}; stop it first.")
