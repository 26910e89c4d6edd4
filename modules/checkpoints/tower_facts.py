"""What the shapes of a text encoder do not tell: its heads and its activation, from a description beside the
checkpoint or in Easel's own configurations.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers.activations import ACT2FN

from modules.checkpoints.families import TowerPlace
from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.opened import OpenedCheckpoint
from modules.errors import UnusableFile
from modules.foreign_json import JsonNotRead, read_json

__all__ = ["TowerFacts", "facts_of_tower"]

TowerFacts = Mapping[str, Any]
"""`num_attention_heads` and `hidden_act` where they are told, for a tower of width `hidden_size`."""

TOLD = ("num_attention_heads", "hidden_act", "hidden_size")


def facts_of_tower(
    opened: OpenedCheckpoint, place: TowerPlace, number: int, config: LdmConfig, configs: Path
) -> tuple[TowerFacts, Path | None]:
    """The facts told about the text encoder at `place`, the `number`-th of its family, and the folder that
    its tokenizer may be in. Raises EaselError for a description that makes no sense.
    """
    if opened.configs:
        tree = opened.configs.get(place.folder, {})
        return _checked(tree, f"{opened.name}/{place.folder}"), opened.path / place.folder.replace(
            "text_encoder", "tokenizer"
        )
    name = config.text_names[number] if number < len(config.text_names) else ""
    name = name.rpartition("/")[2]
    if name in {"", ".", ".."}:
        return {}, None
    for place_ in (config.folder, configs):
        if place_ is None:
            continue
        if (file := place_ / name / "config.json").is_file():
            return _checked(_read(file), str(file)), file.parent
        if (file := place_ / f"{name}.json").is_file():
            return _checked(_from_open_clip(_read(file)), str(file)), None
    return {}, None


def _read(path: Path) -> Mapping[str, Any]:
    try:
        tree = read_json(path)
    except JsonNotRead as error:
        raise UnusableFile(f"{path} is not readable as JSON: {error}") from error
    return tree if isinstance(tree, dict) else {}


def _from_open_clip(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """A description in OpenCLIP's words in those of transformers."""
    text = tree.get("text_cfg")
    if not isinstance(text, Mapping):
        return {}
    facts = {"hidden_size": text.get("width"), "num_attention_heads": text.get("heads")}
    return {**facts, "hidden_act": "quick_gelu" if tree.get("quick_gelu") is True else "gelu"}


def _checked(tree: Mapping[str, Any], file: str) -> TowerFacts:
    told = {key: tree[key] for key in TOLD if key in tree}
    width, heads = told.get("hidden_size"), told.get("num_attention_heads", 1)
    if type(width) is not int:
        return {}
    if (
        type(heads) is not int
        or heads < 1
        or width % heads
        or str(told.get("hidden_act", "gelu")) not in ACT2FN
    ):
        raise UnusableFile(
            f"{file} describes no text encoder of width {width}: {told}. Correct it, or "
            "take it away to have the usual values."
        )
    return told
