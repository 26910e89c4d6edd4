"""Putting the waiting jobs in another order, and changing them: all or nothing, as the database says."""

from collections.abc import Iterable
from typing import Any

from modules.errors import InvalidRequest
from modules.generation import Order
from modules.jobs.errors import StoreUnavailable, WrongState
from modules.jobs.job import Job, JobState
from modules.jobs.roster import Roster
from modules.jobs.store import JobStore
from modules.jobs.turns import STEP, turn_between
from modules.jobs.work import cost_of

__all__ = ["Arranger"]

HIGHEST_PRIORITY = 1000


class Arranger:
    """Changes waiting jobs. Its caller holds the dispatcher's desk."""

    def __init__(self, roster: Roster, store: JobStore) -> None:
        self._roster, self._store = roster, store

    def move(self, job: Job, before: Job | None) -> None:
        """Let `job` run right before another one (which gives it its priority), or last.

        Raises WrongState for a job that does not wait, StoreUnavailable when it cannot be written.
        """
        self.refuse_unless_waiting(job, *([before] if before else []))
        if job is before:
            return
        others = [other for other in self._line(job, before) if other is not job]
        place = others.index(before) if before else len(others)
        after, ahead = others[place : place + 1], others[:place][-1:]
        like = before or (ahead[0] if ahead else job)
        same = [other.turn for other in ahead if other.priority == like.priority]
        turn = turn_between(same[0] if same else None, after[0].turn if after else None)
        if turn is None:
            self._renumber(others)
            self.move(job, before)
        else:
            self._write([job], [{"turn": turn, "priority": like.priority}])

    def _line(self, job: Job, before: Job | None) -> list[Job]:
        held = before.held if before else job.held
        return self._roster.held() if held else self._roster.waiting()

    def _renumber(self, jobs: list[Job]) -> None:
        """Whole numbers for the turns of `jobs`, which stand in their order."""
        first = min((job.turn for job in jobs), default=0.0)
        self._write(jobs, [{"turn": first + STEP * place} for place in range(len(jobs))])

    def set_priority(self, job: Job, priority: int) -> None:
        """Let `job` run before all of lower priority. Raises as `move`, InvalidRequest for an odd number."""
        refuse_priority(priority)
        self.refuse_unless_waiting(job)
        self._write([job], [{"priority": priority}])

    def edit(self, job: Job, order: Order) -> None:
        """Another order in the place of the waiting job's. Raises as `move`."""
        self.refuse_unless_waiting(job)
        self._write([job], [{"order": order, "cost": cost_of(order)}])

    def release(self, jobs: Iterable[Job]) -> None:
        """Let held jobs wait for their turn like others. Raises StoreUnavailable."""
        held = list(jobs)
        self._write(held, [{"held": False}] * len(held))

    @staticmethod
    def refuse_unless_waiting(*jobs: Job) -> None:
        """Raises WrongState for a job that does not wait."""
        for job in jobs:
            if job.state is not JobState.WAITING:
                raise WrongState(f"Job {job.id} is {job.state}; only a waiting job can be changed or moved.")

    def _write(self, jobs: list[Job], changes: list[dict[str, Any]]) -> None:
        before = [
            {name: getattr(job, name) for name in change} for job, change in zip(jobs, changes, strict=True)
        ]
        _set(jobs, changes)
        names = {name: None for change in changes for name in change}
        columns = ["order_text" if name == "order" else name for name in names]
        try:
            self._store.change(jobs, *columns)
        except StoreUnavailable:
            _set(jobs, before)
            raise


def refuse_priority(priority: int) -> None:
    """Raises InvalidRequest for a priority out of bounds."""
    if not -HIGHEST_PRIORITY <= priority <= HIGHEST_PRIORITY:
        raise InvalidRequest(
            "priority",
            f"A priority runs from {-HIGHEST_PRIORITY} to {HIGHEST_PRIORITY}, and 0 is the usual one.",
        )


def _set(jobs: list[Job], changes: list[dict[str, Any]]) -> None:
    for job, change in zip(jobs, changes, strict=True):
        for name, value in change.items():
            setattr(job, name, value)
