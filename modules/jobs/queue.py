"""The queue: what is accepted is written down, worked on in a fair order, and never lost."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from modules.errors import InvalidRequest, NotFound
from modules.folders import Folders
from modules.generation import Order, names_of
from modules.jobs.accepting import accept, digest_of, refuse_when_full
from modules.jobs.arranging import Arranger, refuse_priority
from modules.jobs.ended_sessions import EndedSessions
from modules.jobs.errors import QueueClosed, WrongState
from modules.jobs.events import EventKind, JobEvents, Subscription
from modules.jobs.job import Job, JobState
from modules.jobs.office import Office
from modules.jobs.rules import QueueRules
from modules.jobs.store import IdempotencyKey
from modules.jobs.work import Worker
from modules.readings import READINGS

__all__ = ["JobQueue"]


class JobQueue:
    """The face of the queue, for any number of threads.

    The first call opens it: from then on it holds the data folder for itself, and its workers work.
    `rules` is asked anew each time, so that settings have effect at once. `keep` past jobs stay in memory.
    """

    def __init__(
        self,
        folders: Folders,
        make_workers: Callable[[], Sequence[Worker]],
        rules: Callable[[], QueueRules] = QueueRules,
        keep: int = 64,
    ) -> None:
        self._folders, self._make_workers, self._rules, self._keep = folders, make_workers, rules, keep
        self._opening = threading.Lock()
        self._opened: Office | None = None
        self._closed = False
        self._events = JobEvents()
        self.ended_sessions = EndedSessions(lambda: self._office.store)

    def open(self) -> None:
        """Take the data folder, read what was left there, and begin to work. Again: nothing happens.

        Raises EaselError when another program works on the folder or the database cannot be used.
        """
        _ = self._office

    @property
    def _office(self) -> Office:
        if self._opened is None:
            with self._opening:
                if self._closed:
                    raise QueueClosed
                if self._opened is None:
                    self._opened = Office(
                        self._folders, self._make_workers, self._rules, self._events, self._keep
                    )
        return self._opened

    def submit(
        self,
        order: Order,
        job_id: str | None = None,
        client: str = "api",
        *,
        source: str | None = None,
        priority: int = 0,
        idempotency_key: str | None = None,
        fingerprint: str | None = None,
    ) -> Job:
        """Accept `order`: when this returns, the job is in the database.

        An id that is known gives the job it names, and so does an idempotency key that the client has sent
        before; `fingerprint` tells whether it comes with the same request (without one, the order but for
        its seeds does). Turns are fair between `client`s; `source` is what a person reads, the client if it
        is not given.

        Raises QueueFull, QueueClosed, StoreUnavailable, and InvalidRequest for a key of another request, or
        for a picture that is named and not kept any more.
        """
        refuse_priority(priority)
        office = self._office
        with office.inputs.keeping(order) as kept, office.dispatcher.desk:
            if self._closed:
                raise QueueClosed
            key = None
            if idempotency_key:
                key = IdempotencyKey(client, idempotency_key, fingerprint or digest_of(kept))
            known = office.store.find_key(key) if key else None
            if job := self._find(known or job_id):
                return job
            refuse_when_full(office, self._rules().max_queue)
            job = Job(job_id or f"task({uuid.uuid4().hex[:15]})", kept, client, source or client, priority)
            accept(office, job, key)
            office.dispatcher.desk.notify_all()
        self._events.post(EventKind.STATE, job.id)
        return job

    def tell_of_settings(self) -> None:
        """Tell all watchers that settings have changed."""
        self._events.post(EventKind.SETTINGS)

    def get(self, job_id: str) -> Job:
        """The job with this id. Raises NotFound when there is none (any more)."""
        if job := self._find(job_id):
            return job
        raise NotFound(f"There is no job named {job_id!r}; it may have been forgotten after newer ones.")

    def _find(self, job_id: str | None) -> Job | None:
        if not job_id:
            return None
        return self._office.roster.get(job_id) or self._office.store.find(job_id)

    def jobs(self) -> list[Job]:
        """The jobs in memory, oldest first: all that wait or run, and the newest of the past."""
        return self._office.roster.jobs()

    def history(self, limit: int = 50, before: str | None = None) -> list[Job]:
        """Up to `limit` past jobs, newest first; `before` is the id of the job to go on after."""
        found = self._office.store.past(limit, before)
        return [self._office.roster.get(job.id) or job for job in found]

    def current(self) -> Job | None:
        """The job that is running now; of several, the one that began first."""
        return next(iter(self.running()), None)

    def running(self) -> list[Job]:
        """The jobs that are worked on, the one that began first in front."""
        return self._office.roster.running()

    def waiting(self) -> list[Job]:
        """The jobs whose turn has not come, next first."""
        return self._office.roster.waiting()

    def held(self) -> list[Job]:
        """The jobs that the last run left and that wait for a person's word."""
        return self._office.roster.held()

    def forecast(self, job: Job) -> float | None:
        """Seconds until `job` will have ended, from the speed of like jobs; None where nothing is known."""
        waiting = self.waiting()
        ahead = [*self.running(), *waiting[: waiting.index(job)]] if job in waiting else []
        return self._office.forecast.seconds_until(job, ahead)

    def subscribe(self, job_id: str | None = None, wake: Callable[[], None] | None = None) -> Subscription:
        """A mailbox for the events of one job, or of all; see `Subscription`."""
        return self._events.subscribe(job_id, wake)

    @property
    def notice(self) -> str | None:
        """What a person should know about the start, such as that the database was damaged."""
        return self._office.notice

    def interrupt(self, job_id: str | None = None) -> None:
        """Stop one job, the running one if no id is given, after its current step; a waiting one never
        starts.
        """
        job = self.get(job_id) if job_id else self.current()
        if job is None:
            return
        with self._office.dispatcher.desk:
            if job.state.is_final:
                return
            job.stop_asked.set()
            if job.state is JobState.WAITING:
                self._office.endings.end(job, JobState.INTERRUPTED)
            else:
                self._office.store.note(job, "stop_asked")
            self._office.dispatcher.desk.notify_all()

    def cancel(self, job_id: str) -> None:
        """Take back a job that waits. Raises NotFound, WrongState for one that does not wait."""
        job = self.get(job_id)
        with self._office.dispatcher.desk:
            Arranger.refuse_unless_waiting(job)
            self.interrupt(job_id)

    def skip(self, job_id: str | None = None) -> None:
        """Let one job, the running one if no id is given, go on with its next batch."""
        job = self.get(job_id) if job_id else self.current()
        if job and job.state is JobState.RUNNING:
            self._office.dispatcher.skip(job)

    def wait(self, job: Job, timeout: float | None = None) -> bool:
        """Block until `job` has ended; False when `timeout` seconds passed first."""
        return job.ended.wait(timeout)

    @property
    def paused(self) -> bool:
        """Whether no waiting job is begun."""
        return self._office.dispatcher.paused

    def pause(self) -> None:
        """Begin no waiting job, after a restart neither; those that run go on."""
        self._pause(True)

    def resume(self) -> None:
        """Take waiting jobs again."""
        self._pause(False)

    def _pause(self, paused: bool) -> None:
        self._office.dispatcher.pause(paused)
        self._office.store.set_paused(paused)
        self._events.post(EventKind.QUEUE)

    def move(self, job_id: str, before: str | None = None) -> None:
        """Let a waiting job run right before another one, or last.

        Raises NotFound, WrongState for a job that does not wait, StoreUnavailable.
        """
        job, other = self.get(job_id), self.get(before) if before else None
        with self._arranging() as arranger:
            arranger.move(job, other)

    def set_priority(self, job_id: str, priority: int) -> None:
        """Let a waiting job run before those of lower priority. It runs from -1000 to 1000, usually 0.

        Raises as `move`.
        """
        job = self.get(job_id)
        with self._arranging() as arranger:
            arranger.set_priority(job, priority)

    def edit(self, job_id: str, order: Order) -> Job:
        """Give a waiting job another order of its kind. Raises as `move`, and InvalidRequest."""
        job = self.get(job_id)
        if order.kind != job.order.kind:
            raise InvalidRequest(
                "kind", f"The job is one of {job.order.kind}, and the new order of {order.kind}."
            )
        with self._office.inputs.keeping(order) as kept, self._arranging() as arranger:
            arranger.edit(job, kept)
        return job

    def release_held(self) -> None:
        """Go on with the jobs that the last run left, whatever ended it. Raises StoreUnavailable."""
        READINGS.ask_for_all()
        with self._arranging() as arranger:
            arranger.release(self.held())

    def discard_held(self) -> None:
        """Take back the jobs that the last run left; what they made stays."""
        for job in self.held():
            self.interrupt(job.id)

    @contextmanager
    def _arranging(self) -> Iterator[Arranger]:
        with self._office.dispatcher.desk:
            yield self._office.arranger
            self._office.dispatcher.desk.notify_all()
        self._events.post(EventKind.QUEUE)

    def retry(self, job_id: str) -> Job:
        """Send a job that has ended once more: a new job with the same order. Raises WrongState."""
        job = self.get(job_id)
        if not job.state.is_final:
            raise WrongState(f"Job {job.id} is {job.state}; it can be sent again when it has ended.")
        return self.duplicate(job_id)

    def duplicate(self, job_id: str) -> Job:
        """A new job with the same order, whatever became of the first."""
        job = self.get(job_id)
        READINGS.ask_for(names_of(job.order.request, job.order.settings))
        return self.submit(job.order, client=job.client, source=job.source, priority=job.priority)

    def forget(self, job_id: str) -> None:
        """Remove a past job from the history; saved pictures stay. Raises WrongState for any other."""
        job = self.get(job_id)
        if not job.state.is_final:
            raise WrongState(f"Job {job.id} is {job.state}; only one that has ended can be removed.")
        self._office.forget([job.number])
        self._office.roster.forget(job)
        self._events.post(EventKind.QUEUE)

    def forget_past(self) -> None:
        """Remove all past jobs from the history; saved pictures stay."""
        office = self._office
        office.forget(office.store.outlived(0, 0.0))
        for job in office.roster.jobs():
            if job.state.is_final:
                office.roster.forget(job)
        self._events.post(EventKind.QUEUE)

    def close(self, timeout: float = 10.0) -> None:
        """Stop the running jobs after their steps, start no other, and wait up to `timeout` seconds.

        Afterwards every job has ended for those who wait for it; in the database what was not finished waits
        for the next start.
        """
        with self._opening:
            self._closed = True
        if self._opened is not None:
            self._opened.close(timeout)
        self._events.close()
