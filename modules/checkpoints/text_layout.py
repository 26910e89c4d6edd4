"""CLIP text encoders in LDM checkpoints, and the tokenizer that belongs to them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer
from transformers.activations import ACT2FN

from modules.checkpoints.assembly import Blueprint, draw_blueprint, part_of
from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.model import TextTower
from modules.checkpoints.tensor_file import TensorFile
from modules.errors import EaselError
from modules.memory import DevicePolicy

__all__ = ["TowerPlan", "load_tokenizer", "plan_clip_tower"]

PREFIXES = ("cond_stage_model.transformer.text_model.", "cond_stage_model.transformer.")
"""The second is that of early fine-tunes."""

TOKENIZER = "clip-tokenizer"
TOLD_BY_CONFIG = ("num_attention_heads", "hidden_act")
"""What shapes do not tell."""
HEAD_WIDTH = 64
START_TOKEN, END_TOKEN = 49406, 49407


@dataclass(frozen=True, slots=True, eq=False)
class TowerPlan:
    """A text encoder that was checked and is not read yet, and its tokenizer."""

    encoder: Blueprint[CLIPTextModel]
    tokenizer: CLIPTokenizer

    def build(self, policy: DevicePolicy) -> TextTower:
        """The tower in memory. May be called once."""
        encoder = self.encoder.build(policy.dtype, policy.device)
        positions = torch.arange(encoder.config.max_position_embeddings, device=policy.device)
        encoder.embeddings.position_ids = positions.expand((1, -1))
        return TextTower(encoder, self.tokenizer)


def plan_clip_tower(file: TensorFile, config: LdmConfig, configs: Path) -> TowerPlan:
    """The text encoder and its tokenizer. Raises EaselError for what is missing or unreadable."""
    prefix = next((prefix for prefix in PREFIXES if part_of(file, prefix)), PREFIXES[0])
    tensors = part_of(file, prefix)
    folder = _config_folder(config, configs)
    names = {name: prefix + name for name in tensors}
    encoder = draw_blueprint(
        lambda: CLIPTextModel(_tower_config(tensors, folder)), file, names, "text encoder"
    )
    own_tokenizer = folder is not None and (folder / "vocab.json").is_file()
    tokenizer = load_tokenizer(folder if folder and own_tokenizer else configs / TOKENIZER)
    vocabulary = encoder.module.config.vocab_size
    if len(tokenizer) > vocabulary:
        raise EaselError(
            f"{file.path.name} knows {vocabulary} tokens, its tokenizer has {len(tokenizer)}; "
            "the text encoder is of a kind that Easel does not know."
        )
    return TowerPlan(encoder, tokenizer)


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """The CLIP tokenizer of `vocab.json` and `merges.txt` in `folder`; nothing else is read or looked up."""
    try:
        vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise EaselError(
            f"The tokenizer in {folder} cannot be read: {error}. Restore it from Easel's own files."
        ) from error
    merges = [tuple(line.split()) for line in lines if line and not line.startswith("#version")]
    return CLIPTokenizer(vocab=vocabulary, merges=merges)


def _config_folder(config: LdmConfig, configs: Path) -> Path | None:
    """The folder that the configuration's `version` names: beside the configuration, else in `configs`."""
    name = config.text_version.rpartition("/")[2]
    if name in {"", ".", ".."}:
        return None
    places = [place / name for place in (config.folder, configs) if place is not None]
    return next((place for place in places if (place / "config.json").is_file()), None)


def _tower_config(tensors: dict[str, Any], folder: Path | None) -> CLIPTextConfig:
    try:
        vocabulary, width = tensors["embeddings.token_embedding.weight"].shape
        sizes = {
            "vocab_size": vocabulary,
            "hidden_size": width,
            "intermediate_size": tensors["encoder.layers.0.mlp.fc1.weight"].shape[0],
            "max_position_embeddings": tensors["embeddings.position_embedding.weight"].shape[0],
            "num_hidden_layers": 1
            + max(int(name.split(".")[2]) for name in tensors if name.startswith("encoder.layers.")),
        }
    except (KeyError, ValueError):
        raise EaselError(
            "The checkpoint's text encoder is incomplete: its embeddings or its layers are missing."
        ) from None
    told = _told_by_config(folder, width)
    return CLIPTextConfig(
        **sizes,
        **{"num_attention_heads": max(1, width // HEAD_WIDTH), "hidden_act": "quick_gelu", **told},
        projection_dim=width,
        bos_token_id=START_TOKEN,
        eos_token_id=END_TOKEN,
        pad_token_id=END_TOKEN,
        attn_implementation="sdpa",
    )


def _told_by_config(folder: Path | None, width: int) -> dict[str, Any]:
    if folder is None:
        return {}
    try:
        tree = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise EaselError(f"{folder / 'config.json'} is not readable as JSON: {error}") from error
    if not isinstance(tree, dict) or tree.get("hidden_size") != width:
        return {}
    told = {key: tree[key] for key in TOLD_BY_CONFIG if key in tree}
    heads = told.get("num_attention_heads", 1)
    if (
        type(heads) is not int
        or heads < 1
        or width % heads
        or str(told.get("hidden_act", "gelu")) not in ACT2FN
    ):
        raise EaselError(
            f"{folder / 'config.json'} describes no text encoder of width {width}: {told}. Correct it, or "
            "take it away to have the usual values."
        )
    return told
