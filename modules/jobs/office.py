"""All that an opened queue works with, made in one place and closed in one place."""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from modules.folders import Folders
from modules.generation import InputFiles, names_of
from modules.jobs.arranging import Arranger
from modules.jobs.database import Database
from modules.jobs.dispatcher import Dispatcher
from modules.jobs.endings import Endings
from modules.jobs.events import JobEvents
from modules.jobs.forecast import Forecast
from modules.jobs.inputs import InputKeeper
from modules.jobs.job import Job
from modules.jobs.journal import Journal
from modules.jobs.ledger import PictureBook
from modules.jobs.lock import FolderLock
from modules.jobs.pruning import forget_numbers, prune
from modules.jobs.recovery import after_a_crash, begun_first
from modules.jobs.roster import Roster
from modules.jobs.rules import QueueRules
from modules.jobs.store import JobStore
from modules.jobs.turns import Turns
from modules.jobs.work import Worker
from modules.readings import READINGS

__all__ = ["Office"]

log = logging.getLogger(__name__)

PRUNE_EVERY = 20


class Office:
    """The data folder's lock, its database, the jobs in memory, and the dispatcher with its workers."""

    def __init__(
        self,
        folders: Folders,
        make_workers: Callable[[], Sequence[Worker]],
        rules: Callable[[], QueueRules],
        events: JobEvents,
        keep: int,
    ) -> None:
        """Open everything. Raises EaselError when another program is here or the database cannot be used."""
        self._rules = rules
        with ExitStack() as undo:
            lock = FolderLock(folders.lock_file)
            lock.take()
            undo.callback(lock.release)
            self._database = Database(folders.database_file)
            undo.callback(self._database.close)
            journal = Journal(self._database)
            undo.callback(journal.close)
            self.store = JobStore(self._database, journal, folders.data)
            self.book = PictureBook(self._database, journal, folders.data, folders.job_files)
            self.inputs = InputKeeper(InputFiles(folders.inputs), self.store)
            self.roster, self.turns, self.forecast = Roster(keep), Turns(), Forecast()
            self.arranger = Arranger(self.roster, self.store)
            self._ends = 0
            self._recover(keep)
            self.endings = Endings(self.store, events, self._has_ended)
            self.dispatcher = Dispatcher(
                self.roster,
                self.store,
                self.book,
                folders,
                events,
                rules,
                self._begins,
                self.endings,
                self.inputs,
            )
            if self.store.is_paused():
                self.dispatcher.pause(True)
                log.info("The queue is paused, as it was when the program ended.")
            self.dispatcher.start(make_workers())
            self._undo = undo.pop_all()

    @property
    def notice(self) -> str | None:
        """What a person should know about the opening."""
        return self._database.notice

    def close(self, timeout: float) -> None:
        """Stop working, write what is left to write, let go of the folder."""
        self.dispatcher.close(timeout)
        self._undo.close()

    def _recover(self, keep: int) -> None:
        self.book.settle()
        left, rules = self.store.unfinished(), self._rules()
        for job in left:
            found = job.state, job.held
            after_a_crash(job, rules, _left_alone_for(job, rules))
            if job.state.is_final:
                self.store.end(job)
            elif (job.state, job.held) != found:
                self.store.note(job, "state", "held", "crashes")
        waiting = [job for job in left if not job.state.is_final]
        self.turns.remember((job.client, job.turn, job.cost) for job in waiting)
        for job in begun_first(waiting):
            self.store.note(job, "turn")
        past = self.store.past(keep)
        for job in sorted(past + waiting, key=lambda job: job.number):
            self.roster.add(job)
        for job in reversed(past):
            self.forecast.learn(job)
        if waiting:
            what = "wait for your word" if waiting[0].held else "go on"
            log.info("%d unfinished jobs of the last time %s.", len(waiting), what)
        prune(self.store, self.book, self.inputs, rules)

    def forget(self, numbers: list[int]) -> None:
        """Let go of past jobs: rows, spools, and what only they started from. Raises StoreUnavailable."""
        forget_numbers(self.store, self.book, numbers)
        self.inputs.sweep(self._rules().keep_inputs_bytes)

    def _begins(self, job: Job) -> None:
        self.turns.begin(job.turn)

    def _has_ended(self, job: Job) -> None:
        self.forecast.learn(job)
        self.roster.trim()
        self._ends += 1
        if self._ends % PRUNE_EVERY == 0:
            prune(self.store, self.book, self.inputs, self._rules())


def _left_alone_for(job: Job, rules: QueueRules) -> str:
    """A sentence about a file that `job` names and that was being read when the program died; empty if there
    is none, or where the rules have jobs tried more often than usual: then it is read again.
    """
    names = names_of(job.order.request, job.order.settings)
    named = READINGS.named_by(names)
    if named and rules.crash_limit > QueueRules.crash_limit:
        READINGS.ask_for(names)
        return ""
    return named[0].sentence if named else ""
