"""The shapes of the field's answers (`reference/openapi.json` of the recorded cases)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "MemoryAnswer",
    "PendingTasks",
    "PngInfoAnswer",
    "PngInfoQuestion",
    "ProgressAnswer",
    "PromptStyleItem",
    "SamplerItem",
    "SchedulerItem",
    "SdModelItem",
    "SdVaeItem",
    "TaskProgressAnswer",
    "TaskProgressQuestion",
    "Txt2ImgAnswer",
    "UpscaleModeItem",
    "UpscalerItem",
]


class _Answer(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class Txt2ImgAnswer(_Answer):
    """Pictures in base64, the request as understood, and the generation info as JSON text."""

    images: list[str] | None = None
    parameters: dict[str, Any]
    info: str


class PngInfoQuestion(BaseModel):
    """A picture in base64."""

    image: str


class PngInfoAnswer(_Answer):
    """The generation text of a picture, the picture's other texts, and the text's values by name."""

    info: str
    items: dict[str, Any]
    parameters: dict[str, Any]


class ProgressAnswer(_Answer):
    """Progress of the running job: share 0 ..

    1, seconds left, the field's state fields, a preview in base64.
    """

    progress: float
    eta_relative: float
    state: dict[str, Any]
    current_image: str | None = None
    textinfo: str | None = None


class TaskProgressQuestion(BaseModel):
    """Which task is asked about, and the last preview that the asker has."""

    id_task: str | None = None
    id_live_preview: int = -1
    live_preview: bool = True


class TaskProgressAnswer(_Answer):
    """Progress of one task; `live_preview` is a data URL, absent when there is none newer."""

    active: bool
    queued: bool
    completed: bool
    progress: float | None = None
    eta: float | None = None
    live_preview: str | None = None
    id_live_preview: int | None = None
    textinfo: str | None = None


class PendingTasks(_Answer):
    """Ids of the tasks that wait for their turn."""

    size: int
    tasks: list[str]


class SamplerItem(_Answer):
    """A sampler with its older names."""

    name: str
    aliases: list[str]
    options: dict[str, str]


class SchedulerItem(_Answer):
    """A schedule of noise levels."""

    name: str
    label: str
    aliases: list[str] | None = None
    default_rho: float | None = None
    need_inner_model: bool | None = None


class SdModelItem(_Answer):
    """A checkpoint file. `hash` is the short one, null until it has been computed."""

    title: str
    model_name: str
    hash: str | None = None
    sha256: str | None = None
    filename: str
    config: str | None = None


class SdVaeItem(_Answer):
    """A VAE file."""

    model_name: str
    filename: str


class UpscalerItem(_Answer):
    """An upscaler of pictures."""

    name: str
    model_name: str | None = None
    model_path: str | None = None
    model_url: str | None = None
    scale: float | None = None


class UpscaleModeItem(_Answer):
    """A way to enlarge latents."""

    name: str


class PromptStyleItem(_Answer):
    """A style of styles.csv."""

    name: str
    prompt: str | None = None
    negative_prompt: str | None = None


class MemoryAnswer(_Answer):
    """Bytes of memory in use and free; `cuda` holds an error when there is no such device."""

    ram: dict[str, Any] = Field(default_factory=dict)
    cuda: dict[str, Any] = Field(default_factory=dict)
