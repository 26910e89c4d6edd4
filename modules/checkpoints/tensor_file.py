"""A file of named tensors, opened without reading its numbers: what every kind of checkpoint file becomes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import BinaryIO, Self

import torch
from torch import Tensor

from modules.checkpoints.conversion import converted, put_converted
from modules.errors import UnusableFile
from modules.memory import fetch_pages

__all__ = ["FileState", "StoredTensor", "TensorFile", "state_of"]

READS_AT_PLACES = hasattr(os, "preadv")
"""Not on Windows."""
BLOCK = 1 << 20
"""Bytes that stay in a processor's cache."""
DEVICE_BLOCK = 8 << 20
"""Bytes that are copied to a device at a time."""
FileState = tuple[int, ...]
"""What changes when a file is replaced or written."""


def state_of(file: Path | int) -> FileState:
    """The state of a file, by its path or its descriptor. Raises OSError."""
    facts = os.stat(file)  # noqa: PTH116 - a descriptor has no Path
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns


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
    """Named tensors of one file, open for reading; a context manager that closes it.

    Numbers are read into memory and never mapped: a mapped file that another program shortens ends the
    process that looks at it. A file that ends early or changes while it is read is an error in a sentence.
    """

    def __init__(
        self,
        path: Path,
        tensors: Mapping[str, StoredTensor],
        metadata: Mapping[str, str],
        state: FileState | None = None,
    ) -> None:
        """state: that of the file when its index was read. Raises OSError, and EaselError for a file that
        has changed since.
        """
        self.path = path
        self.tensors = tensors
        self.metadata = metadata
        self._file: BinaryIO = path.open("rb", buffering=0)
        self._one_reads = Lock()
        self._blocks = threading.local()
        self._was_read = False
        self._on_close: Callable[[], None] = _nothing
        self._state = state or state_of(self._file.fileno())
        if self._state != state_of(self._file.fileno()):
            self._file.close()
            raise self._changed()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises EaselError where numbers were read of a file that was written meanwhile."""
        changed = kind is None and self._was_read and self._state != state_of(self._file.fileno())
        self.close()
        if changed:
            raise self._changed()

    def close(self) -> None:
        """Let go of the file; tensors that were read stay."""
        self._file.close()
        self._on_close()
        self._on_close = _nothing

    def when_closed(self, do: Callable[[], None]) -> None:
        """Have `do` done once, when the file is closed."""
        self._on_close = do

    def _changed(self) -> UnusableFile:
        return UnusableFile(
            f"{self.path.name} was changed while it was read. Is it being written? Try again."
        )

    def read(self, name: str, dtype: torch.dtype | None = None, device: torch.device | str = "cpu") -> Tensor:
        """The tensor `name` in memory of its own on `device`, in `dtype` (None: as stored).

        Raises KeyError, and UnusableFile for a file that cannot be read to its end.
        """
        return self.read_stored(self.tensors[name], dtype, device)

    def read_stored(
        self, stored: StoredTensor, dtype: torch.dtype | None = None, device: torch.device | str = "cpu"
    ) -> Tensor:
        """One of `tensors`, or a part of one, as `read` does it. Threads may do so at a time."""
        wanted, device = dtype or stored.dtype, torch.device(device)
        if stored.numel == 0:
            return torch.empty(stored.shape, dtype=wanted, device=device)
        self._was_read = True
        if stored.stride is not None:
            span = self._read_straight(StoredTensor((stored.span_bytes,), torch.uint8, stored.start))
            ordered = span.view(stored.dtype).as_strided(stored.shape, stored.stride)
            # Some devices have no float64 to convert from.
            ordered = ordered.to(wanted) if stored.dtype is torch.float64 else ordered
            return converted(ordered, wanted, device, copy=False)
        if wanted == stored.dtype and device.type == "cpu":
            return self._read_straight(stored)
        return self._read_in_blocks(stored, wanted, device)

    def _read_straight(self, stored: StoredTensor) -> Tensor:
        """Into the memory of the tensor itself."""
        tensor = torch.empty(stored.shape, dtype=stored.dtype)
        room = memoryview(tensor.view(-1).view(torch.uint8).numpy())
        for begin in range(0, len(room), BLOCK):
            block = room[begin : begin + BLOCK]
            fetch_pages(block)
            self._fill(block, stored.start + begin)
        return tensor

    def _read_in_blocks(self, stored: StoredTensor, wanted: torch.dtype, device: torch.device) -> Tensor:
        """By way of a block, for another type or another device."""
        tensor = torch.empty(stored.shape, dtype=wanted, device=device)
        size = BLOCK if device.type == "cpu" else DEVICE_BLOCK
        flat, step, block = tensor.view(-1), size // stored.dtype.itemsize, self._block(device, size)
        room = memoryview(block.numpy())
        for begin in range(0, len(flat), step):
            place = flat[begin : begin + step]
            count = len(place) * stored.dtype.itemsize
            self._fill(room[:count], stored.start + begin * stored.dtype.itemsize)
            if device.type == "cpu":
                fetch_pages(memoryview(place.view(torch.uint8).numpy()))
            put_converted(block[:count].view(stored.dtype), place)
        return tensor

    def _block(self, device: torch.device, size: int) -> Tensor:
        """Memory that this thread reads into again and again, from which `device` copies fast."""
        block: Tensor | None = getattr(self._blocks, device.type, None)
        if block is None:
            block = torch.empty(size, dtype=torch.uint8, pin_memory=device.type == "cuda")
            setattr(self._blocks, device.type, block)
        return block

    def _fill(self, block: memoryview, start: int) -> None:
        """Fill `block` from the byte `start` on."""
        filled = 0
        while filled < len(block):
            try:
                count = self._read_into(block[filled:], start + filled)
            except OSError as error:
                raise UnusableFile(
                    f"{self.path.name} cannot be read: {error.strerror or error}. Check its drive."
                ) from error
            if not count:
                raise UnusableFile(
                    f"{self.path.name} ended while it was read. Is it being written? Try again."
                )
            filled += count

    def _read_into(self, block: memoryview, start: int) -> int:
        """Fill the begin of `block` from the byte `start` on; how many came."""
        if READS_AT_PLACES:
            return os.preadv(self._file.fileno(), [block], start)
        with self._one_reads:
            self._file.seek(start)
            return self._file.readinto(block)  # type: ignore[attr-defined]


def _nothing() -> None:
    """Nobody waits for the end."""
