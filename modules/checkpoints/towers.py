"""Text encoders of checkpoints: planned from their tensors, then built."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

from modules.checkpoints.assembly import Blueprint, draw_blueprint
from modules.checkpoints.families import TowerLayout, TowerPlace
from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.model import WIDE, KeptWeights, TextTower, TowerUse
from modules.checkpoints.opened import OpenedCheckpoint
from modules.checkpoints.sources import Sources, part_of
from modules.checkpoints.text_layout import clip_names, count_layers, open_clip_names, tower_config
from modules.checkpoints.tokenizers import find_tokenizer
from modules.checkpoints.tower_facts import facts_of_tower
from modules.errors import UnusableFile

__all__ = ["TowerPlan", "plan_tower"]

PROJECTION = "text_projection.weight"


@dataclass(frozen=True, slots=True, eq=False)
class TowerPlan:
    """A text encoder that was checked and is not read yet, and its tokenizer."""

    encoder: Blueprint[CLIPTextModel]
    projection: Blueprint[nn.Linear] | None
    tokenizer: CLIPTokenizer
    use: TowerUse

    def build(self, dtype: torch.dtype, device: torch.device, kept: KeptWeights = WIDE) -> TextTower:
        """The tower in the memory of `device`, its weights as `kept` says. May be called once."""
        encoder = self.encoder.build(dtype, device, kept)
        positions = torch.arange(encoder.config.max_position_embeddings, device=device)
        encoder.embeddings.position_ids = positions.expand((1, -1))
        projection = self.projection.build(dtype, device, kept) if self.projection else None
        return TextTower(encoder, self.tokenizer, self.use, projection)

    def weight_bytes(self, dtype: torch.dtype, kept: KeptWeights = WIDE) -> dict[nn.Parameter, int]:
        """See `Blueprint.weight_bytes`."""
        parts = (self.encoder, self.projection) if self.projection else (self.encoder,)
        return {key: size for part in parts for key, size in part.weight_bytes(dtype, kept).items()}


def plan_tower(
    opened: OpenedCheckpoint, place: TowerPlace, number: int, config: LdmConfig, configs: Path
) -> TowerPlan:
    """The text encoder at `place`, the `number`-th (from 0) of its family, and its tokenizer.

    Raises EaselError for what is missing or unreadable.
    """
    sources = _sources(opened, place)
    facts, folder = facts_of_tower(opened, place, number, config, configs)
    encoder = draw_blueprint(
        lambda: CLIPTextModel(tower_config(sources, place.layout, facts)),
        sources,
        opened.name,
        "text encoder",
    )
    tokenizer = find_tokenizer(folder, configs)
    vocabulary = encoder.module.config.vocab_size
    if len(tokenizer) > vocabulary:
        raise UnusableFile(
            f"{opened.name} knows {vocabulary} tokens, its tokenizer has {len(tokenizer)}; "
            "the text encoder is of a kind that Easel does not know."
        )
    projection = _plan_projection(opened, sources) if place.use.pooled else None
    return TowerPlan(encoder, projection, tokenizer, _use(opened, place, sources))


def _sources(opened: OpenedCheckpoint, place: TowerPlace) -> Sources:
    """The tower's tensors by the names of transformers' CLIPTextModel, and its projection's."""
    if opened.configs:
        return clip_names(part_of(opened.sources, f"{place.folder}."))
    found = (part_of(opened.sources, prefix) for prefix in place.prefixes)
    tensors = next((tensors for tensors in found if tensors), {})
    return open_clip_names(tensors) if place.layout is TowerLayout.OPEN_CLIP else clip_names(tensors)


def _plan_projection(opened: OpenedCheckpoint, sources: Sources) -> Blueprint[nn.Linear]:
    if PROJECTION not in sources:
        raise UnusableFile(f"{opened.name} lacks the projection of its text encoder; it is incomplete.")
    outward, inward = sources[PROJECTION].shape
    return draw_blueprint(
        lambda: nn.Linear(inward, outward, bias=False),
        {"weight": sources[PROJECTION]},
        opened.name,
        "text encoder's projection",
    )


def _use(opened: OpenedCheckpoint, place: TowerPlace, sources: Sources) -> TowerUse:
    is_cut = count_layers(sources) == place.cut_layers or (place.cut_layers and opened.configs)
    return replace(place.use, layers_left_out=0) if is_cut else place.use
