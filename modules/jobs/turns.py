"""Whose turn it is: start-time fair queuing between clients.

After Goyal, Vin and Cheng, "Start-time Fair Queuing" (SIGCOMM 1996): each job gets a start tag, its turn, and
jobs run in the order of their turns. A client's next job starts where its last one ends in virtual time,
measured in work, but never before the virtual time that is now; so a client with one job need not wait for
the hundred of another. Nothing here reads a clock.
"""

from collections.abc import Iterable

__all__ = ["Turns", "turn_between"]

STEP = 1.0


class Turns:
    """Gives turns to jobs as they come."""

    def __init__(self) -> None:
        self._now = 0.0
        self._ends: dict[str, float] = {}

    @property
    def now(self) -> float:
        """Virtual time: the largest turn that has begun."""
        return self._now

    def next_of(self, client: str) -> float:
        """The turn that the next job of `client` would have."""
        return max(self._now, self._ends.get(client, self._now))

    def take(self, client: str, cost: float) -> float:
        """The turn of the next job of `client`, which is `cost` work (more than 0)."""
        turn = self.next_of(client)
        self._ends[client] = turn + cost
        return turn

    def begin(self, turn: float) -> None:
        """A job with this turn begins. Clients whose last job ends before now have no debt to remember."""
        self._now = max(self._now, turn)
        self._ends = {client: end for client, end in self._ends.items() if end > self._now}

    def remember(self, jobs: Iterable[tuple[str, float, float]]) -> None:
        """Take up where another program stopped: (client, turn, cost) of the jobs that are left."""
        left = list(jobs)
        self._now = min((turn for _, turn, _ in left), default=0.0)
        for client, turn, cost in left:
            self._ends[client] = max(self._ends.get(client, 0.0), turn + cost)


def turn_between(before: float | None, after: float | None) -> float | None:
    """A turn between two others (None: there is none on that side).

    None when there is no number left between them: then all have to be numbered anew.
    """
    if before is None or after is None:
        return (before or 0.0) + STEP if after is None else after - STEP
    middle = before + (after - before) / 2
    return middle if before < middle < after else None
