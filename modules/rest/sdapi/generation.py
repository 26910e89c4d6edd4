"""Making pictures over the API: submit a job, wait for it, answer."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from modules.door import Router
from modules.errors import EaselError
from modules.generation import PictureKinds, picture_bytes
from modules.house import House
from modules.jobs import Job
from modules.rest.errors import error_statuses
from modules.rest.mailbox import has_ended_within
from modules.rest.pictures import GivenPictures, encode_bytes
from modules.rest.sdapi.answers import Img2ImgAnswer, PicturesAnswer, Txt2ImgAnswer
from modules.rest.sdapi.img2img_call import Img2ImgCall
from modules.rest.sdapi.txt2img_call import Txt2ImgCall

__all__ = ["client_of", "generation_routes"]

LOOK_SECONDS = 60.0
"""Between two looks at a job that tells by itself when it ends."""


def _answer(job: Job, parameters: dict[str, Any], send_images: bool) -> PicturesAnswer:
    if job.error is not None:
        raise job.error
    result = job.result
    if result is None:
        raise EaselError("The job was stopped before it began, so there are no pictures.")
    pictures = result.pictures if send_images else ()
    unsaved = [picture.unsaved for picture in result.pictures if picture.unsaved]
    if unsaved and not send_images:
        raise EaselError(f"{len(unsaved)} of {len(result.pictures)} pictures are lost. {unsaved[0]}")
    return PicturesAnswer(
        images=[encode_bytes(picture_bytes(picture, job.run)) for picture in pictures],
        parameters=parameters,
        info=result.info_json(job.notes),
    )


def client_of(http: Request) -> str:
    """Who calls, as the queue knows clients."""
    return f"api {http.client.host}" if http.client else "api"


async def _made(
    house: House, request: PictureKinds, parameters: dict[str, Any], http: Request
) -> PicturesAnswer:
    """The answer with the pictures of `request`, once its job has ended."""
    job = await house.reading.run(house.submit_request, request, client=client_of(http))
    # A thread for each caller that waits would soon leave none for the others.
    while not await has_ended_within(LOOK_SECONDS, house.queue, job):
        pass
    return await run_in_threadpool(_answer, job, parameters, request.send_images)


def generation_routes(house: House, given: GivenPictures) -> APIRouter:
    """The routes of this file, bound to `house` and the pictures that calls give."""
    router = Router(prefix="/sdapi/v1", tags=["pictures"])
    errors = error_statuses(404, 422, 429, 503, 507)

    @router.post("/txt2img", responses=errors, response_model=Txt2ImgAnswer)
    async def txt2img(call: Txt2ImgCall, http: Request) -> PicturesAnswer:
        """Make pictures from text, and answer when they are all made.

        `force_task_id` lets others follow meanwhile; the same id again is the same job. What a person should
        know, such as that a picture could not be saved, stands in `info` under "notes".
        """
        request = await run_in_threadpool(call.request, house.store.options)
        parameters = call.model_dump(mode="json") | request.model_dump(mode="json")
        return await _made(house, request, parameters, http)

    @router.post("/img2img", responses=errors, response_model=Img2ImgAnswer)
    async def img2img(call: Img2ImgCall, http: Request) -> PicturesAnswer:
        """Make pictures from pictures, whole or where a mask lets it; otherwise as `/sdapi/v1/txt2img`."""
        request = await run_in_threadpool(call.request, house.store.options)
        request = await run_in_threadpool(given.of_request, request)
        return await _made(house, request, call.told_back(), http)

    return router
