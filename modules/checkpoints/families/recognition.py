"""What a file of tensors is, told from their names."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.model import Family
from modules.errors import EaselError

__all__ = ["recognise_family"]


@dataclass(frozen=True, slots=True)
class _Mark:
    """A file is of this kind if the beginnings of its tensors' names include all of `needs`."""

    needs: tuple[str, ...]
    family: Family


@dataclass(frozen=True, slots=True)
class _Foreign:
    """Another kind of file: a part of a tensor's name that gives it away, what it is, where it belongs."""

    parts: tuple[str, ...]
    kind: str
    advice: str = ""


UNET = "model.diffusion_model.input_blocks.0.0.weight"

MARKS = (
    _Mark((UNET, "conditioner.embedders."), Family.SDXL),
    _Mark((UNET, "cond_stage_model.model."), Family.SD2),
    _Mark((UNET, "cond_stage_model.transformer."), Family.SD1),
)

CONFIGURED = {
    "GeneralConditioner": Family.SDXL,
    "FrozenOpenCLIPEmbedder": Family.SD2,
    "FrozenCLIPEmbedder": Family.SD1,
}

NOT_YET = "This version draws with Stable Diffusion 1 checkpoints only."

FOREIGN = (
    _Foreign(("lora_", ".lora_up", ".lora_A", "hada_w1", "lokr_"), "a LoRA", 'Put it into "models/Lora".'),
    _Foreign(("control_model.", "controlnet_cond_embedding"), "a ControlNet"),
    _Foreign(("joint_blocks.",), "a Stable Diffusion 3 checkpoint", NOT_YET),
    _Foreign(("double_blocks.", "double_stream_blocks."), "a Flux checkpoint", NOT_YET),
    _Foreign(
        ("string_to_param", "emb_params", "clip_g"),
        "a textual inversion embedding",
        'Put it into "embeddings".',
    ),
    _Foreign((UNET,), "a UNet alone", "A checkpoint holds the VAE and the text encoder too."),
    _Foreign(
        ("down_blocks.", "time_embedding."),
        "a part of a model in diffusers' layout",
        "Easel reads single-file checkpoints.",
    ),
    _Foreign(("decoder.conv_in.",), "a VAE alone", 'Put it into "models/VAE" and choose it in the settings.'),
    _Foreign(("text_model.", "resblocks."), "a text encoder alone"),
    _Foreign(("conv_first.", "model.1.sub.", "body."), "an upscaler", 'Put it into "models/ESRGAN".'),
)


def recognise_family(path: Path, names: Collection[str], config: LdmConfig | None) -> Family:
    """The family of the checkpoint `path`: as its configuration says, else as its tensors' names do.

    Raises EaselError, saying what the file is instead, when it is no checkpoint.
    """
    for mark in MARKS:
        if all(_any_starts(names, start) for start in mark.needs):
            return _configured(config) or mark.family
    raise EaselError(_what_it_is(path, names))


def _configured(config: LdmConfig | None) -> Family | None:
    target = config.text_target.rpartition(".")[2] if config else ""
    return CONFIGURED.get(target)


def _any_starts(names: Iterable[str], start: str) -> bool:
    return any(name.startswith(start) for name in names)


def _what_it_is(path: Path, names: Collection[str]) -> str:
    for foreign in FOREIGN:
        if any(part in name for name in names for part in foreign.parts):
            return f"{path.name} is {foreign.kind}, not a checkpoint. {foreign.advice}".rstrip()
    example = f', such as "{min(names)[:60]}"' if names else ""
    return (
        f"{path.name} is no checkpoint that Easel knows: its {len(names)} tensors{example} belong to another "
        "kind of model. Choose a Stable Diffusion 1 checkpoint."
    )
