"""How long jobs will take, from the speed of like ones."""

import statistics
from collections import deque
from collections.abc import Sequence

from modules.generation import Order
from modules.jobs.job import Job, JobState

__all__ = ["Forecast"]

REMEMBERED = 64
Likeness = tuple[object, ...]


def _likeness(order: Order) -> Likeness:
    """From what matters most to what matters least for the speed of a step."""
    request = order.request
    return order.settings.get("sd_model_checkpoint"), request.width * request.height, request.sampler


class Forecast:
    """Remembers the speed of the newest jobs, in seconds for a unit of work (see `work.cost_of`)."""

    def __init__(self) -> None:
        self._speeds: deque[tuple[Likeness, float]] = deque(maxlen=REMEMBERED)

    def learn(self, job: Job) -> None:
        """Remember how fast a job was that was done in one go."""
        if job.state is JobState.DONE and job.seconds > 0:
            self._speeds.append((_likeness(job.order), job.seconds / job.cost))

    def seconds_of(self, job: Job) -> float | None:
        """How long `job` needs in all: the median of the jobs that are most like it; None without any."""
        likeness = _likeness(job.order)
        for length in range(len(likeness), -1, -1):
            like = [speed for other, speed in self._speeds if other[:length] == likeness[:length]]
            if like:
                return statistics.median(like) * job.cost
        return None

    def seconds_left(self, job: Job) -> float | None:
        """How long `job` still needs once it is worked on, None where nothing is known."""
        if job.state.is_final:
            return 0.0
        if job.state is JobState.RUNNING and job.eta_seconds is not None:
            return job.eta_seconds
        whole = self.seconds_of(job)
        return None if whole is None else max(whole - job.elapsed, 0.0)

    def seconds_until(self, job: Job, ahead: Sequence[Job]) -> float | None:
        """How long until `job` has ended, when the jobs `ahead` end first; None where nothing is known."""
        parts = [self.seconds_left(each) for each in (*ahead, job)]
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None
