"""Routes of the Batch sub-tab: batches are begun, given pictures, stopped, gone on with, and told about."""

from itertools import islice
from typing import Any

from fastapi import APIRouter, UploadFile
from pydantic import BaseModel, Field, ValidationError

from modules.batches import (
    SMALLEST_PICTURE,
    Batch,
    BatchPlan,
    OutcomeKind,
    PromptUse,
    TextProperty,
    request_values,
)
from modules.door import Router
from modules.generation import parse_img2img, sentence_of_errors
from modules.house import House
from modules.web.form_requests import batch_values_of_form
from modules.web.shown import PAGE_CLIENT

__all__ = ["batch_routes"]

ONE_PIXEL = f"data:image/png;base64,{SMALLEST_PICTURE}"
MOST_NAMES = 200
"""Failed pictures that are named in one answer."""


class BatchSource(BaseModel):
    """What the sub-tab says beside the form."""

    input_folder: str = Field("", max_length=4000)
    output_folder: str = Field("", max_length=4000)
    mask_folder: str = Field("", max_length=4000)
    text_folder: str = Field("", max_length=4000)
    reads_pictures: bool = False
    reads_text_files: bool = False
    properties: tuple[TextProperty, ...] = tuple(TextProperty)
    prompt_use: PromptUse = PromptUse.APPEND


class SentBatch(BaseModel):
    """A form, and over which pictures it goes; `is_sent`: over those that are sent afterwards."""

    tab: str = Field(max_length=40)
    values: dict[str, Any]
    batch: BatchSource
    is_sent: bool = False


class BatchAnswer(BaseModel):
    """A batch as it stands."""

    id: str
    title: str = Field(description="Where its pictures come from.")
    state: str
    total: int
    done: int = Field(description="Pictures of which the outcome is known.")
    failed_count: int
    failed: dict[str, str] = Field(description="Sentences by the names of the first pictures that failed.")
    left_out: list[str]
    notice: str


def batch_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(prefix="/internal/web/batches", include_in_schema=False)
    batches = house.batches

    @router.get("")
    def all_batches() -> list[BatchAnswer]:
        """The batches that are remembered, newest first."""
        return [_answer(batch) for batch in reversed(batches.all())]

    @router.post("")
    def start(sent: SentBatch) -> BatchAnswer:
        """Begin a batch over a folder, or gather one whose pictures are sent afterwards."""
        plan, client = _plan(sent), f"{PAGE_CLIENT} {sent.tab}"
        return _answer(batches.gather(plan, client) if sent.is_sent else batches.start(plan, client))

    @router.post("/{batch_id}/pictures")
    def add_picture(batch_id: str, picture: UploadFile) -> dict[str, str]:
        """Take in one picture of a batch that is gathered."""
        return {"name": batches.add_picture(batch_id, picture.filename or "", picture.file)}

    @router.post("/{batch_id}/begin")
    def begin(batch_id: str) -> BatchAnswer:
        """All pictures are sent."""
        return _answer(batches.begin(batch_id))

    @router.post("/{batch_id}/stop")
    def stop(batch_id: str) -> BatchAnswer:
        """Draw what is drawn now to its end, and no more."""
        return _answer(batches.stop(batch_id))

    @router.post("/{batch_id}/continue")
    def go_on(batch_id: str, failed: bool = False) -> BatchAnswer:
        """Go on where it was stopped; by wish also with what failed."""
        return _answer(batches.go_on(batch_id, with_failed=failed))

    @router.delete("/{batch_id}", status_code=204)
    def discard(batch_id: str) -> None:
        """Forget a batch. What it made stays."""
        batches.discard(batch_id)

    return router


def _plan(sent: SentBatch) -> BatchPlan:
    """The plan that the form stands for. Raises InvalidRequest for the first value that is wrong."""
    fields, scale_by = batch_values_of_form(sent.values)
    request = parse_img2img({**fields, "init_images": [ONE_PIXEL]})
    values = {"request": request_values(request), "scale_by": scale_by, **sent.batch.model_dump()}
    try:
        return BatchPlan.model_validate(values)
    except ValidationError as error:
        raise sentence_of_errors(error.errors()) from error


def _answer(batch: Batch) -> BatchAnswer:
    failed = batch.of_kind(OutcomeKind.FAILED)
    return BatchAnswer(
        id=batch.id,
        title="pictures that were sent" if batch.has_uploads else batch.plan.input_folder,
        state=batch.state,
        total=len(batch.names),
        done=len(batch.outcomes),
        failed_count=len(failed),
        failed=dict(islice(failed.items(), MOST_NAMES)),
        left_out=list(islice(batch.of_kind(OutcomeKind.LEFT_OUT), MOST_NAMES)),
        notice=batch.notice,
    )
