"""The jobs in memory: those that wait, those that run, and the newest of the past."""

import threading

from modules.jobs.job import Job, JobState

__all__ = ["Roster", "turn_key"]


def turn_key(job: Job) -> tuple[int, float, int]:
    """What jobs are sorted by: priority first, then turn, then the order in which they came."""
    return -job.priority, job.turn, job.number


class Roster:
    """Looks up jobs in no time. Past jobs beyond the newest `keep` leave memory; the database has them."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def add(self, job: Job) -> None:
        """Take in a job."""
        with self._lock:
            self._jobs[job.id] = job

    def forget(self, job: Job) -> None:
        """Let go of a job."""
        with self._lock:
            self._jobs.pop(job.id, None)

    def trim(self) -> None:
        """Let go of the oldest past jobs."""
        with self._lock:
            ended = [name for name, job in self._jobs.items() if job.state.is_final]
            for name in ended[: max(len(ended) - self._keep, 0)]:
                del self._jobs[name]

    def get(self, job_id: str) -> Job | None:
        """The job with this id, if it is in memory."""
        with self._lock:
            return self._jobs.get(job_id)

    def jobs(self) -> list[Job]:
        """All, in the order in which they were accepted."""
        with self._lock:
            return list(self._jobs.values())

    def running(self) -> list[Job]:
        """The jobs that are worked on, the one that began first in front."""
        return sorted(self._in_state(JobState.RUNNING), key=lambda job: (job.began_at or (0.0,))[0])

    def waiting(self) -> list[Job]:
        """The jobs whose turn has not come, next first."""
        return sorted((job for job in self._in_state(JobState.WAITING) if not job.held), key=turn_key)

    def held(self) -> list[Job]:
        """The jobs that wait for a person's word, next first."""
        return sorted((job for job in self._in_state(JobState.WAITING) if job.held), key=turn_key)

    def _in_state(self, state: JobState) -> list[Job]:
        return [job for job in self.jobs() if job.state is state]
