"""The shapes of the field's answers about work and pictures (recorded in `reference/openapi.json`)."""

from typing import Any

from pydantic import BaseModel, Field

from modules.rest.answer import Answer
from modules.rest.pictures import EXAMPLE_PICTURE

__all__ = [
    "Empty",
    "Img2ImgAnswer",
    "MemoryAnswer",
    "PendingTasks",
    "PicturesAnswer",
    "PngInfoAnswer",
    "PngInfoQuestion",
    "ProgressAnswer",
    "ProgressState",
    "StartupAnswer",
    "TaskProgressAnswer",
    "TaskProgressQuestion",
    "Txt2ImgAnswer",
]


class Empty(BaseModel):
    """Nothing: the call was understood."""


class PicturesAnswer(Answer):
    """Pictures in base64, the request as understood, and the generation info as JSON text."""

    images: list[str] | None = None
    parameters: dict[str, Any]
    info: str


class Txt2ImgAnswer(PicturesAnswer):
    """Pictures made from text."""


class Img2ImgAnswer(PicturesAnswer):
    """Pictures made from pictures."""


class PngInfoQuestion(BaseModel):
    """A picture in base64."""

    image: str = Field(description="With or without a data URL's head.", examples=[EXAMPLE_PICTURE])


class PngInfoAnswer(Answer):
    """The generation text of a picture, the picture's other texts, and the text's values by name."""

    info: str
    items: dict[str, Any]
    parameters: dict[str, Any]


class ProgressState(Answer):
    """What runs: its job, the batch (`job_no` of `job_count`), the step of all its steps."""

    skipped: bool = False
    interrupted: bool = False
    stopping_generation: bool = False
    job: str = ""
    job_count: int = 0
    job_timestamp: str = "0"
    job_no: int = 0
    sampling_step: int = 0
    sampling_steps: int = 0


class ProgressAnswer(Answer):
    """Progress of the running job: its share from 0 to 1, seconds left, a preview in base64."""

    progress: float
    eta_relative: float
    state: ProgressState
    current_image: str | None = None
    textinfo: str | None = None


class TaskProgressQuestion(BaseModel):
    """Which task is asked about, and the last preview that the asker has."""

    id_task: str | None = Field(None, description="The job's id.", examples=["task(0f3a9c1b2d4e5f6)"])
    id_live_preview: int = Field(-1, description="Of the last preview that the asker has.")
    live_preview: bool = Field(True, description="Send a newer preview, if there is one.")


class TaskProgressAnswer(Answer):
    """Progress of one task; `live_preview` is a data URL, absent when there is none newer."""

    active: bool
    queued: bool
    completed: bool
    progress: float | None = None
    eta: float | None = None
    live_preview: str | None = None
    id_live_preview: int | None = None
    textinfo: str | None = None


class PendingTasks(Answer):
    """Ids of the tasks that wait for their turn."""

    size: int
    tasks: list[str]


class MemoryAnswer(Answer):
    """Bytes of memory in use and free; `cuda` holds an error when there is no such device."""

    ram: dict[str, Any]
    cuda: dict[str, Any]


class StartupAnswer(Answer):
    """Seconds that the start took, in all and by part."""

    total: float
    records: dict[str, float]
