"""How far the work is: the field's two progress routes, and the buttons that stop it.

All read whole values of a job that a worker writes; none waits for it.
"""

import time
from typing import Annotated

from fastapi import APIRouter, Query

from modules.door import Router
from modules.errors import NotFound
from modules.house import House
from modules.jobs import Job, JobState
from modules.rest.errors import error_statuses
from modules.rest.pictures import encode_bytes
from modules.rest.previews import PreviewEncoder
from modules.rest.sdapi.answers import (
    Empty,
    PendingTasks,
    ProgressAnswer,
    ProgressState,
    TaskProgressAnswer,
    TaskProgressQuestion,
)

__all__ = ["progress_routes"]

TIMESTAMP = "%Y%m%d%H%M%S"
WithoutPreview = Annotated[bool, Query(description="Leave the preview out; it is the larger part.")]


def _state(job: Job | None) -> ProgressState:
    if job is None:
        return ProgressState()
    report = job.report
    state = ProgressState(
        skipped=job.skip_asked.is_set(),
        interrupted=job.stop_asked.is_set(),
        stopping_generation=job.stop_asked.is_set(),
        job=job.id,
        job_timestamp=time.strftime(TIMESTAMP, time.localtime(job.started or job.created)),
    )
    if report:
        state.job_count, state.job_no = report.batches, report.batch
        state.sampling_step, state.sampling_steps = report.done, report.total
    return state


def _task_answer(house: House, job: Job) -> TaskProgressAnswer:
    answer = TaskProgressAnswer(
        active=job.state is JobState.RUNNING,
        queued=job.state is JobState.WAITING,
        completed=job.state.is_final,
        progress=job.progress,
        eta=job.eta_seconds,
    )
    if answer.queued:
        waiting = house.queue.waiting()
        ahead = len(house.queue.running()) + (waiting.index(job) if job in waiting else 0)
        answer.textinfo = f"In queue: {ahead} before this one" if ahead else "In queue: next"
    elif answer.active and job.report:
        answer.textinfo = job.report.stage
    return answer


def progress_routes(house: House, previews: PreviewEncoder) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(tags=["progress"], responses=error_statuses())

    @router.get("/sdapi/v1/progress", responses=error_statuses(422))
    async def progress(skip_current_image: WithoutPreview = False) -> ProgressAnswer:
        """Progress of the running job; zeros when nothing runs."""
        job = house.queue.current()
        if job is None:
            return ProgressAnswer(progress=0.0, eta_relative=0.0, state=_state(None))
        preview = None if skip_current_image else job.look_at_preview()
        return ProgressAnswer(
            progress=job.progress,
            eta_relative=job.eta_seconds or 0.0,
            state=_state(job),
            current_image=encode_bytes(await previews.encoded(preview, "png")) if preview else None,
            textinfo=job.report.stage if job.report else None,
        )

    @router.post("/internal/progress", responses=error_statuses(422))
    async def task_progress(question: TaskProgressQuestion) -> TaskProgressAnswer:
        """Progress of one task; an unknown one is neither active, queued nor completed."""
        try:
            job = house.queue.get(question.id_task or "")
        except NotFound:
            return TaskProgressAnswer(
                active=False, queued=False, completed=False, id_live_preview=-1, textinfo="Waiting..."
            )
        answer = _task_answer(house, job)
        answer.id_live_preview = question.id_live_preview
        preview = job.look_at_preview() if answer.active and question.live_preview else None
        if preview and preview.number != question.id_live_preview:
            kind = house.store.options.live_previews_image_format
            data = encode_bytes(await previews.encoded(preview, kind))
            answer.live_preview = f"data:image/{kind};base64,{data}"
            answer.id_live_preview = preview.number
        return answer

    @router.get("/internal/pending-tasks")
    async def pending_tasks() -> PendingTasks:
        """The tasks that wait for their turn."""
        tasks = [job.id for job in house.queue.waiting()]
        return PendingTasks(size=len(tasks), tasks=tasks)

    @router.post("/sdapi/v1/interrupt")
    def interrupt() -> Empty:
        """Stop the running job after its current step; what is made stays."""
        house.queue.interrupt()
        house.interrogation.interrupt()
        return Empty()

    @router.post("/sdapi/v1/skip")
    def skip() -> Empty:
        """End the running batch after its current step and go on with the next."""
        house.queue.skip()
        return Empty()

    return router
