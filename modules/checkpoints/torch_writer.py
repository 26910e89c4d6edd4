"""Writing a torch file (`.ckpt`) as a stream: what `torch.save({"state_dict": ...})` gives, one tensor after
another.

A zip archive of stored entries: the index, a pickle that names the tensors, then the numbers of each. Nothing
is pickled but names, sizes and types, so the file opens with `weights_only=True` too.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, cast

import torch
from torch import Tensor

from modules.checkpoints.pickle_values import STORAGES
from modules.checkpoints.safetensors_writer import ByteSink, TensorEntry, bytes_of
from modules.errors import UnusableFile

__all__ = ["torch_file_size", "write_torch_file"]

ROOT = "archive"
FORMAT_VERSION = b"3\n"
PROTOCOL = 2
STORAGE_NAMES = {dtype: name for name, dtype in STORAGES.items()}
A_YEAR_THAT_ZIP_KNOWS = (1980, 1, 1, 0, 0, 0)
"""The same tensors give the same file, whenever it is written."""


def write_torch_file(
    sink: ByteSink, entries: Sequence[TensorEntry], numbers: Iterable[Iterable[Tensor]]
) -> None:
    """Write the file. `numbers` gives for each of the entries its numbers in pieces of any size.

    Raises EaselError for a number type that torch files cannot hold.
    """
    with zipfile.ZipFile(cast(Any, _Forward(sink)), "w", zipfile.ZIP_STORED) as archive:
        _put(archive, "data.pkl", _index(entries))
        _put(archive, "byteorder", b"little")
        for key, pieces in enumerate(numbers):
            with archive.open(_member(f"data/{key}"), "w", force_zip64=True) as member:
                for piece in pieces:
                    member.write(bytes_of(piece))
        _put(archive, "version", FORMAT_VERSION)


def torch_file_size(entries: Sequence[TensorEntry]) -> int:
    """Bytes of such a file: those of one without numbers, and the numbers."""
    counter = _Counter()
    write_torch_file(counter, entries, ([] for _ in entries))
    return counter.count + sum(entry.size for entry in entries)


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(_member(name), content)


def _member(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(f"{ROOT}/{name}", A_YEAR_THAT_ZIP_KNOWS)


def _index(entries: Sequence[TensorEntry]) -> bytes:
    tensors = {entry.name: _Tensor(str(key), entry) for key, entry in enumerate(entries)}
    written = io.BytesIO()
    _Pickler(written, PROTOCOL).dump({"state_dict": tensors})
    return written.getvalue()


@dataclass(frozen=True, slots=True)
class _Storage:
    """What the pickle calls by a key."""

    key: str
    entry: TensorEntry


class _Tensor:
    """Is pickled as torch pickles a contiguous tensor on the CPU."""

    def __init__(self, key: str, entry: TensorEntry) -> None:
        self._storage = _Storage(key, entry)

    def __reduce__(self) -> tuple[Any, ...]:
        shape = self._storage.entry.shape
        strides = tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))
        return torch._utils._rebuild_tensor_v2, (self._storage, 0, shape, strides, False, OrderedDict())


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        """A storage as torch names it: its type, its key, its device, how many numbers."""
        if not isinstance(value, _Storage):
            return None
        entry = value.entry
        if entry.dtype not in STORAGE_NAMES:
            kind = str(entry.dtype).removeprefix("torch.")
            raise UnusableFile(
                f"A .ckpt cannot hold numbers of the type {kind}, as {entry.name} has them. Choose "
                "safetensors, or float16."
            )
        storage = getattr(torch, STORAGE_NAMES[entry.dtype])
        return "storage", storage, value.key, "cpu", prod(entry.shape)


class _Forward:
    """A file that only goes forward, so that zipfile writes without ever going back."""

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink

    def write(self, data: Any) -> int:
        return self._sink.write(data)

    def flush(self) -> None:
        """Everything is handed on at once."""


class _Counter:
    """Takes bytes and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, data: memoryview | bytes, /) -> int:
        self.count += len(data)
        return len(data)
