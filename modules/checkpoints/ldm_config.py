"""The LDM configuration (`NAME.yaml`) of a checkpoint: the few facts that tensors do not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from modules.checkpoints.model import Prediction
from modules.errors import EaselError

__all__ = ["LdmConfig", "read_ldm_config"]

LONGEST_FILE = 1_000_000
"""Bytes."""

_Bounds = tuple[float, float, type]

MODEL_BOUNDS: Mapping[str, _Bounds] = {
    "linear_start": (1e-9, 0.5, float),
    "linear_end": (1e-9, 0.5, float),
    "scale_factor": (1e-6, 1e6, float),
}
UNET_BOUNDS: Mapping[str, _Bounds] = {
    "num_heads": (-1, 1024, int),
    "num_head_channels": (1, 1024, int),
}


@dataclass(frozen=True, slots=True)
class LdmConfig:
    """Facts about a model, by the names of the LDM configuration. The defaults are Stable Diffusion 1's."""

    linear_start: float = 0.00085
    linear_end: float = 0.012
    scale_factor: float = 0.18215
    prediction: Prediction = Prediction.EPSILON
    num_heads: int = 8
    num_head_channels: int | None = None
    """Channels of a head; heads then vary by level and `num_heads` does not count."""
    text_target: str = ""
    """The class that the configuration names for the text encoder."""
    text_version: str = "openai/clip-vit-large-patch14"
    folder: Path | None = None
    """The folder of the file, in which names are looked up first."""


def read_ldm_config(path: Path) -> LdmConfig:
    """The facts in the file `path`, with defaults for what it leaves out. Raises EaselError."""
    params = _params(_parse(path), "model")
    unet = _params(params, "unet_config")
    text = params.get("cond_stage_config") or params.get("conditioner_config") or {}
    given: dict[str, Any] = {
        **_numbers(path, params, MODEL_BOUNDS),
        **_numbers(path, unet, UNET_BOUNDS),
    }
    if given.get("num_heads", 1) < 1:  # -1 is the layout's way to say: see num_head_channels
        del given["num_heads"]
    if version := _params({"text": text}, "text").get("version"):
        given["text_version"] = str(version)
    prediction = Prediction.V if params.get("parameterization") == "v" else Prediction.EPSILON
    target = str(text.get("target", "")) if isinstance(text, Mapping) else ""
    return LdmConfig(**given, prediction=prediction, text_target=target, folder=path.parent)


def _parse(path: Path) -> Mapping[str, Any]:
    if path.stat().st_size > LONGEST_FILE:
        raise EaselError(f"{path.name} is too long for a model configuration; move it away or replace it.")
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise EaselError(f"The model configuration {path.name} is not readable as YAML: {error}") from None
    if not isinstance(tree, Mapping):
        raise EaselError(f'The model configuration {path.name} has no entry "model".')
    return tree


def _params(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    node = tree.get(name)
    params = node.get("params") if isinstance(node, Mapping) else None
    return params if isinstance(params, Mapping) else {}


def _numbers(path: Path, params: Mapping[str, Any], bounds: Mapping[str, _Bounds]) -> dict[str, Any]:
    found = {name: params[name] for name in bounds if params.get(name) is not None}
    for name, value in found.items():
        low, high, _ = bounds[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise EaselError(
                f'The model configuration {path.name} says "{name}: {value}", where a number from {low:g} to '
                f"{high:g} is needed."
            )
    return {name: bounds[name][2](value) for name, value in found.items()}
