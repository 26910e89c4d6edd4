"""Text encoders in single files: their tensors' places in transformers' CLIPTextModel, and their sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from transformers import CLIPTextConfig

from modules.checkpoints.families import TowerLayout
from modules.checkpoints.sources import Source, Sources
from modules.errors import UnusableFile

__all__ = ["clip_names", "count_layers", "open_clip_names", "tower_config"]

HEAD_WIDTH = 64
START_TOKEN, END_TOKEN = 49406, 49407
ACTIVATIONS = {TowerLayout.CLIP: "quick_gelu", TowerLayout.OPEN_CLIP: "gelu"}

OPEN_CLIP = {
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
}
OPEN_CLIP_LAYERS = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}
BLOCK = re.compile(r"transformer\.resblocks\.(\d+)\.(.+)[._](weight|bias)")
INWARD = ("q_proj", "k_proj", "v_proj")
"""What OpenCLIP keeps in one matrix, one upon another."""


def clip_names(tensors: Sources) -> dict[str, Source]:
    """Tensors in transformers' layout under the names of CLIPTextModel, the projection's beside them."""
    return {name.removeprefix("text_model."): source for name, source in tensors.items()}


def open_clip_names(tensors: Sources) -> dict[str, Source]:
    """Tensors in OpenCLIP's layout under the names of CLIPTextModel, the projection's beside them; foreign
    ones are left out.
    """
    placed: dict[str, Source] = {}
    for name, source in tensors.items():
        if name in OPEN_CLIP:
            placed[OPEN_CLIP[name]] = source
        elif name == "text_projection":
            # A matrix that states are multiplied with from the left; a linear layer has it the other way.
            placed["text_projection.weight"] = source.transposed()
        elif match := BLOCK.fullmatch(name):
            placed |= dict(_block_names(f"encoder.layers.{match[1]}", match[2], match[3], source))
    return placed


def _block_names(layer: str, part: str, kind: str, source: Source) -> Iterator[tuple[str, Source]]:
    if part == "attn.in_proj":
        for number, name in enumerate(INWARD):
            yield f"{layer}.self_attn.{name}.{kind}", source.rows(number, len(INWARD))
    elif part in OPEN_CLIP_LAYERS:
        yield f"{layer}.{OPEN_CLIP_LAYERS[part]}.{kind}", source


def count_layers(tensors: Sources) -> int:
    """Layers of a tower under the names of CLIPTextModel; 0 for none."""
    numbers = (int(name.split(".")[2]) for name in tensors if name.startswith("encoder.layers."))
    return 1 + max(numbers, default=-1)


def tower_config(tensors: Sources, layout: TowerLayout, told: Mapping[str, Any]) -> CLIPTextConfig:
    """The sizes of a tower under the names of CLIPTextModel; `told`: what shapes do not tell.

    Raises EaselError for an incomplete one.
    """
    try:
        vocabulary, width = tensors["embeddings.token_embedding.weight"].shape
        sizes = {
            "vocab_size": vocabulary,
            "hidden_size": width,
            "intermediate_size": tensors["encoder.layers.0.mlp.fc1.weight"].shape[0],
            "max_position_embeddings": tensors["embeddings.position_embedding.weight"].shape[0],
            "num_hidden_layers": count_layers(tensors),
        }
    except (KeyError, ValueError):
        raise UnusableFile(
            "The checkpoint's text encoder is incomplete: its embeddings or its layers are missing."
        ) from None
    usual = {"num_attention_heads": max(1, width // HEAD_WIDTH), "hidden_act": ACTIVATIONS[layout]}
    fits = told.get("hidden_size") == width
    return CLIPTextConfig(
        **sizes,
        **{key: told.get(key, value) if fits else value for key, value in usual.items()},
        projection_dim=width,
        bos_token_id=START_TOKEN,
        eos_token_id=END_TOKEN,
        pad_token_id=END_TOKEN,
        attn_implementation="sdpa",
    )
