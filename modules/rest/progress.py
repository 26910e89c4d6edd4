"""How far the work is: the field's two progress routes, and the buttons that stop it."""

import base64
import io
import time

from fastapi import APIRouter
from PIL import Image

from modules.errors import NotFound
from modules.house import House
from modules.jobs import Job, JobState
from modules.rest.answers import PendingTasks, ProgressAnswer, TaskProgressAnswer, TaskProgressQuestion
from modules.rest.pictures import encode_bytes

__all__ = ["progress_routes"]


def _encoded(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def _state(job: Job | None) -> dict[str, object]:
    report = job.report if job else None
    return {
        "skipped": bool(job and job.skip_asked.is_set()),
        "interrupted": bool(job and job.stop_asked.is_set()),
        "stopping_generation": bool(job and job.stop_asked.is_set()),
        "job": job.id if job else "",
        "job_count": report.batches if report else 0,
        "job_timestamp": time.strftime("%Y%m%d%H%M%S", time.localtime(job.started or job.created))
        if job
        else "0",
        "job_no": report.batch if report else 0,
        "sampling_step": report.done if report else 0,
        "sampling_steps": report.total if report else 0,
    }


def _task_answer(house: House, job: Job, question: TaskProgressQuestion) -> TaskProgressAnswer:
    running = job.state is JobState.RUNNING
    answer = TaskProgressAnswer(
        active=running,
        queued=job.state is JobState.WAITING,
        completed=job.state.is_final,
        progress=job.progress,
        eta=job.eta_seconds,
        id_live_preview=question.id_live_preview,
    )
    if job.state is JobState.WAITING:
        ahead = house.queue.waiting().index(job) + 1 if job in house.queue.waiting() else 1
        answer.textinfo = f"In queue: {ahead} before this one"
    elif running and job.report:
        answer.textinfo = job.report.stage
    if running and question.live_preview:
        preview = job.look_at_preview()
        if preview and preview.number != question.id_live_preview:
            kind = job.run.options.live_previews_image_format
            data = base64.b64encode(_encoded(preview.image, kind)).decode("ascii")
            answer.live_preview = f"data:image/{kind};base64,{data}"
            answer.id_live_preview = preview.number
    return answer


def progress_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = APIRouter(tags=["progress"])

    @router.get("/sdapi/v1/progress")
    def progress(skip_current_image: bool = False) -> ProgressAnswer:
        """Progress of the running job; zeros when nothing runs."""
        job = house.queue.current()
        if job is None:
            return ProgressAnswer(progress=0.0, eta_relative=0.0, state=_state(None))
        preview = None if skip_current_image else job.look_at_preview()
        return ProgressAnswer(
            progress=job.progress,
            eta_relative=job.eta_seconds or 0.0,
            state=_state(job),
            current_image=encode_bytes(_encoded(preview.image, "png")) if preview else None,
            textinfo=job.report.stage if job.report else None,
        )

    @router.post("/internal/progress")
    def task_progress(question: TaskProgressQuestion) -> TaskProgressAnswer:
        """Progress of one task; an unknown one is neither active, queued nor completed."""
        try:
            job = house.queue.get(question.id_task or "")
        except NotFound:
            return TaskProgressAnswer(
                active=False, queued=False, completed=False, id_live_preview=-1, textinfo="Waiting..."
            )
        return _task_answer(house, job, question)

    @router.get("/internal/pending-tasks")
    def pending_tasks() -> PendingTasks:
        """The tasks that wait for their turn."""
        tasks = [job.id for job in house.queue.waiting()]
        return PendingTasks(size=len(tasks), tasks=tasks)

    @router.get("/internal/ping")
    def ping() -> dict[str, str]:
        """Answers as soon as the program serves."""
        return {}

    @router.post("/sdapi/v1/interrupt")
    def interrupt() -> dict[str, str]:
        """Stop the running job after its current step; what is made stays."""
        house.queue.interrupt()
        return {}

    @router.post("/sdapi/v1/skip")
    def skip() -> dict[str, str]:
        """End the running batch after its current step and go on with the next."""
        house.queue.skip()
        return {}

    return router
