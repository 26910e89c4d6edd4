"""The queue of jobs."""

from typing import ClassVar, Literal

from modules.settings.declare import Section, option

__all__ = ["Queue"]


class Queue(Section):
    """How many jobs may wait, what becomes of those that a crash left, how long past ones are remembered."""

    section_id: ClassVar[str] = "queue"
    section_title: ClassVar[str] = "Queue"

    max_queue: int = option(
        1000, "Most jobs that may wait", help="One more is refused until there is room.", ge=1, le=100_000
    )
    resume_jobs_at_start: Literal["Go on", "Ask"] = option(
        "Go on",
        "Unfinished jobs that a start finds",
        help="Ask: they are held on the Queue tab until you release them.",
    )
    queue_crash_limit: int = option(
        2,
        "Crashes after which a job is set aside",
        help="In a row, with no new picture in between.",
        ge=1,
        le=100,
    )
    queue_keep_jobs: int = option(
        500, "Past jobs that are remembered", help="Saved pictures always stay.", ge=1, le=100_000
    )
    queue_keep_days: float = option(
        30, "Days that past jobs are remembered", help="0: for ever.", ge=0, le=1e6
    )
    queue_keep_spool_mb: float = option(
        8192,
        "Megabytes of pictures that were not saved",
        help="Of past jobs; beyond them the oldest such jobs are forgotten.",
        ge=0,
        le=1e9,
    )
    queue_keep_inputs_mb: float = option(
        2048,
        "Megabytes of pictures that past jobs started from",
        help="Kept so that such a job can be sent again and its pictures verified; the oldest go first.",
        ge=0,
        le=1e9,
    )
