"""Making pictures over the API: submit a job, wait for it, answer."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from modules.errors import EaselError
from modules.generation import Txt2ImgRequest, picture_bytes
from modules.house import House
from modules.jobs import Job
from modules.rest.errors import error_statuses
from modules.rest.pictures import encode_bytes
from modules.rest.sdapi.answers import Txt2ImgAnswer
from modules.rest.sdapi.txt2img_call import Txt2ImgCall

__all__ = ["client_of", "generation_routes"]

LOOK_SECONDS = 0.03


def _answer(job: Job, call: Txt2ImgCall, request: Txt2ImgRequest) -> Txt2ImgAnswer:
    if job.error is not None:
        raise job.error
    result = job.result
    if result is None:
        raise EaselError("The job was stopped before it began, so there are no pictures.")
    pictures = result.pictures if request.send_images else ()
    unsaved = [picture.unsaved for picture in result.pictures if picture.unsaved]
    if unsaved and not request.send_images:
        raise EaselError(f"{len(unsaved)} of {len(result.pictures)} pictures are lost. {unsaved[0]}")
    return Txt2ImgAnswer(
        images=[encode_bytes(picture_bytes(picture, job.run)) for picture in pictures],
        parameters=call.model_dump(mode="json") | request.model_dump(mode="json"),
        info=result.info_json(job.notes),
    )


def client_of(http: Request) -> str:
    """Who calls, as the queue knows clients."""
    return f"api {http.client.host}" if http.client else "api"


def generation_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = APIRouter(prefix="/sdapi/v1", tags=["pictures"])

    @router.post("/txt2img", responses=error_statuses(400, 404, 413, 422, 429, 503, 507))
    async def txt2img(call: Txt2ImgCall, http: Request) -> Txt2ImgAnswer:
        """Make pictures from text, and answer when they are all made.

        `force_task_id` lets others follow meanwhile; the same id again is the same job. What a person should
        know, such as that a picture could not be saved, stands in `info` under "notes".
        """
        request = await run_in_threadpool(call.request, house.store.options)
        job = await run_in_threadpool(house.submit_txt2img, request, client=client_of(http))
        while not house.queue.wait(job, timeout=0):
            # A thread for each caller that waits would soon leave none for the others.
            await asyncio.sleep(LOOK_SECONDS)
        return await run_in_threadpool(_answer, job, call, request)

    return router
