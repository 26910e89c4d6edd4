"""How a job ends: it is written first, then told to those who wait for it."""

import time
from collections.abc import Callable

from modules.jobs.events import EventKind, JobEvents
from modules.jobs.job import Job, JobState
from modules.jobs.store import JobStore

__all__ = ["Endings"]


class Endings:
    """Ends jobs. `has_ended` is called for each that has ended for good."""

    def __init__(self, store: JobStore, events: JobEvents, has_ended: Callable[[Job], None]) -> None:
        self._store, self._events, self._has_ended = store, events, has_ended

    def end(self, job: Job, state: JobState) -> None:
        """`job` has ended for good."""
        _stop_clock(job)
        job.state = state
        try:
            self._store.end(job)
        finally:
            self._tell(job)
        self._has_ended(job)

    def leave(self, job: Job) -> None:
        """The program ends under `job`: for those who wait it has ended, in the database it waits."""
        _stop_clock(job)
        try:
            self._store.put_back(job)
        finally:
            self.dismiss(job)

    def dismiss(self, job: Job) -> None:
        """The same for a job that waits in the database anyway."""
        job.state = JobState.INTERRUPTED
        self._tell(job)

    def _tell(self, job: Job) -> None:
        job.ended.set()
        self._events.post(EventKind.STATE, job.id)


def _stop_clock(job: Job) -> None:
    if job.began_at is not None:
        job.seconds, job.began_at = job.elapsed, None
    # A clock that was set back must not end a job before it began.
    job.finished = max(time.time(), job.started or job.created)
