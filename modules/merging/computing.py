"""The numbers of a piece: read, computed and rounded a part at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

import torch
from torch import Tensor

from modules.checkpoints import StoredTensor, TensorFile
from modules.merging.bake import Baker
from modules.merging.plan import Part, Piece

__all__ = ["memory_of", "numbers_of"]

CHUNK = 1 << 18
"""Numbers that are computed at a time, where a piece need not be computed whole: so many stay in the caches
of a processor, and memory is used again instead of being asked for anew, which makes ten times the speed.
"""
WIDEST = 8
"""Bytes of a number in float64, the widest that is computed in."""
COPIES = 3
"""Of a tensor that exist at a time while it is computed, besides those that were read."""


def numbers_of(piece: Piece, files: Mapping[str, TensorFile], baker: Baker | None) -> Iterator[Tensor]:
    """The numbers of the piece from first to last, in its type.

    files: the parents, open. baker: for a piece that networks change.
    """
    if not _may_be_cut(piece):
        yield _computed(piece, [_read(files, part, part.stored) for part in piece.parts], baker)
        return
    total = prod(piece.shape)
    for first in range(0, total, CHUNK):
        count = min(CHUNK, total - first)
        yield _computed(
            piece, [_read(files, part, _cut(part.stored, first, count)) for part in piece.parts], baker
        )


def memory_of(piece: Piece) -> int:
    """Bytes that computing the piece takes at most."""
    numbers = prod(piece.shape)
    if _may_be_cut(piece):
        numbers = min(numbers, CHUNK)
    return numbers * (sum(part.stored.dtype.itemsize for part in piece.parts) + COPIES * WIDEST)


def _may_be_cut(piece: Piece) -> bool:
    elementwise = piece.mix is None or piece.mix.is_elementwise
    return elementwise and not piece.is_baked and all(part.stored.stride is None for part in piece.parts)


def _cut(stored: StoredTensor, first: int, count: int) -> StoredTensor:
    return StoredTensor((count,), stored.dtype, stored.start + first * stored.dtype.itemsize)


def _read(files: Mapping[str, TensorFile], part: Part, stored: StoredTensor) -> Tensor:
    return files[part.parent].read_stored(stored)


def _computed(piece: Piece, tensors: list[Tensor], baker: Baker | None) -> Tensor:
    result = piece.mix(tensors) if piece.mix else tensors[0]
    if piece.is_baked:
        assert baker is not None
        result = baker.change(piece.name, result.to(torch.float32).contiguous())
    return result.to(piece.dtype)
