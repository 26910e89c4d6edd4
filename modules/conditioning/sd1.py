"""Conditioning of Stable Diffusion 1: one CLIP tower, chunks side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from modules.checkpoints import TextTower
from modules.conditioning.cache import EncodingCache
from modules.conditioning.clip import encode_chunks
from modules.conditioning.options import ConditioningOptions
from modules.conditioning.stream import (
    Chunk,
    ChunkRules,
    EmbeddingLookup,
    TokenCount,
    empty_chunk,
    make_chunks,
)
from modules.conditioning.types import Conditioning
from modules.conditioning.weighting import apply_weights
from modules.prompts import parse_emphasis

__all__ = ["Sd1TextEncoder"]

CHUNKS_AT_ONCE = 16
"""Bounds the memory that one call of the tower takes."""


class Sd1TextEncoder:
    """Texts to conditionings. What the tower answers is kept in `cache`."""

    def __init__(
        self,
        tower: TextTower,
        options: ConditioningOptions,
        cache: EncodingCache,
        embeddings: EmbeddingLookup | None,
    ) -> None:
        self._tower = tower
        self._options = options
        self._cache = cache
        self._embeddings = embeddings
        tokenizer = tower.tokenizer
        end = tokenizer.eos_token_id
        self._rules = ChunkRules(
            start=tokenizer.bos_token_id,
            end=end,
            pad=end,
            comma=tokenizer.convert_tokens_to_ids(",</w>"),
            backtrack=options.comma_padding_backtrack,
        )

    def chunks(self, text: str) -> tuple[list[Chunk], TokenCount]:
        """The chunks of one text, and its token count."""
        pieces = parse_emphasis(text, self._options.emphasis)
        return make_chunks(pieces, self._tokenise, self._rules, self._embeddings)

    def encode(self, schedules: Sequence[Sequence[str]]) -> list[list[Conditioning]]:
        """The conditionings of several schedules, whose texts are made equally long and weighted together."""
        chunked = [self._equally_long(texts) for texts in schedules]
        states = self._states(chunk for rows in chunked for chunks in rows.values() for chunk in chunks)
        return [
            self._encode_schedule(texts, rows, states) for texts, rows in zip(schedules, chunked, strict=True)
        ]

    def _equally_long(self, texts: Iterable[str]) -> dict[str, list[Chunk]]:
        """The chunks of each distinct text, shorter ones filled up with chunks of the empty text."""
        rows = {text: self.chunks(text)[0] for text in dict.fromkeys(texts)}
        length = max(len(chunks) for chunks in rows.values())
        empty = empty_chunk(self._rules)
        return {text: chunks + [empty] * (length - len(chunks)) for text, chunks in rows.items()}

    def _tokenise(self, texts: Sequence[str]) -> list[list[int]]:
        tokenised: list[list[int]] = self._tower.tokenizer(
            list(texts),
            truncation=False,
            add_special_tokens=False,
            return_attention_mask=False,
            verbose=False,
        )["input_ids"]
        return tokenised

    def _encode_schedule(
        self, texts: Sequence[str], rows: dict[str, list[Chunk]], states: dict[tuple[object, ...], Tensor]
    ) -> list[Conditioning]:
        place = {text: number for number, text in enumerate(rows)}
        share = torch.tensor([place[text] for text in texts])
        columns = zip(*rows.values(), strict=True)
        tensor = torch.cat([self._weigh(column, share, states) for column in columns], dim=1)
        conditionings = [Conditioning(row) for row in tensor]
        return [conditionings[place[text]] for text in texts]

    def _weigh(
        self, chunks: Sequence[Chunk], share: Tensor, states: dict[tuple[object, ...], Tensor]
    ) -> Tensor:
        stacked = torch.stack([states[chunk.key] for chunk in chunks])
        weights = torch.tensor(
            [chunk.weights for chunk in chunks], dtype=stacked.dtype, device=stacked.device
        )
        return apply_weights(stacked, weights, self._options.emphasis, share.to(stacked.device))

    def _states(self, chunks: Iterable[Chunk]) -> dict[tuple[object, ...], Tensor]:
        """The tower's answer (77, D) for each chunk, by its key."""
        skip, encoder = self._options.clip_stop_at_last_layers, self._tower.encoder
        wanted = {chunk.key: chunk for chunk in chunks}
        found = {key: self._cache.get(encoder, (skip, key)) for key in wanted}
        states = {key: state for key, state in found.items() if state is not None}
        missing = [chunk for key, chunk in wanted.items() if key not in states]
        for start in range(0, len(missing), CHUNKS_AT_ONCE):
            batch = missing[start : start + CHUNKS_AT_ONCE]
            for chunk, state in zip(batch, encode_chunks(encoder, batch, skip), strict=True):
                states[chunk.key] = state.clone()
                self._cache.put(encoder, (skip, chunk.key), states[chunk.key])
        return states
