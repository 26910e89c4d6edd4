"""The LDM configuration (`NAME.yaml`) of a checkpoint: the few facts that tensors do not tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from modules.checkpoints.model import Prediction
from modules.errors import UnusableFile

__all__ = ["LdmConfig", "read_ldm_config"]

LONGEST_FILE = 16_000
"""Bytes; published ones have three thousand."""
MOST_BRACKETS = 200
"""Lists and mappings within a line; published ones have ten. The parser's time grows with their square."""

_Bounds = tuple[float, float, type]

MODEL_BOUNDS: Mapping[str, _Bounds] = {
    "linear_start": (1e-9, 0.5, float),
    "linear_end": (1e-9, 0.5, float),
    "scale_factor": (1e-6, 1e6, float),
}
UNET_BOUNDS: Mapping[str, _Bounds] = {
    "num_heads": (-1, 1024, int),
    "num_head_channels": (-1, 1024, int),
}
V_SCALINGS = ("VScaling", "VScalingWithEDMcNoise")


@dataclass(frozen=True, slots=True)
class LdmConfig:
    """Facts about a model, by the names of the LDM configuration. The defaults are Stable Diffusion 1's."""

    linear_start: float = 0.00085
    linear_end: float = 0.012
    scale_factor: float = 0.18215
    prediction: Prediction | None = None
    """None where there is no configuration to say it."""
    zero_terminal_snr: bool = False
    num_heads: int = 8
    num_head_channels: int | None = None
    """Channels of a head; heads then vary by level and `num_heads` does not count."""
    text_target: str = ""
    """The class that the configuration names for the text encoder."""
    text_names: tuple[str, ...] = ("openai/clip-vit-large-patch14",)
    """What each text encoder is called."""
    folder: Path | None = None
    """The folder of the file, in which names are looked up first."""


def read_ldm_config(path: Path, defaults: LdmConfig | None = None) -> LdmConfig:
    """The facts in the file `path`, with `defaults` for what it leaves out. Raises EaselError."""
    params = _params(_parse(path), "model")
    text = params.get("cond_stage_config") or params.get("conditioner_config") or {}
    given: dict[str, Any] = {
        **_numbers(path, params, MODEL_BOUNDS),
        **_heads(path, _params(params, "unet_config") or _params(params, "network_config")),
    }
    if names := tuple(_text_names(text)):
        given["text_names"] = names
    if isinstance(text, Mapping) and text.get("target"):
        given["text_target"] = str(text["target"])
    return replace(
        defaults or LdmConfig(),
        **given,
        prediction=_prediction(params),
        zero_terminal_snr=params.get("ztsnr") is True or params.get("zero_terminal_snr") is True,
        folder=path.parent,
    )


def _prediction(params: Mapping[str, Any]) -> Prediction:
    scaling = _params(params, "denoiser_config").get("scaling_config")
    target = str(scaling.get("target")) if isinstance(scaling, Mapping) else ""
    is_v = params.get("parameterization") == "v" or target.rpartition(".")[2] in V_SCALINGS
    return Prediction.V if is_v else Prediction.EPSILON


def _heads(path: Path, unet: Mapping[str, Any]) -> dict[str, Any]:
    """One of the two numbers; -1 is the layout's way to say that the other one counts."""
    found = {name: value for name, value in _numbers(path, unet, UNET_BOUNDS).items() if value > 0}
    if not found:
        return {}
    return {"num_head_channels": None, **found}


def _text_names(text: Any) -> Iterator[str]:
    """The names of the text encoders, in their order."""
    params = _params({"text": text}, "text")
    models = params.get("emb_models")
    for entry in models if isinstance(models, list) else [{"target": "Frozen", "params": params}]:
        if not isinstance(entry, Mapping) or "Frozen" not in str(entry.get("target")):
            continue
        inner = _params({"entry": entry}, "entry")
        if name := inner.get("arch") or inner.get("version"):
            yield str(name)


class _PlainLoader(yaml.SafeLoader):
    """Without references to other parts of the file, by which a few lines become gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node. Raises YAMLError for a reference."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it refers to parts of itself")
        return super().compose_node(parent, index)


def _parse(path: Path) -> Mapping[str, Any]:
    if path.stat().st_size > LONGEST_FILE:
        raise UnusableFile(f"{path.name} is too long for a model configuration; move it away or replace it.")
    try:
        text = path.read_text(encoding="utf-8")
        if text.count("[") + text.count("{") > MOST_BRACKETS:
            raise yaml.YAMLError(f"it has more than {MOST_BRACKETS} lists")
        tree = yaml.load(text, _PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UnusableFile(f"The model configuration {path.name} is not readable as YAML: {error}") from None
    if not isinstance(tree, Mapping):
        raise UnusableFile(f'The model configuration {path.name} has no entry "model".')
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
            raise UnusableFile(
                f'The model configuration {path.name} says "{name}: {_shown(value)}", where a '
                f"number from {low:g} to {high:g} is needed."
            )
    return {name: bounds[name][2](value) for name, value in found.items()}


def _shown(value: Any) -> str:
    """The begin of `value` as a text; Python writes no number of more than some thousand digits."""
    return "a number of many digits" if isinstance(value, int) and abs(value) > 1 << 63 else str(value)[:80]
