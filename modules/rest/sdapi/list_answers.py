"""The shapes of the field's lists."""

from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = [
    "EmbeddingItem",
    "EmbeddingsAnswer",
    "ExtensionItem",
    "FaceRestorerItem",
    "HypernetworkItem",
    "LoraItem",
    "PromptStyleItem",
    "QuicksettingsHint",
    "RealesrganItem",
    "SamplerItem",
    "SchedulerItem",
    "ScriptArgument",
    "ScriptItem",
    "ScriptsAnswer",
    "SdModelItem",
    "SdVaeItem",
    "UpscaleModeItem",
    "UpscalerItem",
]


class _Answer(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


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


class HypernetworkItem(_Answer):
    """A hypernetwork file."""

    name: str
    path: str | None = None


class LoraItem(_Answer):
    """A LoRA file: its name, the name its trainer gave it, and what the trainer wrote into it."""

    name: str
    alias: str
    path: str
    metadata: dict[str, Any] = {}


class EmbeddingItem(_Answer):
    """A textual inversion. shape: numbers in a vector; vectors: how many tokens it stands for."""

    step: int | None = None
    sd_checkpoint: str | None = None
    sd_checkpoint_name: str | None = None
    shape: int
    vectors: int


class EmbeddingsAnswer(_Answer):
    """Embeddings by name: those that prompts can use, and those that the loaded model cannot."""

    loaded: dict[str, EmbeddingItem]
    skipped: dict[str, EmbeddingItem]


class FaceRestorerItem(_Answer):
    """A face restorer."""

    name: str
    cmd_dir: str | None = None


class RealesrganItem(_Answer):
    """A RealESRGAN model."""

    name: str
    path: str | None = None
    scale: int | None = None


class ScriptsAnswer(_Answer):
    """Names of the scripts by tab, in lower case."""

    txt2img: list[str] = []
    img2img: list[str] = []


class ScriptArgument(_Answer):
    """One control of a script."""

    label: str | None = None
    value: Any = None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: list[str] | None = None


class ScriptItem(_Answer):
    """A script and the arguments it takes, in their order."""

    name: str | None = None
    is_alwayson: bool | None = None
    is_img2img: bool | None = None
    args: list[ScriptArgument]


class ExtensionItem(_Answer):
    """An installed extension."""

    name: str
    remote: str
    branch: str
    commit_hash: str
    version: str
    commit_date: str
    enabled: bool


class QuicksettingsHint(_Answer):
    """A setting by key and by the label that people see."""

    name: str
    label: str
