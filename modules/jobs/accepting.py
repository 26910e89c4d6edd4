"""Taking a job into the queue. Whoever calls holds the dispatcher's desk."""

import hashlib
import math

from modules.generation import Order
from modules.jobs.errors import QueueFull
from modules.jobs.job import Job
from modules.jobs.office import Office
from modules.jobs.store import IdempotencyKey
from modules.jobs.work import cost_of

__all__ = ["accept", "digest_of", "refuse_when_full"]

SHORTEST_RETRY_SECONDS, USUAL_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1, 5, 600


def accept(office: Office, job: Job, key: IdempotencyKey | None) -> None:
    """Give `job` its turn, write it into the database, and let it wait. Raises StoreUnavailable."""
    job.cost = cost_of(job.order)
    job.turn = office.turns.next_of(job.client)
    office.store.accept(job, key)
    # Only now: a client whose jobs cannot be written has no debt for having tried.
    office.turns.take(job.client, job.cost)
    office.roster.add(job)


def refuse_when_full(office: Office, most: int) -> None:
    """Raises QueueFull when `most` jobs wait."""
    if len(office.roster.waiting()) + len(office.roster.held()) < most:
        return
    left = [office.forecast.seconds_left(job) for job in office.roster.running()]
    soonest = min((seconds for seconds in left if seconds is not None), default=USUAL_RETRY_SECONDS)
    retry_after = min(max(math.ceil(soonest), SHORTEST_RETRY_SECONDS), LONGEST_RETRY_SECONDS)
    raise QueueFull(
        f"{most} jobs are waiting already, as many as the setting max_queue allows; send this one again in "
        f"about {retry_after} s.",
        retry_after,
    )


def digest_of(order: Order) -> str:
    """A digest of what was asked for. The seeds may have been drawn, so they do not count."""
    asked = order.request.model_dump_json(exclude={"seed", "subseed", "force_task_id"})
    return hashlib.sha256(f"{order.save} {asked}".encode()).hexdigest()
