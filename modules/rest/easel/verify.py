"""Verifying a picture: it is made again as a job of its own, and compared."""

import contextlib
import io
import time

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from modules.door import Router
from modules.errors import EaselError, InvalidRequest, TooBusy
from modules.generation import MadePicture, PictureRecord
from modules.house import House
from modules.imaging import decode_picture
from modules.imaging import picture_file as sent_file
from modules.jobs import Job
from modules.proof import Proof, Verdict, cannot, judge, read_evidence, retrace
from modules.rest.easel.files import find_picture, picture_file
from modules.rest.easel.verdicts import VerdictAnswer, VerifyQuestion, verdict_answer
from modules.rest.errors import error_statuses
from modules.rest.mailbox import has_ended_within
from modules.rest.pictures import GivenPictures
from modules.rest.sdapi.generation import client_of

__all__ = ["verify_routes"]

SOURCE = "verify"
BEFORE_OTHERS = 1
"""The priority of a picture, which takes no longer than its batch; a grid waits its turn."""
LOOK_SECONDS = 0.5
"""How often it is looked whether somebody still waits."""
ENDING_SECONDS = 30.0
"""How long a job that was told to stop may take to do so."""


def verify_routes(house: House, given: GivenPictures) -> APIRouter:
    """The routes of this file, bound to `house` and the pictures that calls give."""
    router = Router(prefix="/easel/v1", tags=["proof"])

    @router.post("/verify", responses=error_statuses(404, 422, 429, 503, 507))
    async def verify(question: VerifyQuestion, http: Request) -> VerdictAnswer:
        """Make a picture again from what it carries, and say whether it is the same: bit for bit, within
        rounding, or what differs first.

        It goes before the jobs that wait, and after the one that runs. Who goes away takes the question back.
        """
        source = await run_in_threadpool(_source, house, given, question)
        sources = await run_in_threadpool(_sources, given, question)
        try:
            proof = await house.reading.run(
                lambda: retrace(read_evidence(io.BytesIO(source)), house.engine, sources)
            )
        except TooBusy:
            raise
        except EaselError as error:
            return verdict_answer(cannot(error))
        job = await run_in_threadpool(_submitted, house, proof, client_of(http))
        try:
            await _ended(house, job, http, question.wait_seconds)
            return verdict_answer(await house.reading.run(_judged, proof, job))
        finally:
            await run_in_threadpool(_put_away, house, job)

    return router


def _source(house: House, given: GivenPictures, question: VerifyQuestion) -> bytes:
    """The file of the picture that is meant. Raises InvalidRequest for none or two, NotFound for an unknown
    job.
    """
    if (question.picture is None) == (question.job is None):
        raise InvalidRequest("picture", "Name one picture: `picture` in base64, or `job` and `name`.")
    if question.job is None:
        text = given.text("picture", question.picture or "")
        decode_picture("picture", text)
        return sent_file(text)
    job = house.queue.get(question.job)
    return picture_file(job, find_picture(job, question.name)).data


def _sources(given: GivenPictures, question: VerifyQuestion) -> list[bytes]:
    """The files of the pictures that it was drawn from. Raises InvalidRequest for what is none."""
    texts = [given.text("sources", text) for text in question.sources]
    for text in texts:
        decode_picture("sources", text)
    return [sent_file(text) for text in texts]


def _submitted(house: House, proof: Proof, client: str) -> Job:
    priority = BEFORE_OTHERS if len(proof.wanted) == 1 else 0
    return house.queue.submit(proof.order, client=client, source=SOURCE, priority=priority)


async def _ended(house: House, job: Job, http: Request, wait_seconds: float) -> None:
    """Waits until `job` ends, or nobody waits for it any more."""
    latest = time.monotonic() + wait_seconds
    while not await has_ended_within(LOOK_SECONDS, house.queue, job):
        if time.monotonic() > latest or await http.is_disconnected():
            await run_in_threadpool(house.queue.interrupt, job.id)
            await has_ended_within(ENDING_SECONDS, house.queue, job)
            return


def _judged(proof: Proof, job: Job) -> Verdict:
    try:
        if isinstance(job.error, EaselError):
            raise job.error
        result = job.result
        whole = {each.index: each for each in job.pictures if _is_whole(each)}
        if result is None or result.model is None or set(proof.wanted) - set(whole):
            raise EaselError("Drawing it again did not come to its end, so nothing was compared.")
        return judge(proof, [whole[index].pixels() for index in proof.wanted], result.model)
    except EaselError as error:
        return cannot(error)


def _is_whole(picture: MadePicture) -> bool:
    """Whether the picture was drawn to its last step; one that was skipped or stopped was not."""
    record = picture.carried_record()
    return record is not None and PictureRecord.model_validate_json(record).complete


def _put_away(house: House, job: Job) -> None:
    """The picture was drawn to be compared; nobody looks for it in the list of jobs."""
    with contextlib.suppress(EaselError):
        house.queue.forget(job.id)
