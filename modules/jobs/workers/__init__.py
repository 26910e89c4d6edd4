"""Who draws: this process, other processes, other machines."""

from modules.jobs.workers.local import LocalWorker
from modules.jobs.workers.making import draws_here, make_workers
from modules.jobs.workers.process import ProcessWorker

__all__ = ["LocalWorker", "ProcessWorker", "draws_here", "make_workers"]
