"""CLIP text encoders over chunks (Radford et al. 2021), OpenCLIP's included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modules.checkpoints import TextTower
from modules.conditioning.stream import Chunk

__all__ = ["TowerAnswer", "encode_chunks"]


@dataclass(frozen=True, slots=True, eq=False)
class TowerAnswer:
    """What a tower answers to one chunk, in float32."""

    states: Tensor
    """(77, D)"""
    pooled: Tensor | None
    """(V,): the projected state at the end token, of towers whose use says so."""

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return self.states.nbytes + (0 if self.pooled is None else self.pooled.nbytes)


def encode_chunks(tower: TextTower, chunks: Sequence[Chunk], stop_at_last_layers: int) -> list[TowerAnswer]:
    """The answers of `tower` to N chunks.

    stop_at_last_layers: CLIP skip, for towers that it counts for: 1 for the last layer, n for the n-th from
    the end. More than the tower has stops after its first layer.
    """
    encoder, use = tower.encoder, tower.use
    left_out = stop_at_last_layers - 1 if use.clip_skip else use.layers_left_out
    wanted = max(1, len(encoder.encoder.layers) - left_out)
    ids = torch.tensor([chunk.ids for chunk in chunks], device=encoder.device)
    states = encoder.embeddings(inputs_embeds=_embed(tower, ids, chunks))
    for layer in encoder.encoder.layers[:wanted]:
        states = layer(states, None, is_causal=True)
    answer = encoder.final_layer_norm(states) if use.final_norm else states
    # Copies, so that an answer that is kept does not hold its whole batch in memory.
    rows = [row.clone() for row in answer.float()]
    if not use.pooled:
        return [TowerAnswer(row, None) for row in rows]
    for layer in encoder.encoder.layers[wanted:]:
        states = layer(states, None, is_causal=True)
    pooled = _pooled(tower, states, ids)
    return [TowerAnswer(row, each.clone()) for row, each in zip(rows, pooled, strict=True)]


def _pooled(tower: TextTower, states: Tensor, ids: Tensor) -> Tensor:
    """(N, V): the last layer's `states` (N, 77, D) at the first end token, normed and projected."""
    assert tower.projection is not None, "a tower whose pooled answer is used was loaded with its projection"
    ends = (ids == tower.tokenizer.eos_token_id).int().argmax(dim=1)
    at_end = states[torch.arange(len(ends), device=states.device), ends]
    pooled: Tensor = tower.projection(tower.encoder.final_layer_norm(at_end))
    return pooled.float()


def _embed(tower: TextTower, ids: Tensor, chunks: Sequence[Chunk]) -> Tensor:
    embedded: Tensor = tower.encoder.embeddings.token_embedding(ids)
    for row, chunk in enumerate(chunks):
        for place, insertion in chunk.insertions:
            embedded[row, place : place + insertion.vectors.shape[0]] = insertion.vectors.to(embedded)
    return embedded
