"""The shapes of the field's lists."""

from typing import Any

from modules.rest.answer import Answer

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


class SamplerItem(Answer):
    """A sampler with its older names."""

    name: str
    aliases: list[str]
    options: dict[str, str]


class SchedulerItem(Answer):
    """A schedule of noise levels."""

    name: str
    label: str
    aliases: list[str] | None = None
    default_rho: float | None = None
    need_inner_model: bool | None = None


class SdModelItem(Answer):
    """A checkpoint file. `hash` is the short one, null until it has been computed."""

    title: str
    model_name: str
    hash: str | None = None
    sha256: str | None = None
    filename: str
    config: str | None = None


class SdVaeItem(Answer):
    """A VAE file."""

    model_name: str
    filename: str


class UpscalerItem(Answer):
    """An upscaler of pictures."""

    name: str
    model_name: str | None = None
    model_path: str | None = None
    model_url: str | None = None
    scale: float | None = None


class UpscaleModeItem(Answer):
    """A way to enlarge latents."""

    name: str


class PromptStyleItem(Answer):
    """A style of styles.csv."""

    name: str
    prompt: str | None = None
    negative_prompt: str | None = None


class HypernetworkItem(Answer):
    """A hypernetwork file."""

    name: str
    path: str | None = None


class LoraItem(Answer):
    """A LoRA file: its name, the name its trainer gave it, and what the trainer wrote into it."""

    name: str
    alias: str
    path: str
    metadata: dict[str, Any]


class EmbeddingItem(Answer):
    """A textual inversion. shape: numbers in a vector; vectors: how many tokens it stands for."""

    step: int | None = None
    sd_checkpoint: str | None = None
    sd_checkpoint_name: str | None = None
    shape: int
    vectors: int


class EmbeddingsAnswer(Answer):
    """Embeddings by name: those that prompts can use, and those that the loaded model cannot."""

    loaded: dict[str, EmbeddingItem]
    skipped: dict[str, EmbeddingItem]


class FaceRestorerItem(Answer):
    """A face restorer."""

    name: str
    cmd_dir: str | None = None


class RealesrganItem(Answer):
    """A RealESRGAN model."""

    name: str
    path: str | None = None
    scale: int | None = None


class ScriptsAnswer(Answer):
    """Names of the scripts by tab, in lower case."""

    txt2img: list[str]
    img2img: list[str]


class ScriptArgument(Answer):
    """One control of a script."""

    label: str | None = None
    value: Any = None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: list[str] | None = None


class ScriptItem(Answer):
    """A script and the arguments it takes, in their order."""

    name: str | None = None
    is_alwayson: bool | None = None
    is_img2img: bool | None = None
    args: list[ScriptArgument]


class ExtensionItem(Answer):
    """An installed extension."""

    name: str
    remote: str
    branch: str
    commit_hash: str
    version: str
    commit_date: str
    enabled: bool


class QuicksettingsHint(Answer):
    """A setting by key and by the label that people see."""

    name: str
    label: str
