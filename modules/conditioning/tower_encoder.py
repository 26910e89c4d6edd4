"""One text tower over texts: chunks side by side, weighted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from modules.checkpoints import TextTower
from modules.conditioning.cache import EncodingCache
from modules.conditioning.clip import TowerAnswer, encode_chunks
from modules.conditioning.options import ConditioningOptions
from modules.conditioning.stream import (
    Chunk,
    EmbeddingLookup,
    TokenCount,
    empty_chunk,
    make_chunks,
)
from modules.conditioning.tokens import chunk_rules, tokenise
from modules.conditioning.weighting import apply_weights
from modules.prompts import parse_emphasis

__all__ = ["EncodedText", "TowerEncoder"]

CHUNKS_AT_ONCE = 16
"""Bounds the memory that one call of the tower takes."""

Answers = dict[tuple[object, ...], TowerAnswer]


@dataclass(frozen=True, slots=True, eq=False)
class EncodedText:
    """One text as one tower sees it."""

    states: Tensor
    """(T, D)"""
    pooled: Tensor | None
    """(V,): that of the first chunk."""


class TowerEncoder:
    """Texts to what a tower makes of them. Its answers are kept in `cache`; `at_work`: a scope in which the
    tower is on the device.
    """

    def __init__(
        self,
        tower: TextTower,
        options: ConditioningOptions,
        cache: EncodingCache,
        embeddings: EmbeddingLookup | None,
        at_work: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._tower, self._options, self._at_work = tower, options, at_work
        self._cache, self._embeddings = cache, embeddings
        self._rules = chunk_rules(
            tower.tokenizer, options.comma_padding_backtrack, pads_with_end=tower.use.pads_with_end
        )

    def chunks(self, text: str) -> tuple[list[Chunk], TokenCount]:
        """The chunks of one text, and its token count."""
        pieces = parse_emphasis(text, self._options.emphasis)
        return make_chunks(pieces, partial(tokenise, self._tower.tokenizer), self._rules, self._embeddings)

    def encode(self, schedules: Sequence[Sequence[str]]) -> list[list[EncodedText]]:
        """The texts of several schedules; those of one are made equally long and weighted together."""
        chunked = [self._equally_long(texts) for texts in schedules]
        answers = self._answers(chunk for rows in chunked for chunks in rows.values() for chunk in chunks)
        return [
            self._encode_schedule(texts, rows, answers)
            for texts, rows in zip(schedules, chunked, strict=True)
        ]

    def _equally_long(self, texts: Iterable[str]) -> dict[str, list[Chunk]]:
        """The chunks of each distinct text, shorter ones filled up with chunks of the empty text."""
        rows = {text: self.chunks(text)[0] for text in dict.fromkeys(texts)}
        length = max(len(chunks) for chunks in rows.values())
        empty = empty_chunk(self._rules)
        return {text: chunks + [empty] * (length - len(chunks)) for text, chunks in rows.items()}

    def _encode_schedule(
        self, texts: Sequence[str], rows: dict[str, list[Chunk]], answers: Answers
    ) -> list[EncodedText]:
        place = {text: number for number, text in enumerate(rows)}
        share = torch.tensor([place[text] for text in texts])
        columns = zip(*rows.values(), strict=True)
        states = torch.cat([self._weigh(column, share, answers) for column in columns], dim=1)
        encoded = [
            EncodedText(row, answers[chunks[0].key].pooled)
            for row, chunks in zip(states, rows.values(), strict=True)
        ]
        return [encoded[place[text]] for text in texts]

    def _weigh(self, chunks: Sequence[Chunk], share: Tensor, answers: Answers) -> Tensor:
        stacked = torch.stack([answers[chunk.key].states for chunk in chunks])
        weights = torch.tensor(
            [chunk.weights for chunk in chunks], dtype=stacked.dtype, device=stacked.device
        )
        return apply_weights(stacked, weights, self._options.emphasis, share.to(stacked.device))

    def _answers(self, chunks: Iterable[Chunk]) -> Answers:
        """The tower's answer for each chunk, by its key."""
        skip, encoder = self._options.clip_stop_at_last_layers, self._tower.encoder
        wanted = {chunk.key: chunk for chunk in chunks}
        found = {key: self._cache.get(encoder, (skip, key)) for key in wanted}
        answers = {key: answer for key, answer in found.items() if isinstance(answer, TowerAnswer)}
        missing = [chunk for key, chunk in wanted.items() if key not in answers]
        for start in range(0, len(missing), CHUNKS_AT_ONCE):
            batch = missing[start : start + CHUNKS_AT_ONCE]
            with self._at_work():
                encoded = encode_chunks(self._tower, batch, skip)
            for chunk, answer in zip(batch, encoded, strict=True):
                answers[chunk.key] = answer
                self._cache.put(encoder, (skip, chunk.key), answer)
        return answers
