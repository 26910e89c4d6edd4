"""The CLIP text encoder over chunks (Radford et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import CLIPTextModel

from modules.conditioning.stream import Chunk

__all__ = ["encode_chunks"]


def encode_chunks(encoder: CLIPTextModel, chunks: Sequence[Chunk], stop_at_last_layers: int) -> Tensor:
    """Hidden states (N, 77, D) of N chunks in float32.

    stop_at_last_layers: CLIP skip, 1 for the last layer, n for the n-th from the end; the final layer norm
    follows in either case. More than the tower has stops after its first layer.
    """
    states = encoder.embeddings(inputs_embeds=_embed(encoder, chunks))
    used = max(1, len(encoder.encoder.layers) - stop_at_last_layers + 1)
    for layer in encoder.encoder.layers[:used]:
        states = layer(states, None, is_causal=True)
    return encoder.final_layer_norm(states).float()


def _embed(encoder: CLIPTextModel, chunks: Sequence[Chunk]) -> Tensor:
    table = encoder.embeddings.token_embedding
    ids = torch.tensor([chunk.ids for chunk in chunks], device=table.weight.device)
    embedded = table(ids)
    for row, chunk in enumerate(chunks):
        for place, insertion in chunk.insertions:
            embedded[row, place : place + insertion.vectors.shape[0]] = insertion.vectors.to(embedded)
    return embedded
