"""What Easel's own routes take and answer."""

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo, field_validator

from modules.generation import Kind, MadePicture, kind_of
from modules.jobs import Job, JobState
from modules.rest.answer import Answer
from modules.rest.errors import ErrorAnswer, error_answer
from modules.rest.sdapi.img2img_call import Img2ImgCall
from modules.rest.sdapi.txt2img_call import EXAMPLE, Txt2ImgCall

__all__ = [
    "JobAnswer",
    "JobList",
    "JobNews",
    "JobOrder",
    "MoveOrder",
    "PictureAnswer",
    "PictureList",
    "PriorityOrder",
    "QueueAnswer",
    "SettingsNews",
    "job_answer",
    "job_news",
    "picture_answer",
    "picture_name",
]

GRID = "grid"
Priority = Annotated[int, Field(ge=-100, le=100, description="Higher runs earlier; 0 is usual.")]


AnyCall = Annotated[
    Annotated[Txt2ImgCall, Tag("txt2img")] | Annotated[Img2ImgCall, Tag("img2img")], Discriminator(kind_of)
]


class JobOrder(BaseModel):
    """What is to be made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"request": EXAMPLE, "priority": 0}]})

    request: AnyCall = Field(description="The request, as /sdapi/v1/txt2img or img2img takes it.")
    kind: Kind = Field("txt2img", description="What kind of work it is.")
    priority: Priority = 0
    save: bool | None = Field(
        None, description="Save into the outputs folder; null: as `save_images` of the request says."
    )

    @field_validator("kind")
    @classmethod
    def _is_the_requests(cls, kind: Kind, info: ValidationInfo) -> Kind:
        request = info.data.get("request")
        if request is not None and kind != kind_of(request):
            raise ValueError(f"the request is one of {kind_of(request)}")
        return kind


class MoveOrder(BaseModel):
    """Where a waiting job is to stand."""

    before: str | None = Field(
        None,
        max_length=200,
        description="The job that is to follow; null: none.",
        examples=["task(0f3a9c1b2d4e5f6)"],
    )


class PriorityOrder(BaseModel):
    """A job's new priority."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"priority": 10}]})

    priority: Priority


class PictureAnswer(Answer):
    """A finished picture of a job."""

    name: str = Field(description="Its name in URLs: its number in the job from 0, or grid.")
    url: str = Field(description="Where the file is.")
    is_grid: bool
    index: int = Field(description="Its number in the job, from 0.")
    seed: int
    subseed: int
    infotext: str = Field(description="The generation text.")
    path: str | None = Field(None, description="Where it was saved among the outputs; null: it was not.")
    unsaved: str | None = Field(None, description="Why it could not be saved, where it was to be.")
    media_type: str | None = Field(default=None, description="Of `data`.")
    data: str | None = Field(default=None, description="The file in base64, where it was asked for.")


class PictureList(BaseModel):
    """The finished pictures of a job."""

    pictures: list[PictureAnswer]


class JobAnswer(Answer):
    """A job as it stands."""

    id: str = Field(examples=["task(0f3a9c1b2d4e5f6)"])
    url: str
    kind: str
    state: JobState
    held: bool = Field(description="A crash left it; it waits until it is released.")
    client: str = Field(description="Who gets a fair turn for it.")
    source: str = Field(description="Where it came from, for a person.")
    priority: int
    position: int | None = Field(None, description="How many jobs go before it; null: it does not wait.")
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    elapsed: float = Field(description="Seconds of work on it, until now while it runs.")
    progress: float = Field(description="The share that is done, 0 to 1.")
    eta_seconds: float | None = Field(None, description="Seconds until it ends, once that can be told.")
    stage: str = Field("", description="What goes on, in a few words.")
    pictures_asked: int
    pictures: list[PictureAnswer] = Field(description="Those that are finished.")
    notes: list[str] = Field(description="Sentences for the person.")
    error: ErrorAnswer | None = Field(None, description="Why it failed.")
    crashes: int = Field(description="How often the program or a worker died over it.")
    request: dict[str, Any] = Field(description="The request with its seeds drawn.")
    info: dict[str, Any] | None = Field(
        default=None, description="What /sdapi/v1/txt2img answers as `info`, once the job has ended."
    )


class JobList(BaseModel):
    """Jobs, newest first."""

    jobs: list[JobAnswer]
    next: str | None = Field(None, description="Pass it as `before` to get those before; null: no more.")


class QueueAnswer(BaseModel):
    """The order of the work, by the jobs' ids."""

    paused: bool
    running: list[str]
    waiting: list[str] = Field(description="In the order in which they will run.")
    held: list[str] = Field(description="Left by a crash; they wait until they are released.")
    most: int = Field(description="How many may wait; the next is refused with status 429.")
    left_alone: list[str] = Field(
        default_factory=list,
        description="Sentences about files that were being read when the program died, and are not read "
        "before somebody asks for them.",
    )


class SettingsNews(BaseModel):
    """What is told when settings have changed."""

    checkpoint: str = Field(description="The setting sd_model_checkpoint.")


class JobNews(BaseModel):
    """What a watcher is told about a job; the job itself says more."""

    job: str
    state: JobState
    held: bool
    progress: float
    eta_seconds: float | None
    stage: str
    pictures: int = Field(description="How many are finished.")
    preview: int | None = Field(description="Grows with each new preview; null: there is none.")
    notes: list[str]


def picture_name(picture: MadePicture) -> str:
    """What a picture is called in URLs."""
    return GRID if picture.is_grid else str(picture.index)


def job_url(job_id: str) -> str:
    """Where a job is, below the server's address."""
    return f"/easel/v1/jobs/{quote(job_id, safe='()')}"


def picture_answer(job: Job, picture: MadePicture) -> PictureAnswer:
    """What is told about a picture of `job`, without its file."""
    name = picture_name(picture)
    return PictureAnswer(
        name=name,
        url=f"{job_url(job.id)}/pictures/{name}",
        is_grid=picture.is_grid,
        index=picture.index,
        seed=picture.seed,
        subseed=picture.subseed,
        infotext=picture.infotext,
        path=str(picture.path) if picture.path else None,
        unsaved=picture.unsaved,
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def job_answer(job: Job, position: int | None = None, eta: float | None = None) -> JobAnswer:
    """The job as it stands now. position: how many go before it. eta: seconds, as the queue forecasts."""
    return JobAnswer(
        id=job.id,
        url=job_url(job.id),
        kind=job.order.kind,
        state=job.state,
        held=job.held,
        client=job.client,
        source=job.source,
        priority=job.priority,
        position=position,
        created=datetime.fromtimestamp(job.created, UTC),
        started=_moment(job.started),
        finished=_moment(job.finished),
        elapsed=job.elapsed,
        progress=job.progress,
        eta_seconds=eta,
        stage=job.report.stage if job.report else "",
        pictures_asked=job.order.pictures,
        pictures=[picture_answer(job, picture) for picture in job.pictures],
        notes=list(job.notes),
        error=error_answer(job.error) if job.error else None,
        crashes=job.crashes,
        request=job.order.request.model_dump(mode="json"),
    )


def job_news(job: Job) -> JobNews:
    """What watchers are told now."""
    return JobNews(
        job=job.id,
        state=job.state,
        held=job.held,
        progress=job.progress,
        eta_seconds=job.eta_seconds,
        stage=job.report.stage if job.report else "",
        pictures=len(job.pictures),
        preview=job.preview.number if job.preview else None,
        notes=list(job.notes),
    )
