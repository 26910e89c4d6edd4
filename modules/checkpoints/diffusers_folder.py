"""Models in diffusers' layout: a folder with a folder for each part."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modules.checkpoints.families import FAMILIES, Recipe
from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.model import Family, Prediction
from modules.errors import UnusableFile
from modules.foreign_json import JsonBounds, JsonNotRead, read_json
from modules.listing import folder_entries

__all__ = [
    "PARTS",
    "config_of_folder",
    "is_diffusers_folder",
    "read_config",
    "recipe_of_folder",
    "weight_files",
]

PARTS = ("unet", "vae", "text_encoder", "text_encoder_2", "depth_estimator", "scheduler")
CONFIG_NAMES = ("config.json", "scheduler_config.json")
WEIGHT_ENDINGS = (".safetensors", ".bin")
SHARD = re.compile(r"-\d{5}-of-\d{5}")
CONFIG_BOUNDS = JsonBounds(bytes=1_000_000)
"""Bytes."""


def is_diffusers_folder(path: Path) -> bool:
    """Whether the folder holds a whole model of this layout."""
    return (path / "model_index.json").is_file() and (path / "unet").is_dir()


def weight_files(part: Path) -> list[Path]:
    """The files with the weights of the folder `part`, all shards of one variant: safetensors before torch's
    own, the plain variant before others ("fp16").
    """
    for ending in WEIGHT_ENDINGS:
        variants: defaultdict[str, list[Path]] = defaultdict(list)
        for name in folder_entries(part).files:
            if name.endswith(ending):
                variants[SHARD.sub("", name)].append(part / name)
        if variants:
            return variants[min(variants, key=len)]
    return []


def read_config(part: Path) -> Mapping[str, Any]:
    """What the configuration of the folder `part` says; empty without one. Raises EaselError."""
    path = next((part / name for name in CONFIG_NAMES if (part / name).is_file()), None)
    if path is None:
        return {}
    try:
        tree = read_json(path, bounds=CONFIG_BOUNDS)
    except JsonNotRead:
        tree = None
    if not isinstance(tree, dict):
        raise UnusableFile(
            f"{part.parent.name}/{part.name}/{path.name} is not readable as JSON; fetch it anew."
        )
    return tree


def recipe_of_folder(configs: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """The family of a folder with these configurations."""
    if "text_encoder_2" in configs:
        family = Family.SDXL if "text_encoder" in configs else Family.SDXL_REFINER
    else:
        # The activation of OpenCLIP, or of OpenAI's CLIP.
        is_open = configs.get("text_encoder", {}).get("hidden_act") == "gelu"
        family = Family.SD2 if is_open else Family.SD1
    return next(recipe for recipe in FAMILIES if recipe.family is family)


def config_of_folder(path: Path, configs: Mapping[str, Mapping[str, Any]], recipe: Recipe) -> LdmConfig:
    """The facts that a single file's configuration would tell. Raises EaselError for a noise schedule that is
    not known.
    """
    scheduler, defaults = configs.get("scheduler", {}), recipe.defaults
    if scheduler.get("beta_schedule", "scaled_linear") != "scaled_linear":
        raise UnusableFile(
            f"{path.name}: its noise schedule {scheduler['beta_schedule']!r} is not known here."
        )
    return LdmConfig(
        linear_start=_number(scheduler, "beta_start", defaults.linear_start),
        linear_end=_number(scheduler, "beta_end", defaults.linear_end),
        scale_factor=_number(configs.get("vae", {}), "scaling_factor", defaults.scale_factor),
        prediction=Prediction.V if scheduler.get("prediction_type") == "v_prediction" else Prediction.EPSILON,
        zero_terminal_snr=scheduler.get("rescale_betas_zero_snr") is True,
    )


def _number(tree: Mapping[str, Any], key: str, otherwise: float) -> float:
    value = tree.get(key)
    return float(value) if isinstance(value, int | float) and 0 < value < 1e6 else otherwise
