"""Attention a part at a time: how large the parts are, and the sums over them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from modules.memory.kinds import AttentionKind

__all__ = ["Chunks", "Scores", "Slices", "bytes_of_slices", "sliced_attention", "slices_of"]

COPIES = 2
"""The matrix, and its softmax beside it."""
V1_PAIRS = 2
INVOKEAI_BYTES = 32 << 20
DOGGETTX_PARTS = 64
"""More would take longer than anyone waits."""
FREE_SHARE = 0.7
"""Of the free memory, from which keys are cut where no flag says another."""
FEWEST_HEADS = 5
"""Of the largest attention of the known families: Stable Diffusion 2's."""


@dataclass(frozen=True, slots=True)
class Chunks:
    """The flags `--sub-quad-q-chunk-size`, `--sub-quad-kv-chunk-size` and `--sub-quad-chunk-threshold`.

    `keys`: None for as many as stay below the threshold, at least the root of their number; `threshold`:
    percent of the free memory from which keys are cut, 0 for always.
    """

    queries: int = 1024
    keys: int | None = None
    threshold: int | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """The matrix of an attention: for each of `pairs` (a head of a picture) queries by keys."""

    pairs: int
    queries: int
    keys: int
    itemsize: int

    @property
    def nbytes(self) -> int:
        """Of the whole matrix."""
        return self.pairs * self.queries * self.keys * self.itemsize


@dataclass(frozen=True, slots=True)
class Slices:
    """How many pairs, queries and keys are looked at together, at most."""

    pairs: int
    queries: int
    keys: int


def slices_of(kind: AttentionKind, scores: Scores, free: int, chunks: Chunks) -> Slices:
    """The slices in which `kind` makes `scores` while `free` bytes of memory are free: one, of kinds that do
    not slice.
    """
    if kind is AttentionKind.V1:
        return Slices(V1_PAIRS, scores.queries, scores.keys)
    if kind is AttentionKind.INVOKEAI:
        one = scores.nbytes // scores.pairs
        queries = math.ceil(scores.queries / _halvings(one, INVOKEAI_BYTES))
        return Slices(max(INVOKEAI_BYTES // one, 1), queries, scores.keys)
    if kind is AttentionKind.DOGGETTX:
        parts = min(_halvings(COPIES * scores.nbytes, free), DOGGETTX_PARTS)
        return Slices(scores.pairs, math.ceil(scores.queries / parts), scores.keys)
    if kind is AttentionKind.SUB_QUADRATIC:
        return _sub_quadratic(scores, free, chunks)
    return Slices(scores.pairs, scores.queries, scores.keys)


def _halvings(size: int, limit: int) -> int:
    """The smallest power of two by which `size` is at most `limit`."""
    return 1 << max(math.ceil(size / max(limit, 1)) - 1, 0).bit_length()


def _sub_quadratic(scores: Scores, free: int, chunks: Chunks) -> Slices:
    share = FREE_SHARE if chunks.threshold is None else chunks.threshold / 100
    queries = min(chunks.queries, scores.queries)
    fitting = int(free * share) // (COPIES * scores.pairs * queries * scores.itemsize)
    if fitting >= scores.keys:
        return Slices(scores.pairs, queries, scores.keys)
    return Slices(scores.pairs, queries, chunks.keys or max(fitting, math.isqrt(scores.keys)))


def bytes_of_slices(kind: AttentionKind, whole: float, tokens: int, rows: int, free: int = 0) -> float:
    """What `kind` takes while `free` bytes of memory are free (0: where it is short), of `whole` bytes for
    the matrix with its softmax, of `tokens` squared for each of `rows` pictures. 0 for kinds that make no
    matrix.
    """
    if kind is AttentionKind.NONE:
        return whole
    if kind is AttentionKind.V1:
        return whole * min(V1_PAIRS / (rows * FEWEST_HEADS), 1)
    if kind is AttentionKind.INVOKEAI:
        return min(whole, COPIES * INVOKEAI_BYTES)
    if kind is AttentionKind.DOGGETTX:
        return whole / min(_halvings(math.ceil(whole), free), DOGGETTX_PARTS)
    if kind is AttentionKind.SUB_QUADRATIC:
        bytes_of_a_score = math.ceil(whole / COPIES / tokens**2)
        slices = _sub_quadratic(Scores(1, tokens, tokens, bytes_of_a_score), free, Chunks())
        return whole * slices.queries * min(slices.keys, tokens) / tokens**2
    return 0


def sliced_attention(query: Tensor, key: Tensor, value: Tensor, scale: float, slices: Slices) -> Tensor:
    """softmax(query key^T scale) value for (P, N, C), (P, M, C) and (P, M, C), in slices."""
    query = query * scale
    output = torch.empty((*query.shape[:-1], value.shape[-1]), dtype=value.dtype, device=value.device)
    for pair in range(0, query.shape[0], slices.pairs):
        some = slice(pair, pair + slices.pairs)
        for first in range(0, query.shape[1], slices.queries):
            place = some, slice(first, first + slices.queries)
            output[place] = _attended(query[place], key[some], value[some], slices.keys)
    return output


def _attended(query: Tensor, key: Tensor, value: Tensor, keys: int) -> Tensor:
    """With keys in parts: the softmax of all from the sums of each, as Rabe and Staats describe (2021,
    arXiv:2112.05682, 2 and 3). Sums are kept in float32, for thousands of terms are too many for half of it.
    """
    if key.shape[1] <= keys:
        return torch.softmax(query @ key.mT, -1) @ value
    highest = torch.full((*query.shape[:-1], 1), -math.inf, device=query.device)
    total = torch.zeros_like(highest)
    seen = torch.zeros((*query.shape[:-1], value.shape[-1]), device=query.device)
    for some, values in zip(key.split(keys, 1), value.split(keys, 1), strict=True):
        scores = query @ some.mT
        higher = torch.maximum(highest, scores.amax(-1, keepdim=True).float())
        weights = scores.sub_(higher.to(scores.dtype)).exp_()
        fade = (highest - higher).exp_()
        total.mul_(fade).add_(weights.sum(-1, keepdim=True, dtype=torch.float32))
        seen.mul_(fade).add_(weights @ values)
        highest = higher
    return seen.div_(total)
