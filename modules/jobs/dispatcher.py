"""A thread for each worker: it takes what is next, has it drawn, and takes what is next again."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from modules.errors import EaselError
from modules.folders import Folders
from modules.generation import Drawn
from modules.jobs.endings import Endings
from modules.jobs.errors import StoreUnavailable
from modules.jobs.events import EventKind, JobEvents
from modules.jobs.inputs import InputKeeper
from modules.jobs.job import Job, JobState
from modules.jobs.ledger import PictureBook
from modules.jobs.recovery import set_aside
from modules.jobs.roster import Roster, turn_key
from modules.jobs.rules import QueueRules
from modules.jobs.store import JobStore
from modules.jobs.undertaking import Undertaking
from modules.jobs.watching import ShareWatcher
from modules.jobs.work import Worker, WorkerLost, leave_to_another

__all__ = ["Dispatcher"]

log = logging.getLogger(__name__)

RETRY_SECONDS, READY_SECONDS = 1.0, 0.25

Task = Callable[[], None]


class Dispatcher:
    """Keeps the workers busy.

    `desk` guards every decision about what runs: whoever changes the state or the place of a waiting job
    holds it, and tells it when there may be something new to do. `begins` is called at the desk for each job.
    """

    def __init__(
        self,
        roster: Roster,
        store: JobStore,
        book: PictureBook,
        folders: Folders,
        events: JobEvents,
        rules: Callable[[], QueueRules],
        begins: Callable[[Job], None],
        endings: Endings,
        inputs: InputKeeper,
    ) -> None:
        self.desk = threading.Condition(threading.RLock())
        self._roster, self._store, self._book, self._folders = roster, store, book, folders
        self._events, self._rules, self._begins, self._endings = events, rules, begins, endings
        self._inputs = inputs
        self._workers: list[Worker] = []
        self._idle: set[Worker] = set()
        self._threads: list[threading.Thread] = []
        self._active: dict[str, Undertaking] = {}
        self._paused = self._closing = False

    def start(self, workers: Sequence[Worker]) -> None:
        """Begin to work."""
        self._workers = list(workers)
        for worker in workers:
            thread = threading.Thread(
                target=self._serve, args=(worker,), name=f"easel-worker {worker.name}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    @property
    def paused(self) -> bool:
        """Whether no waiting job is begun; those that run go on."""
        return self._paused

    def pause(self, paused: bool) -> None:
        """Begin no waiting job, or do so again."""
        with self.desk:
            self._paused = paused
            self.desk.notify_all()

    def skip(self, job: Job) -> None:
        """Let a running job go on with its next batch."""
        with self.desk:
            if undertaking := self._active.get(job.id):
                undertaking.skip()

    def close(self, timeout: float) -> None:
        """Stop after the steps that are being made, and wait for the workers up to `timeout` seconds.

        In the database the jobs are left to go on another day; for everybody else they have ended.
        """
        with self.desk:
            self._closing = True
            for undertaking in self._active.values():
                undertaking.leaving.set()
            for job in (*self._roster.waiting(), *self._roster.held()):
                self._endings.dismiss(job)
            self.desk.notify_all()
        end = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0.0))
        with self.desk:
            for stuck in self._roster.running():
                self._endings.leave(stuck)
        for worker in self._workers:
            worker.close()

    def _serve(self, worker: Worker) -> None:
        while True:
            try:
                task = self._next(worker)
                if task is None:
                    return
                task()
            except Exception:
                log.exception("The queue met an error of the program's own, and goes on.")
                time.sleep(RETRY_SECONDS)

    def _next(self, worker: Worker) -> Task | None:
        """What `worker` is to do; waits for it. None when there will be no more."""
        while worker in self._workers:
            is_ready = worker.ready(READY_SECONDS)
            with self.desk:
                self._is_idle(worker, is_ready)
                if task := self._to_finish() or (self._to_draw(worker) if is_ready else None):
                    self._is_idle(worker, False)
                    return task
                if self._closing:
                    break
                if is_ready:
                    self.desk.wait()
        return None

    def _is_idle(self, worker: Worker, is_idle: bool) -> None:
        """Others leave jobs to an idle worker that has the checkpoint: they are told when it is busy."""
        if is_idle:
            self._idle.add(worker)
        elif worker in self._idle:
            self._idle.remove(worker)
            self.desk.notify_all()

    def _to_finish(self) -> Task | None:
        for undertaking in self._active.values():
            if undertaking.is_over:
                del self._active[undertaking.job.id]
                return partial(self._finish, undertaking)
        return None

    def _to_draw(self, worker: Worker) -> Task | None:
        idle = [other.hot for other in self._idle if other is not worker]
        for job in self._candidates():
            if leave_to_another(job.order, worker.hot, idle):
                continue
            if running := self._active.get(job.id):
                return partial(self._draw, worker, running, running.take())
            return partial(self._begin, self._take_up(job))
        return None

    def _candidates(self) -> list[Job]:
        """The jobs of which something can be drawn: by priority, those that run before those that wait."""
        running = [each.job for each in self._active.values() if each.has_shares]
        waiting = [] if self._paused or self._closing else self._roster.waiting()
        return sorted(
            running + waiting, key=lambda job: (-job.priority, job.state is JobState.WAITING, turn_key(job))
        )

    def _take_up(self, job: Job) -> Undertaking:
        undertaking = Undertaking(
            job, self._book.ledger(job), self._folders, partial(self._events.post, job_id=job.id)
        )
        self._active[job.id] = undertaking
        job.began_at = (time.monotonic(), 0.0)
        job.state = JobState.RUNNING
        self._begins(job)
        return undertaking

    def _begin(self, undertaking: Undertaking) -> None:
        """Plan a job and lay out its shares. That it runs is written first: a crash counts from here on."""
        job = undertaking.job
        job.started = job.started or time.time()
        with _blamed_on(undertaking):
            self._store.note(job, "state", "started")
            self._events.post(EventKind.STATE, job.id)
            self._plan(undertaking)
        with self.desk:
            undertaking.is_begun = True
            self.desk.notify_all()

    def _plan(self, undertaking: Undertaking) -> None:
        """Begin, as soon as the database tells what is done already."""
        while not undertaking.is_stopping():
            try:
                undertaking.begin(len(self._workers))
                return
            except StoreUnavailable as error:
                undertaking.board.on_note(str(error))
                time.sleep(RETRY_SECONDS)

    def _draw(self, worker: Worker, undertaking: Undertaking, watcher: ShareWatcher) -> None:
        lost = False
        with _blamed_on(undertaking):
            try:
                share = self._inputs.with_pictures(watcher.share)
                facts = worker.draw(share, watcher, partial(self._receive, undertaking, watcher))
                undertaking.knows(facts)
            except WorkerLost as error:
                lost = True
                self._lost(worker, undertaking, watcher, error)
        with self.desk:
            undertaking.lay_down(watcher, go_on=lost)
            self.desk.notify_all()

    def _receive(self, undertaking: Undertaking, watcher: ShareWatcher, drawn: Drawn) -> None:
        undertaking.receive(watcher, drawn)
        job = undertaking.job
        if job.crashes and drawn.complete:
            job.crashes = 0
            self._store.note(job, "crashes")

    def _lost(
        self, worker: Worker, undertaking: Undertaking, watcher: ShareWatcher, error: WorkerLost
    ) -> None:
        """A worker died. Another draws what it has not drawn, unless these pictures kill too often."""
        log.warning("Worker %s was lost at job %s: %s", worker.name, undertaking.job.id, error)
        if self._closing:
            return
        losses = undertaking.lose(watcher)
        if losses >= self._rules().crash_limit:
            undertaking.fail(set_aside(losses))
        if error.for_good:
            self._let_go(worker)

    def _let_go(self, worker: Worker) -> None:
        """Give `worker` no more work. With the last one gone nothing is begun until a person resumes."""
        with self.desk:
            is_last = len(self._workers) == 1
            if is_last:
                self._paused = True
            else:
                self._workers.remove(worker)
        if is_last:
            self._events.post(EventKind.QUEUE)
        else:
            worker.close()

    def _finish(self, undertaking: Undertaking) -> None:
        job = undertaking.job
        with _blamed_on(undertaking):
            undertaking.finish()
        if undertaking.is_left:
            self._endings.leave(job)
        elif undertaking.failure is not None:
            job.error = undertaking.failure
            self._endings.end(job, JobState.FAILED)
        else:
            self._endings.end(job, JobState.INTERRUPTED if job.stop_asked.is_set() else JobState.DONE)


@contextmanager
def _blamed_on(undertaking: Undertaking) -> Iterator[None]:
    """Whatever goes wrong in here is the failure of this job alone."""
    try:
        yield
    except Exception as error:
        # What can be explained needs no traceback.
        trace = None if isinstance(error, EaselError) else error
        log.error("Job %s failed: %s", undertaking.job.id, error, exc_info=trace)
        undertaking.fail(error)
