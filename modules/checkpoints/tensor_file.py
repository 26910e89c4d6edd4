"""A file of named tensors, opened without reading its numbers: what every kind of checkpoint file becomes."""

from __future__ import annotations

import mmap
import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import BinaryIO, Self

import torch
from torch import Tensor

from modules.checkpoints.conversion import converted
from modules.errors import EaselError
from modules.memory import fetch_pages

__all__ = ["StoredTensor", "TensorFile"]

READS_AT_PLACES = hasattr(os, "preadv")
"""Not on Windows."""
BLOCK = 1 << 20
"""Bytes that stay in a processor's cache."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where a tensor's numbers lie: `start` in bytes from the file's begin, `stride` in elements."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    start: int
    stride: tuple[int, ...] | None = None
    """None for the ordinary order, in which the last axis lies together."""

    @property
    def numel(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def span_bytes(self) -> int:
        """Bytes from the first to the last number, both included."""
        if self.numel == 0:
            return 0
        if self.stride is None:
            return self.numel * self.dtype.itemsize
        reach = sum((size - 1) * stride for size, stride in zip(self.shape, self.stride, strict=True))
        return (reach + 1) * self.dtype.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """Elements from one index to the next, for each axis."""
        if self.stride is not None:
            return self.stride
        return tuple(prod(self.shape[axis + 1 :]) for axis in range(len(self.shape)))

    def rows(self, number: int, of: int) -> StoredTensor:
        """The `number`-th (from 0) of `of` equal parts along the first axis; what is left over is left
        out.
        """
        count = self.shape[0] // of
        start = self.start + number * count * self.strides[0] * self.dtype.itemsize
        return StoredTensor((count, *self.shape[1:]), self.dtype, start, self.stride)

    def transposed(self) -> StoredTensor:
        """The same numbers with the axes in reverse."""
        return StoredTensor(self.shape[::-1], self.dtype, self.start, self.strides[::-1])


class TensorFile:
    """Named tensors of one file, memory-mapped; a context manager that closes the map.

    `read` is the only thing that touches numbers, and it lets go of the file's pages at once, so the
    memory in use is what was read out and no more.
    """

    def __init__(
        self, path: Path, tensors: Mapping[str, StoredTensor], metadata: Mapping[str, str], mapped: bool
    ) -> None:
        self.path = path
        self.tensors = tensors
        self.metadata = metadata
        self._file: BinaryIO = path.open("rb")
        self._one_reads = Lock()
        self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if mapped else None
        self._raw = None if self._map is None else _as_tensor(self._map)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; tensors that were read stay."""
        if self._map is not None:
            self._raw = None
            with suppress(BufferError):
                self._map.close()
        self._file.close()

    def read(self, name: str, dtype: torch.dtype | None = None, device: torch.device | str = "cpu") -> Tensor:
        """The tensor `name` in memory of its own on `device`, in `dtype` (None: as stored). Or KeyError."""
        return self.read_stored(self.tensors[name], dtype, device)

    def read_stored(
        self, stored: StoredTensor, dtype: torch.dtype | None = None, device: torch.device | str = "cpu"
    ) -> Tensor:
        """One of `tensors`, or a part of one, as `read` does it."""
        if stored.numel == 0:
            return torch.empty(stored.shape, dtype=dtype or stored.dtype, device=device)
        if (READS_AT_PLACES or not self._map) and _is_all_that(stored, dtype, device):
            return self._read_straight(stored)
        view = self._bytes_of(stored).view(stored.dtype)
        ordered = (
            view.view(stored.shape) if stored.stride is None else view.as_strided(stored.shape, stored.stride)
        )
        if dtype and stored.dtype is torch.float64:
            ordered = ordered.to(dtype)  # some devices have no float64 to convert from
        tensor = converted(ordered, dtype or stored.dtype, device, copy=self._map is not None)
        del view, ordered
        self._release(stored)
        return tensor

    def _read_straight(self, stored: StoredTensor) -> Tensor:
        """Without a detour over the map. Threads may do so at a time."""
        tensor = torch.empty(stored.shape, dtype=stored.dtype)
        room, filled = memoryview(tensor.view(-1).view(torch.uint8).numpy()), 0
        while filled < len(room):
            block = room[filled : filled + BLOCK]
            fetch_pages(block)
            count = self._read_into(block, stored.start + filled)
            if not count:
                raise EaselError(f"{self.path.name} ended while it was read. Is it being written? Try again.")
            filled += count
        return tensor

    def _read_into(self, block: memoryview, start: int) -> int:
        """Fill `block` from the byte `start` on; how many came."""
        if READS_AT_PLACES:
            return os.preadv(self._file.fileno(), [block], start)
        with self._one_reads:
            self._file.seek(start)
            return self._file.readinto(block)  # type: ignore[attr-defined]

    def _bytes_of(self, stored: StoredTensor) -> Tensor:
        if self._raw is None:
            return self._read_straight(StoredTensor((stored.span_bytes,), torch.uint8, stored.start))
        raw = self._raw[stored.start : stored.start + stored.span_bytes]
        return raw.clone() if stored.start % stored.dtype.itemsize else raw

    def _release(self, stored: StoredTensor) -> None:
        if self._map is None or not hasattr(mmap, "MADV_DONTNEED"):
            return
        begin = stored.start - stored.start % mmap.PAGESIZE
        self._map.madvise(mmap.MADV_DONTNEED, begin, stored.start + stored.span_bytes - begin)


def _is_all_that(stored: StoredTensor, dtype: torch.dtype | None, device: torch.device | str) -> bool:
    """Whether the numbers lie in the file as they are wanted in the machine's memory."""
    is_wanted = dtype in (None, stored.dtype) and torch.device(device).type == "cpu"
    return is_wanted and stored.stride is None


def _as_tensor(file: mmap.mmap) -> Tensor:
    """The bytes of a mapped file."""
    with warnings.catch_warnings():
        # torch warns that nobody may write to them; nobody does, `read` copies.
        warnings.filterwarnings("ignore", message="The given buffer is not writable")
        return torch.frombuffer(file, dtype=torch.uint8)
