"""What the routes of merges and conversions take and answer."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from modules.merging import ConvertRequest, DryRun, MergeRequest, MergeState, MergeTask
from modules.rest.answer import Answer
from modules.rest.errors import ErrorAnswer, error_answer

__all__ = [
    "ConversionOrder",
    "DryRunAnswer",
    "MergeAnswer",
    "MergeList",
    "MergeOrder",
    "dry_run_answer",
    "merge_answer",
]

MOST_NAMES = 20
"""Tensors of a kind that are named in an answer; models of different families share none of thousands."""
EMBEDDED = "easel-emoji"


class MergeOrder(MergeRequest):
    """A checkpoint to make of others."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"primary": EMBEDDED, "secondary": EMBEDDED, "multiplier": 0.3, "dry_run": True}]
        }
    )

    dry_run: bool = Field(False, description="Write nothing, and answer what would be written.")


class ConversionOrder(ConvertRequest):
    """A checkpoint to write once more in another form."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"checkpoint": EMBEDDED, "save_as": "bfloat16", "dry_run": True}]}
    )

    dry_run: bool = Field(False, description="Write nothing, and answer what would be written.")


class TensorsAnswer(Answer):
    """Tensors that not all of the models have alike."""

    models: str = Field(description="The letters of the models that have them.", examples=["A, B"])
    count: int
    first: list[str] = Field(description=f"Names of the first {MOST_NAMES}.")


class MismatchAnswer(Answer):
    """A tensor that has another shape in one model than in another."""

    name: str
    shapes: dict[str, list[int]] = Field(description="By the model's letter.")


class DryRunAnswer(Answer):
    """What a merge or conversion writes."""

    name: str = Field(description="The file's name below the folder of checkpoints.")
    path: str = Field(description="Where the file is to be.")
    replaces: bool = Field(description="Whether there is a file of that name.")
    config: str | None = Field(description="Name of the configuration that is written beside it.")
    size: int = Field(description="Bytes of the file.")
    dtypes: dict[str, int] = Field(description="How many of its tensors have a number type.")
    merged: int = Field(description="Tensors that are computed from several models.")
    copied: int = Field(description="Tensors that are taken from one model as they are.")
    from_vae: int = Field(description="Tensors that are taken from the baked-in VAE.")
    with_loras: int = Field(description="Tensors that LoRAs change.")
    dropped: int = Field(description="Tensors of the first model that are left out.")
    only_in_some: list[TensorsAnswer] = Field(description="Tensors that not every model has.")
    mismatched_count: int = Field(description="Tensors whose shapes do not match.")
    mismatched: list[MismatchAnswer] = Field(description=f"The first {MOST_NAMES} of them.")
    notes: list[str] = Field(description="What a person should know before, in sentences.")
    refusal: str | None = Field(description="Why it cannot be done.")
    disk_needed: int = Field(description="Bytes that it takes on the disk.")
    disk_free: int | None = Field(description="Bytes that are free there; null: that cannot be told.")
    memory_needed: int = Field(description="Bytes of memory that it takes at most.")
    memory_free: int | None = Field(description="Bytes that are free; null: that cannot be told.")


class MergeAnswer(Answer):
    """A merge or conversion as it stands."""

    id: str
    url: str
    state: MergeState
    stage: str = Field(description="What goes on, in a few words.")
    progress: float = Field(description="How much of the stage is done, 0 to 1.")
    elapsed: float = Field(description="Seconds of work on it.")
    eta_seconds: float | None = Field(
        None, description="Seconds until the stage ends, once that can be told."
    )
    created: datetime
    planned: DryRunAnswer = Field(description="What it writes.")
    checkpoint: str | None = Field(None, description="What the list of checkpoints calls the finished file.")
    sha256: str | None = Field(None, description="Of the finished file.")
    notes: list[str] = Field([], description="What a person should know of the finished file.")
    error: ErrorAnswer | None = Field(None, description="Why it failed.")


class MergeList(BaseModel):
    """Merges and conversions, newest first."""

    merges: list[MergeAnswer]


def dry_run_answer(found: DryRun) -> DryRunAnswer:
    """What a dry run found."""
    plain: dict[str, Any] = {
        name: getattr(found, name)
        for name in DryRunAnswer.model_fields
        if name not in ("only_in_some", "mismatched", "mismatched_count")
    }
    return DryRunAnswer(
        **plain,
        only_in_some=[
            TensorsAnswer(models=models, count=len(names), first=list(names[:MOST_NAMES]))
            for models, names in found.only_in_some.items()
        ],
        mismatched_count=len(found.mismatched),
        mismatched=[
            MismatchAnswer(name=each.name, shapes={key: list(shape) for key, shape in each.shapes.items()})
            for each in found.mismatched[:MOST_NAMES]
        ],
    )


def merge_answer(task: MergeTask) -> MergeAnswer:
    """The task as it stands now."""
    result = task.result
    return MergeAnswer(
        id=task.id,
        url=f"/easel/v1/merges/{task.id}",
        state=task.state,
        stage=task.stage,
        progress=task.share,
        elapsed=task.elapsed,
        eta_seconds=task.eta_seconds,
        created=datetime.fromtimestamp(task.created, UTC),
        planned=dry_run_answer(task.dry_run),
        checkpoint=task.dry_run.name if result else None,
        sha256=result.sha256 if result else None,
        notes=list(result.notes) if result else [],
        error=error_answer(task.error) if task.error else None,
    )
