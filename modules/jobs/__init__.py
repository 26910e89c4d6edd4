"""Running work: the queue of jobs, their progress, and how they are stopped."""

from modules.jobs.job import Job, JobState, JobWatcher, Preview
from modules.jobs.queue import JobQueue

__all__ = ["Job", "JobQueue", "JobState", "JobWatcher", "Preview"]
