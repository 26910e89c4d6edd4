"""Writing a safetensors file as a stream: the header first, then one tensor after another.

https://github.com/huggingface/safetensors, section "Format". A file is written as the format's own library
does it: wide types first, then by name, so that every tensor lies at a multiple of its own size.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol

import torch
from torch import Tensor

from modules.checkpoints.safetensors_file import DTYPES, LENGTH_BYTES

__all__ = [
    "ByteSink",
    "TensorEntry",
    "bytes_of",
    "safetensors_header",
    "safetensors_order",
    "write_safetensors",
]

NAMES = {dtype: name for name, dtype in DTYPES.items()}


class ByteSink(Protocol):
    """What takes the bytes of a file, in their order. It may still read them after `write` has returned."""

    def write(self, data: memoryview | bytes, /) -> int: ...


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """A tensor that will be written."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return prod(self.shape) * self.dtype.itemsize


def safetensors_order(entries: Iterable[TensorEntry]) -> list[TensorEntry]:
    """The order in which tensors lie in the file."""
    return sorted(entries, key=lambda entry: (-entry.dtype.itemsize, str(entry.dtype), entry.name))


def safetensors_header(entries: Sequence[TensorEntry], metadata: Mapping[str, str]) -> bytes:
    """All that stands before the numbers, for entries in `safetensors_order`."""
    table: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    begin = 0
    for entry in entries:
        offsets = [begin, begin + entry.size]
        table[entry.name] = {
            "dtype": NAMES[entry.dtype],
            "shape": list(entry.shape),
            "data_offsets": offsets,
        }
        begin += entry.size
    text = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % LENGTH_BYTES)
    return len(text).to_bytes(LENGTH_BYTES, "little") + text


def write_safetensors(
    sink: ByteSink,
    entries: Sequence[TensorEntry],
    metadata: Mapping[str, str],
    numbers: Iterable[Iterable[Tensor]],
) -> None:
    """Write the file. `numbers` gives for each of the entries, in `safetensors_order`, its numbers in pieces
    of any size, from the first to the last.
    """
    sink.write(safetensors_header(entries, metadata))
    for pieces in numbers:
        for piece in pieces:
            sink.write(bytes_of(piece))


def bytes_of(tensor: Tensor) -> memoryview:
    """The bytes of a tensor on the CPU, as they lie in files; of a contiguous one without a copy."""
    flat = tensor.contiguous().view(-1)
    return memoryview(flat.view(torch.uint8).numpy()) if flat.numel() else memoryview(b"")
