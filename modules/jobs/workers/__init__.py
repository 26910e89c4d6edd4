"""Who draws: this process, other processes, other machines."""

from modules.jobs.workers.local import LocalWorker

__all__ = ["LocalWorker"]
