"""Jobs: ordered, listed, stopped, repeated."""

import hashlib
import json
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import Field

from modules.door import Router
from modules.errors import InvalidRequest, NotFound
from modules.generation import Order
from modules.house import House
from modules.jobs import Job, JobQueue, JobState
from modules.rest.easel.answers import (
    JobAnswer,
    JobList,
    JobOrder,
    MoveOrder,
    PriorityOrder,
    job_answer,
    job_url,
)
from modules.rest.errors import error_statuses
from modules.rest.pictures import GivenPictures
from modules.rest.sdapi.generation import client_of

__all__ = ["JobId", "job_routes"]

WRITTEN = (503, 507)
"""What any call may answer that the database has to keep."""
LONGEST_PAGE = 500
IdempotencyKey = Annotated[
    str | None,
    Header(max_length=200, description="The same key again is the same job, however often it is sent."),
]
JobName = Annotated[str, Field(max_length=200)]
IDS = "Only the jobs of these ids, in this order; those that are not known any more are left out."
JobId = Annotated[str, Path(max_length=200, description="The id of the job.")]


def ordered(house: House, given: GivenPictures, order: JobOrder) -> Order:
    """The definite order. Raises InvalidRequest for an id that a job's URL cannot be made of, too."""
    name = order.request.force_task_id or ""
    if "/" in name or name in (".", ".."):
        field = "request.force_task_id"
        raise InvalidRequest(field, f"{field} cannot be {name!r}: the job's URL is made of it. Use no slash.")
    request = given.of_request(order.request.request(house.store.options))
    return house.order(request, order.save)


def placed(house: House, job: Job) -> JobAnswer:
    """The job with its place in the queue and its forecast."""
    waiting = house.queue.waiting() if job.state is JobState.WAITING else []
    position = waiting.index(job) if job in waiting else None
    eta = None if job.state.is_final else house.queue.forecast(job)
    return job_answer(job, position, eta)


def told(house: House, job: Job) -> JobAnswer:
    """The job with its place in the queue, its forecast and, once it has ended, its `info`."""
    answer = placed(house, job)
    if job.state.is_final and (result := job.result):
        answer.info = json.loads(result.info_json(job.notes))
    return answer


def known_jobs(queue: JobQueue, ids: list[str]) -> list[Job]:
    """Those of `ids` that are not forgotten, in this order."""
    found = []
    for job_id in ids:
        with suppress(NotFound):
            found.append(queue.get(job_id))
    return found


def page_of_jobs(queue: JobQueue, states: list[JobState], most: int, before: str | None) -> list[Job]:
    """Up to `most` jobs in one of `states` (none: any) that stand behind the job `before` in the list.

    Raises NotFound when that job has been forgotten.
    """
    behind = queue.get(before) if before else None
    unfinished = [*queue.running(), *queue.waiting(), *queue.held()]
    if behind in unfinished:
        unfinished, behind = unfinished[unfinished.index(behind) + 1 :], None
    elif behind is not None:
        unfinished = []
    found = [job for job in unfinished if not states or job.state in states]
    if states and not any(state.is_final for state in states):
        return found[:most]
    last = behind.id if behind else None
    while len(found) < most and (past := queue.history(most, last)):
        found += [job for job in past if not states or job.state in states]
        last = past[-1].id
    return found[:most]


def job_routes(house: House, given: GivenPictures) -> APIRouter:
    """The routes of this file, bound to `house` and the pictures that calls give."""
    router = Router(prefix="/easel/v1/jobs", tags=["jobs"], responses=error_statuses(404, 422))

    @router.post("", status_code=202, responses=error_statuses(*WRITTEN, 429))
    @house.reading.route
    def submit(
        order: JobOrder, http: Request, response: Response, idempotency_key: IdempotencyKey = None
    ) -> JobAnswer:
        """Accept work. The answer comes at once; `Location` says where the job is. It is kept even if the
        program dies the moment after.
        """
        job = house.queue.submit(
            ordered(house, given, order),
            job_id=order.request.force_task_id,
            client=client_of(http),
            source=client_of(http),
            priority=order.priority,
            idempotency_key=idempotency_key,
            fingerprint=hashlib.sha256(order.model_dump_json().encode()).hexdigest(),
        )
        response.headers["Location"] = job_url(job.id)
        return told(house, job)

    @router.get("")
    def list_jobs(
        state: Annotated[list[JobState], Query(description="Only these; none: all.")] = [],  # noqa: B006
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="At most so many.")] = 50,
        before: Annotated[str | None, Query(max_length=200, description="`next` of the page before.")] = None,
        ids: Annotated[list[JobName], Query(alias="id", max_length=LONGEST_PAGE, description=IDS)] = [],  # noqa: B006
    ) -> JobList:
        """The jobs that run, then those that wait in the order in which they will run, then those that are
        held, then the past ones, newest first.
        """
        if ids:
            return JobList(jobs=[placed(house, job) for job in known_jobs(house.queue, ids)], next=None)
        found = page_of_jobs(house.queue, state, limit + 1, before)
        answers = [job_answer(job, eta=job.eta_seconds) for job in found[:limit]]
        return JobList(jobs=answers, next=answers[-1].id if len(found) > limit else None)

    @router.get("/{job_id}")
    def get_job(job_id: JobId) -> JobAnswer:
        """A job as it stands."""
        return told(house, house.queue.get(job_id))

    @router.put("/{job_id}", responses=error_statuses(*WRITTEN, 409, 429))
    @house.reading.route
    def edit(job_id: JobId, order: JobOrder) -> JobAnswer:
        """Put another order in the place of a waiting job's; it keeps its turn."""
        house.queue.edit(job_id, ordered(house, given, order))
        return told(house, house.queue.get(job_id))

    @router.delete("/{job_id}", status_code=204, responses=error_statuses(*WRITTEN, 409))
    def forget(job_id: JobId) -> None:
        """Forget a job that has ended. Pictures among the outputs stay."""
        house.queue.forget(job_id)

    @router.delete("", status_code=204, responses=error_statuses(*WRITTEN))
    def forget_past() -> None:
        """Forget all jobs that have ended."""
        house.queue.forget_past()

    _ending_routes(router, house)
    _ordering_routes(router, house)
    return router


def _ending_routes(router: APIRouter, house: House) -> None:
    @router.post("/{job_id}/cancel", responses=error_statuses(*WRITTEN, 409))
    def cancel(job_id: JobId) -> JobAnswer:
        """Take back a job that waits."""
        house.queue.cancel(job_id)
        return told(house, house.queue.get(job_id))

    @router.post("/{job_id}/interrupt")
    def interrupt(job_id: JobId) -> JobAnswer:
        """Stop a job after its current step; what is made stays. One that waits never begins."""
        house.queue.interrupt(job_id)
        return told(house, house.queue.get(job_id))

    @router.post("/{job_id}/skip")
    def skip(job_id: JobId) -> JobAnswer:
        """Let a running job go on with its next batch."""
        house.queue.skip(job_id)
        return told(house, house.queue.get(job_id))


def _ordering_routes(router: APIRouter, house: House) -> None:
    @router.post("/{job_id}/retry", status_code=202, responses=error_statuses(*WRITTEN, 409, 429))
    def retry(job_id: JobId, response: Response) -> JobAnswer:
        """The same order once more, as a new job."""
        return _accepted(house.queue.retry(job_id), response)

    @router.post("/{job_id}/duplicate", status_code=202, responses=error_statuses(*WRITTEN, 429))
    def duplicate(job_id: JobId, response: Response) -> JobAnswer:
        """The same order as a new job, whatever state this one is in."""
        return _accepted(house.queue.duplicate(job_id), response)

    @router.post("/{job_id}/move", responses=error_statuses(*WRITTEN, 409))
    def move(job_id: JobId, order: MoveOrder) -> JobAnswer:
        """Let a waiting job stand before another one, or at the end."""
        house.queue.move(job_id, order.before)
        return told(house, house.queue.get(job_id))

    @router.post("/{job_id}/priority", responses=error_statuses(*WRITTEN, 409))
    def set_priority(job_id: JobId, order: PriorityOrder) -> JobAnswer:
        """Give a waiting job another priority."""
        house.queue.set_priority(job_id, order.priority)
        return told(house, house.queue.get(job_id))

    def _accepted(job: Job, response: Response) -> JobAnswer:
        response.headers["Location"] = job_url(job.id)
        return told(house, job)
