"""A job at work: its shares go out to workers, its pictures come back and are kept."""

import threading
from collections import Counter, deque
from dataclasses import replace

from modules.folders import Folders
from modules.generation import Assembly, Drawn, ModelFacts, Role
from modules.jobs.answer import Answer
from modules.jobs.job import Job
from modules.jobs.ledger import JobLedger
from modules.jobs.watching import Board, ShareWatcher, Tell
from modules.jobs.work import Share, share_out

__all__ = ["Undertaking"]


class Undertaking:
    """One running job. Several workers may draw for it at once, each in its own thread.

    The shares are handed out and taken back at the dispatcher's desk; the pictures come at any time.
    """

    def __init__(self, job: Job, ledger: JobLedger, folders: Folders, tell: Tell) -> None:
        self.job = job
        self.board = Board(job, tell)
        self.failure: Exception | None = None
        self.leaving = threading.Event()
        """The program ends: stop after the step, keep whole pictures only, go on another day."""
        self.is_begun = False
        self._ledger, self._folders = ledger, folders
        self._lock = threading.RLock()
        self._assembly: Assembly | None = None
        self._shares: deque[tuple[int, ...]] = deque()
        self._at_work: list[ShareWatcher] = []
        self._losses: Counter[int] = Counter()

    def begin(self, workers: int) -> None:
        """Plan the work that is left and lay it out for `workers` workers.

        Raises EaselError for an order that cannot be planned any more.
        """
        with self._lock:
            job, run = self.job, self.job.run
            job.pictures = ()
            assembly = Assembly(run, self._folders, self.board, self._ledger)
            assembly.announce_kept()
            missing = self._without_skipped(assembly)
            self.board.begin(missing)
            self._assembly = assembly
            if job.began_at:
                job.began_at = (job.began_at[0], job.progress)
            self._shares.extend(share_out(run, missing, workers))

    def _without_skipped(self, assembly: Assembly) -> set[int]:
        """The pictures to draw; those that a person skipped before a crash are given up again."""
        missing, seeds = set(assembly.missing()), self.job.run.seeds
        skipped = self._ledger.skipped()
        for picture in sorted(missing & set(skipped)):
            seed, subseed = seeds.seeds[picture], seeds.subseeds[picture]
            facts = skipped[picture]
            assembly.receive(
                Drawn(Role.PICTURE, picture, None, "", seed, subseed, facts=facts, complete=False)
            )
        return missing - set(skipped)

    @property
    def has_shares(self) -> bool:
        """Whether there is a share that nobody has taken."""
        return bool(self._shares) and not self.is_stopping()

    def is_stopping(self) -> bool:
        """Whether no more is to be drawn: somebody asked, it failed, or the program ends."""
        return self.job.stop_asked.is_set() or self.failure is not None or self.leaving.is_set()

    @property
    def is_over(self) -> bool:
        """Whether it has begun, nobody works on it any more, and nothing is left to take."""
        return self.is_begun and not self._at_work and not self.has_shares

    @property
    def is_left(self) -> bool:
        """Whether it stops only because the program ends."""
        return self.leaving.is_set() and self.failure is None and not self.job.stop_asked.is_set()

    def take(self) -> ShareWatcher:
        """The next share, for whoever draws it."""
        share = Share(self.job.id, self.job.order, self._shares.popleft())
        watcher = ShareWatcher(share, self.job, self.board, self.is_stopping)
        self._at_work.append(watcher)
        return watcher

    def lay_down(self, watcher: ShareWatcher, *, go_on: bool = False) -> None:
        """The worker is done with its share; with `go_on` the rest of it is to be drawn by another."""
        self._at_work.remove(watcher)
        if go_on and watcher.undone:
            self._shares.appendleft(watcher.undone)

    def lose(self, watcher: ShareWatcher) -> int:
        """The worker died: how often that has happened before the same picture came."""
        picture = next(iter(watcher.undone), -1)
        self._losses[picture] += 1
        return self._losses[picture] if watcher.undone else 0

    def skip(self) -> None:
        """Let every worker go on with its next group."""
        self.job.skip_asked.set()
        for watcher in self._at_work:
            watcher.skip_asked.set()

    def fail(self, error: Exception) -> None:
        """The job cannot be drawn; the first reason stays."""
        self.failure = self.failure or error

    def knows(self, facts: ModelFacts) -> None:
        """The model that draws."""
        with self._lock:
            if self._assembly:
                self._assembly.knows(facts)

    def receive(self, watcher: ShareWatcher, drawn: Drawn) -> None:
        """Keep a picture."""
        with self._lock:
            if drawn.role is Role.PICTURE:
                watcher.has_come(drawn.index)
                self.board.has_come(drawn.index)
            if not drawn.complete:
                drawn = self._given_up(drawn)
            if self._assembly:
                self._assembly.receive(drawn)

    def _given_up(self, drawn: Drawn) -> Drawn:
        """A picture that was ended early: by skipping, which is remembered, or because all stops."""
        if self.is_left or self.failure is not None:
            # It is to be drawn whole another day, so its estimate is not kept.
            return replace(drawn, image=None)
        if drawn.role is Role.PICTURE and not self.job.stop_asked.is_set():
            self._ledger.has_skipped(drawn.index, drawn.facts)
        return drawn

    def finish(self) -> None:
        """Write the answer of the job, unless it failed."""
        with self._lock:
            job, assembly = self.job, self._assembly
            if assembly and self.failure is None:
                job.answer = Answer.of(assembly.so_far() if self.is_left else assembly.finish())
            job.preview = self._assembly = None
            job.skip_asked.clear()
