"""Making pictures over the API: submit a job, wait for it, answer."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from modules.errors import EaselError
from modules.generation import Txt2ImgRequest, parse_txt2img, picture_bytes
from modules.house import House
from modules.infotext import read_infotext, to_request_values
from modules.jobs import Job
from modules.rest.answers import Txt2ImgAnswer
from modules.rest.pictures import encode_bytes
from modules.settings import Options

__all__ = ["generation_routes"]


def _with_infotext(request: Txt2ImgRequest, options: Options) -> Txt2ImgRequest:
    """`request` with the values of its `infotext` where it names none itself (the prompts too).

    Raises InvalidRequest for a value of the text that is out of bounds.
    """
    if not request.infotext:
        return request
    found = to_request_values(read_infotext(request.infotext), skip=options.infotext_skip_pasting)
    given = request.model_dump(include=request.model_fields_set)
    settings = {**found.pop("override_settings", {}), **request.override_settings}
    return parse_txt2img({**found, **given, "override_settings": settings})


def _answer(house: House, job: Job, request: Txt2ImgRequest) -> Txt2ImgAnswer:
    if job.error is not None:
        raise job.error
    result = job.result
    if result is None:
        raise EaselError("The job was stopped before it began, so there are no pictures.")
    pictures = result.pictures if request.send_images else ()
    unsaved = [picture.unsaved for picture in result.pictures if picture.unsaved]
    if unsaved and not request.send_images:
        raise EaselError(f"{len(unsaved)} of {len(result.pictures)} pictures are lost. {unsaved[0]}")
    encoded = [encode_bytes(picture_bytes(picture, job.run)) for picture in pictures]
    info = result.info_json(job.notes)
    parameters: dict[str, Any] = request.model_dump(mode="json")
    return Txt2ImgAnswer(images=encoded, parameters=parameters, info=info)


def generation_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = APIRouter(prefix="/sdapi/v1", tags=["generation"])

    @router.post("/txt2img")
    async def txt2img(request: Txt2ImgRequest, http: Request) -> Txt2ImgAnswer:
        """Make pictures from text.

        The answer comes when they are all made; `force_task_id` lets others follow meanwhile. What a person
        should know, such as that a picture could not be saved, stands in `info` under "notes".
        """
        asked = await run_in_threadpool(_with_infotext, request, house.store.options)
        client = http.client.host if http.client else "api"
        job = await run_in_threadpool(house.submit_txt2img, asked, client=f"api {client}")
        await run_in_threadpool(house.queue.wait, job)
        return await run_in_threadpool(_answer, house, job, asked)

    return router
