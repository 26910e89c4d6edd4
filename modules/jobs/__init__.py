"""Running work: the queue of jobs, its database, their progress, and who draws them."""

from modules.jobs.errors import QueueClosed, QueueFull, StoreUnavailable, WorkerLost, WrongState
from modules.jobs.events import EventKind, JobEvent, Subscription
from modules.jobs.job import Job, JobState, Preview
from modules.jobs.queue import JobQueue
from modules.jobs.rules import QueueRules, ResumeAtStart
from modules.jobs.work import Share, Worker, cost_of, share_out

__all__ = [
    "EventKind",
    "Job",
    "JobEvent",
    "JobQueue",
    "JobState",
    "Preview",
    "QueueClosed",
    "QueueFull",
    "QueueRules",
    "ResumeAtStart",
    "Share",
    "StoreUnavailable",
    "Subscription",
    "Worker",
    "WorkerLost",
    "WrongState",
    "cost_of",
    "share_out",
]
