"""What a file of tensors is, told from their names."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from modules.checkpoints.families import FAMILIES
from modules.checkpoints.families.recipe import UNET_MARK, Recipe
from modules.checkpoints.hashes import FileStamp, file_stamp
from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.model import Family
from modules.checkpoints.opening import open_tensors
from modules.errors import EaselError, UnusableFile
from modules.readings import LeftAlone

__all__ = ["family_of", "is_checkpoint", "is_network", "recognise", "told_kind"]

LARGEST_NETWORK = 1500 << 20
"""Bytes of a LoRA among checkpoints; no larger file is looked into. Whole checkpoints are mostly larger."""
NETWORK_ENDINGS = (".safetensors", ".ckpt")


@dataclass(frozen=True, slots=True)
class _Foreign:
    """Another kind of file: a part of a tensor's name that gives it away, what it is, where it belongs."""

    parts: tuple[str, ...]
    kind: str
    advice: str = ""


NOT_YET = "This version draws with Stable Diffusion 1, 2 and XL checkpoints."

FOREIGN = (
    _Foreign(
        (
            "lora_",
            ".lora.",
            "_lora.",
            "hada_w1",
            "lokr_",
            "oft_blocks",
            "oft_diag",
            ".on_input",
            ".a1.weight",
        ),
        "a LoRA",
        'Put it into "models/Lora", or name it in a prompt: <lora:NAME:1>.',
    ),
    _Foreign(("control_model.", "controlnet_cond_embedding"), "a ControlNet"),
    _Foreign(("joint_blocks.",), "a Stable Diffusion 3 checkpoint", NOT_YET),
    _Foreign(("double_blocks.", "double_stream_blocks."), "a Flux checkpoint", NOT_YET),
    _Foreign(
        ("string_to_param", "emb_params", "clip_g"),
        "a textual inversion embedding",
        'Put it into "embeddings".',
    ),
    _Foreign((UNET_MARK,), "a UNet alone", "A checkpoint holds the VAE and the text encoder too."),
    _Foreign(
        ("down_blocks.", "time_embedding."),
        "a part of a model in diffusers' layout",
        'Put the folder of the whole model into "models/diffusers".',
    ),
    _Foreign(("decoder.conv_in.",), "a VAE alone", 'Put it into "models/VAE" and choose it in the settings.'),
    _Foreign(("text_model.", "resblocks."), "a text encoder alone"),
    _Foreign(("conv_first.", "model.1.sub.", "body."), "an upscaler", 'Put it into "models/ESRGAN".'),
)


LORA = FOREIGN[0]
EMA_MARK = "model_ema."
VAE_MARK = "first_stage_model."
TEXT_MARKS = ("cond_stage_model.", "conditioner.embedders.")

EMA_ALONE = _Foreign(
    (),
    "a checkpoint of which only the averaged weights (EMA) are left",
    "The weights that are drawn with are missing: fetch the whole file, or the one that is called pruned.",
)
WITHOUT_TEXT = _Foreign(
    (),
    "a UNet with a VAE but without a text encoder",
    "Without one no prompt can be read: fetch the whole checkpoint.",
)
OTHER_TEXT = _Foreign(
    (),
    "a UNet with a text encoder of another kind than Stable Diffusion 1, 2 or XL has",
    "Fetch the checkpoint from where it was published, and look there which program it is for.",
)


def recognise(path: Path, names: Collection[str], config: LdmConfig | None) -> Recipe:
    """The recipe for the single-file checkpoint `path`, from its tensors' names and its configuration.

    Raises EaselError, saying what the file is instead, when it is no checkpoint.
    """
    found = _found(names)
    if found is None:
        raise UnusableFile(_what_it_is(path, names))
    return _configured(found, config)


def family_of(path: Path) -> Family | None:
    """The family of the single-file checkpoint `path`, told from its tensors' names alone; None for a folder,
    and for what is no checkpoint. Raises EaselError for a file that cannot be read.
    """
    if path.is_dir():
        return None
    with open_tensors(path) as file:
        found = _found(file.tensors)
    return found.family if found else None


def is_checkpoint(path: Path) -> bool:
    """Whether `path` holds a whole model of a family that is known here, as far as names of tensors tell."""
    try:
        return path.is_dir() or _is_checkpoint(path, path.stat().st_mtime_ns)
    except (OSError, LeftAlone):
        return False


def is_network(path: Path) -> bool:
    """Whether `path` holds a LoRA or one of its relatives in place of a checkpoint, as far as names of
    tensors tell.
    """
    if not path.name.lower().endswith(NETWORK_ENDINGS):
        return False
    state = file_stamp(path)
    try:
        return state is not None and state.size <= LARGEST_NETWORK and _is_network(path, state)
    except LeftAlone:
        return False


@lru_cache(maxsize=4096)
def _is_network(path: Path, _state: FileStamp) -> bool:
    try:
        with open_tensors(path) as file:
            return _found(file.tensors) is None and _foreign(file.tensors) is LORA
    except LeftAlone:
        raise
    except EaselError:
        return False


@lru_cache(maxsize=256)
def _is_checkpoint(path: Path, _changed_at: int) -> bool:
    try:
        return family_of(path) is not None
    except LeftAlone:
        # Not remembered: a person may ask for it.
        raise
    except EaselError:
        return False


def _found(names: Collection[str]) -> Recipe | None:
    """The first family whose marks are all there."""
    fitting = (each for each in FAMILIES if all(_any_starts(names, mark) for mark in each.marks))
    return next(fitting, None)


def _configured(found: Recipe, config: LdmConfig | None) -> Recipe:
    """The family that the configuration names, `found` if it names none."""
    target = config.text_target.rpartition(".")[2] if config else ""
    named = [recipe for recipe in FAMILIES if recipe.text_target == target]
    return found if found in named or not named else named[0]


def _any_starts(names: Iterable[str], start: str) -> bool:
    return any(name.startswith(start) for name in names)


def told_kind(names: Collection[str]) -> str:
    """What a file with tensors of these names is, with an article, and what to do with it ("a VAE alone. Put
    it into ..."); empty where that cannot be told.
    """
    if _found(names) is not None:
        return 'a checkpoint. Put it into "models/Stable-diffusion" and choose it there.'
    foreign = _foreign(names)
    return f"{foreign.kind}. {foreign.advice}".rstrip() if foreign else ""


def _foreign(names: Collection[str]) -> _Foreign | None:
    """The other kind of file that names of tensors give away."""
    if incomplete := _incomplete(names):
        return incomplete
    parts = ((foreign, part) for foreign in FOREIGN for part in foreign.parts)
    return next((foreign for foreign, part in parts if any(part in name for name in names)), None)


def _incomplete(names: Collection[str]) -> _Foreign | None:
    """A checkpoint of which a part is missing; None for a UNet alone, and where there is none."""
    has_text = any(_any_starts(names, mark) for mark in TEXT_MARKS)
    if not _any_starts(names, UNET_MARK):
        return EMA_ALONE if _any_starts(names, EMA_MARK) else None
    if has_text:
        return OTHER_TEXT
    return WITHOUT_TEXT if _any_starts(names, VAE_MARK) else None


def _what_it_is(path: Path, names: Collection[str]) -> str:
    if foreign := _foreign(names):
        return f"{path.name} is {foreign.kind}, not a checkpoint. {foreign.advice}".rstrip()
    example = f', such as "{min(names)[:60]}"' if names else ""
    return (
        f"{path.name} is no checkpoint that Easel knows: its {len(names)} tensors{example} belong to another "
        "kind of model. Choose a Stable Diffusion checkpoint."
    )
