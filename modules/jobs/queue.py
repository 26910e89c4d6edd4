"""The queue: accepts work, runs it one job after another in a thread of its own, keeps the latest results."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable

from modules.errors import EaselError, InvalidRequest, NotFound
from modules.generation import GenerationResult, Run, Watcher
from modules.jobs.job import Job, JobState, JobWatcher

__all__ = ["JobQueue", "Work"]

log = logging.getLogger(__name__)

Work = Callable[[Run, Watcher], GenerationResult]


class JobQueue:
    """First in, first out, one worker.

    `work` makes the pictures of a run; finished jobs are kept up to `keep`.
    """

    def __init__(self, work: Work, keep: int = 32, longest: int = 1000) -> None:
        self._work = work
        self._keep = keep
        self._longest = longest
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._changed = threading.Condition()
        self._closing = False
        self._worker = threading.Thread(target=self._serve, name="easel-worker", daemon=True)
        self._worker.start()

    def submit(self, run: Run, job_id: str | None = None, client: str = "api") -> Job:
        """Accept `run`. An id that is known already gives the job it names, so a repeated call makes
        nothing twice.
        """
        with self._changed:
            if self._closing:
                raise EaselError("The program is being closed and takes no more work.")
            if job_id and job_id in self._jobs:
                return self._jobs[job_id]
            if sum(not job.state.is_final for job in self._jobs.values()) >= self._longest:
                raise InvalidRequest(
                    "queue", f"{self._longest} jobs are waiting already; send this one again later."
                )
            job = Job(job_id or f"task({uuid.uuid4().hex[:15]})", run, client)
            self._jobs[job.id] = job
            self._changed.notify_all()
        return job

    def get(self, job_id: str) -> Job:
        """The job with this id. Raises NotFound when there is none (any more)."""
        with self._changed:
            job = self._jobs.get(job_id)
        if job is None:
            raise NotFound(f"There is no job named {job_id!r}; it may have been forgotten after newer ones.")
        return job

    def jobs(self) -> list[Job]:
        """All jobs that are remembered, oldest first."""
        with self._changed:
            return list(self._jobs.values())

    def current(self) -> Job | None:
        """The job that is running now."""
        return next((job for job in self.jobs() if job.state is JobState.RUNNING), None)

    def waiting(self) -> list[Job]:
        """The jobs whose turn has not come, next first."""
        return [job for job in self.jobs() if job.state is JobState.WAITING]

    def interrupt(self, job_id: str | None = None) -> None:
        """Stop one job, the running one if no id is given, after its current step; a waiting one never
        starts.
        """
        job = self.get(job_id) if job_id else self.current()
        if job is None:
            return
        job.stop_asked.set()
        with self._changed:
            if job.state is JobState.WAITING:
                self._end(job, JobState.INTERRUPTED)

    def skip(self) -> None:
        """Let the running job go on with its next batch."""
        if job := self.current():
            job.skip_asked.set()

    def wait(self, job: Job, timeout: float | None = None) -> bool:
        """Block until `job` has ended; False when `timeout` seconds passed first."""
        return job.ended.wait(timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Stop the running job after its step, start no other, and wait for the worker up to `timeout`
        seconds.

        Afterwards every job has ended: nobody waits for one in vain.
        """
        self.interrupt()
        with self._changed:
            self._closing = True
            for job in self.waiting():
                self._end(job, JobState.INTERRUPTED)
            self._changed.notify_all()
        self._worker.join(timeout)
        with self._changed:
            if stuck := self.current():
                self._end(stuck, JobState.INTERRUPTED)

    def _next(self) -> Job | None:
        with self._changed:
            while not self._closing:
                if waiting := [job for job in self._jobs.values() if job.state is JobState.WAITING]:
                    waiting[0].state = JobState.RUNNING
                    return waiting[0]
                self._changed.wait()
        return None

    def _serve(self) -> None:
        while job := self._next():
            job.started = time.time()
            try:
                job.result = self._work(job.run, JobWatcher(job, self._preview_interval(job)))
                state = JobState.INTERRUPTED if job.stop_asked.is_set() else JobState.DONE
            except Exception as error:
                # What can be explained needs no traceback.
                trace = None if isinstance(error, EaselError) else error
                log.error("Job %s failed: %s", job.id, error, exc_info=trace)
                job.error = error
                state = JobState.FAILED
            with self._changed:
                self._end(job, state)

    @staticmethod
    def _preview_interval(job: Job) -> int:
        options = job.run.options
        return max(options.show_progress_every_n_steps, 0) if options.live_previews_enable else 0

    def _end(self, job: Job, state: JobState) -> None:
        job.finished = time.time()
        job.state = state
        ended = [name for name, each in self._jobs.items() if each.state.is_final]
        for name in ended[: max(len(ended) - self._keep, 0)]:
            del self._jobs[name]
        job.ended.set()
