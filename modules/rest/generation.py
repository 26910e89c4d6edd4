"""Making pictures over the API: submit a job, wait for it, answer."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from modules.generation import Txt2ImgRequest, picture_bytes
from modules.house import House
from modules.infotext import read_infotext, to_request_values
from modules.jobs import Job
from modules.rest.answers import Txt2ImgAnswer
from modules.rest.pictures import encode_bytes

__all__ = ["generation_routes"]


def _with_infotext(request: Txt2ImgRequest) -> Txt2ImgRequest:
    """`request` with the values of its `infotext` where it names none itself (the prompts too)."""
    if not request.infotext:
        return request
    found = to_request_values(read_infotext(request.infotext))
    given = request.model_dump(include=request.model_fields_set)
    settings = {**found.pop("override_settings", {}), **request.override_settings}
    return Txt2ImgRequest.model_validate({**found, **given, "override_settings": settings})


def _answer(house: House, job: Job, request: Txt2ImgRequest) -> Txt2ImgAnswer:
    if job.error is not None:
        raise job.error
    result = job.result
    pictures = [] if result is None or not request.send_images else result.pictures
    encoded = [encode_bytes(picture_bytes(picture, job.run)) for picture in pictures]
    info = result.info_json() if result else "{}"
    parameters: dict[str, Any] = request.model_dump(mode="json")
    return Txt2ImgAnswer(images=encoded, parameters=parameters, info=info)


def generation_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = APIRouter(prefix="/sdapi/v1", tags=["generation"])

    @router.post("/txt2img")
    async def txt2img(request: Txt2ImgRequest, http: Request) -> Txt2ImgAnswer:
        """Make pictures from text.

        The answer comes when they are all made; `force_task_id` lets others follow meanwhile.
        """
        asked = _with_infotext(request)
        client = http.client.host if http.client else "api"
        job = await run_in_threadpool(house.submit_txt2img, asked, client=f"api {client}")
        await run_in_threadpool(house.queue.wait, job)
        return await run_in_threadpool(_answer, house, job, asked)

    return router
