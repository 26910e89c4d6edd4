"""What a start does with the jobs that it finds. Pure: it changes the jobs, and the caller writes them."""

import time
from collections.abc import Sequence

from modules.errors import EaselError
from modules.jobs.job import Job, JobState
from modules.jobs.roster import turn_key
from modules.jobs.rules import QueueRules, ResumeAtStart
from modules.jobs.turns import STEP

__all__ = ["after_a_crash", "begun_first", "set_aside"]


def set_aside(crashes: int) -> EaselError:
    """Why a job is not tried again."""
    times = "once" if crashes == 1 else f"{crashes} times in a row"
    return EaselError(
        f"The program or its worker died {times} over this job, with no new picture in between, so the "
        "job is set aside and the others go on. Its pictures so far are kept. If memory ran out, ask for a "
        "smaller size or batch; Retry sends it once more."
    )


def after_a_crash(job: Job, rules: QueueRules, left_alone: str = "") -> None:
    """Decide about an unfinished job that a start has found in the database.

    left_alone: a sentence about a file that it names and that was being read when the program died. Such a
    death counts twice, and a job that waits for such a file waits for a person's word.
    """
    if job.state is JobState.RUNNING:
        job.crashes += 2 if left_alone else 1
        job.state = JobState.WAITING
        if job.crashes >= rules.crash_limit:
            _end(job, JobState.FAILED)
            job.error = (
                EaselError(f"{left_alone} Retry does that too.") if left_alone else set_aside(job.crashes)
            )
    if job.stop_asked.is_set():
        _end(job, JobState.INTERRUPTED)
        job.error = None
    job.held = job.state is JobState.WAITING and (rules.resume is ResumeAtStart.ASK or bool(left_alone))


def begun_first(waiting: Sequence[Job]) -> list[Job]:
    """Give the jobs that had begun turns before all others, in their old order; the jobs that were changed.

    So files are numbered as if nothing had happened.
    """
    line = sorted(waiting, key=turn_key)
    begun = [job for job in line if job.started is not None]
    wanted = begun + [job for job in line if job.started is None]
    if sorted(wanted, key=lambda job: -job.priority) == line:
        return []
    first = min(job.turn for job in line) - STEP * len(begun)
    for place, job in enumerate(begun):
        job.turn = first + STEP * place
    return begun


def _end(job: Job, state: JobState) -> None:
    job.state = state
    job.finished = max(time.time(), job.started or job.created)
    job.ended.set()
