"""What the settings say about the queue."""

from dataclasses import dataclass
from enum import StrEnum

from modules.settings import Options

__all__ = ["QueueRules", "ResumeAtStart"]


class ResumeAtStart(StrEnum):
    """What a start does with the jobs that it finds unfinished."""

    GO_ON = "Go on"
    ASK = "Ask"
    """They are held until a person releases or discards them."""


@dataclass(frozen=True)
class QueueRules:
    """The settings of the section Queue, as the queue uses them."""

    max_queue: int = 1000
    resume: ResumeAtStart = ResumeAtStart.GO_ON
    crash_limit: int = 2
    """So many crashes in a row without a new picture, and a job is set aside."""
    keep_jobs: int = 500
    keep_days: float = 30.0
    """0: for ever."""
    keep_inputs_bytes: int = 2 * 2**30
    """Of the pictures that past jobs started from; those of unfinished jobs are all kept."""
    keep_spool_bytes: int = 8 * 2**30
    """Of the pictures of past jobs that were not saved among the outputs."""

    @classmethod
    def from_options(cls, options: Options) -> "QueueRules":
        """As the current settings say."""
        return cls(
            max_queue=options.max_queue,
            resume=ResumeAtStart(options.resume_jobs_at_start),
            crash_limit=options.queue_crash_limit,
            keep_jobs=options.queue_keep_jobs,
            keep_days=options.queue_keep_days,
            keep_inputs_bytes=round(options.queue_keep_inputs_mb * 2**20),
            keep_spool_bytes=round(options.queue_keep_spool_mb * 2**20),
        )
