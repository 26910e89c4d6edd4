"""Safetensors files (https://github.com/huggingface/safetensors, section "Format"), checked first."""

from __future__ import annotations

import json
import re
import struct
from codecs import getincrementaldecoder
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import torch

from modules.checkpoints.foreign_text import encodable
from modules.checkpoints.tensor_file import StoredTensor
from modules.errors import EaselError, UnusableFile
from modules.foreign_json import JsonBounds, JsonNotRead, parse_json

__all__ = ["looks_like_safetensors", "read_header", "read_metadata"]

LENGTH_BYTES = 8
LONGEST_HEADER = 100_000_000
"""Bytes; the format's own limit."""
MOST_BRACKETS, MOST_COMMAS = 600_000, 3_000_000
"""In a header; a tensor takes three and seven. The largest models have ten thousand, and long metadata."""
HEADER_BOUNDS = JsonBounds(bytes=LONGEST_HEADER, nodes=4_000_000)
MOST_AXES = 64
"""Of a tensor, as in torch."""
USUAL_METADATA = 1 << 16
"""Bytes of a header that are read for metadata alone; a longer one is read whole."""
METADATA_FIRST = re.compile(r'\s*\{\s*"__metadata__"\s*:\s*')

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


def looks_like_safetensors(head: bytes) -> bool:
    """Whether the first 9 bytes of a file are a header's length and its opening brace."""
    return len(head) > LENGTH_BYTES and head[LENGTH_BYTES : LENGTH_BYTES + 1] == b"{"


def read_header(path: Path) -> tuple[dict[str, StoredTensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file. Raises EaselError saying what is wrong with the file."""
    header, data_start = _read_json(path)
    metadata = _text_metadata(header.pop("__metadata__", {}))
    data_bytes = path.stat().st_size - data_start
    entries = {encodable(name): entry for name, entry in header.items()}
    tensors = {name: _stored(path, name, entry, data_start, data_bytes) for name, entry in entries.items()}
    _refuse_overlaps(path, tensors)
    return tensors, metadata


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; empty for a file that cannot be read as one."""
    try:
        metadata = _leading_metadata(path)
        return _text_metadata(_read_json(path)[0].get("__metadata__", {}) if metadata is None else metadata)
    except (EaselError, OSError):
        return {}


def _leading_metadata(path: Path) -> object | None:
    """The metadata where they stand first in the header, as most programs write them: the table of tensors,
    often the larger part, is not read. None where they do not, or are long.
    """
    with path.open("rb") as file:
        length = _header_length(path, file)
        head = file.read(min(length, USUAL_METADATA))
    try:
        text = getincrementaldecoder("utf-8")().decode(head)
        begin = METADATA_FIRST.match(text)
        return json.JSONDecoder().raw_decode(text, begin.end())[0] if begin else None
    except (ValueError, RecursionError):
        return None


def _header_length(path: Path, file: BinaryIO) -> int:
    """Bytes of the header of the open file, which stands behind them then. Raises EaselError."""
    size = path.stat().st_size
    prefix = file.read(LENGTH_BYTES)
    length: int = struct.unpack("<Q", prefix)[0] if len(prefix) == LENGTH_BYTES else size
    if length > LONGEST_HEADER:
        raise _broken(path, f"its header claims to be {length} bytes long, more than the format allows")
    if LENGTH_BYTES + length > size:
        raise _broken(path, "it ends before its header does")
    return length


def _read_json(path: Path) -> tuple[dict[str, Any], int]:
    with path.open("rb") as file:
        length = _header_length(path, file)
        text = file.read(length)
    try:
        _refuse_intricacy(path, text)
        header = parse_json(text, path.name, HEADER_BOUNDS)
    except JsonNotRead:
        raise _broken(path, "its header is not readable") from None
    if not isinstance(header, dict):
        raise _broken(path, "its header is not a table of tensors")
    return header, LENGTH_BYTES + length


def _refuse_intricacy(path: Path, text: bytes) -> None:
    """Raises EaselError for a header that would take a hundred times its size in memory."""
    if text.count(b"[") + text.count(b"{") > MOST_BRACKETS or text.count(b",") > MOST_COMMAS:
        raise _broken(path, "its header describes more tensors than any model has")


def _text_metadata(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {encodable(str(key)): encodable(text) for key, text in value.items() if isinstance(text, str)}


def _stored(path: Path, name: str, entry: object, data_start: int, data_bytes: int) -> StoredTensor:
    try:
        kind, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]  # type: ignore[index]
        numbers = (*shape, begin, end)
        whole = isinstance(kind, str) and len(shape) <= MOST_AXES
        whole = whole and all(type(number) is int and 0 <= number < 1 << 63 for number in numbers)
    except (TypeError, KeyError, ValueError):
        whole = False
    if not whole:
        raise _broken(path, f'its header describes the tensor "{name[:80]}" in a way that makes no sense')
    if kind not in DTYPES:
        raise UnusableFile(
            f'{path.name} holds "{name[:80]}" in the number type {kind!r}, which this version cannot read; '
            f"it reads {', '.join(DTYPES)}."
        )
    if end > data_bytes:
        raise _broken(path, f"it is cut short: {data_bytes} of at least {end} bytes of numbers are there")
    if end - begin != prod(shape) * DTYPES[kind].itemsize:
        raise _broken(path, f'the tensor "{name[:80]}" has another length than its shape {list(shape)} needs')
    return StoredTensor(shape, DTYPES[kind], data_start + begin)


def _refuse_overlaps(path: Path, tensors: Mapping[str, StoredTensor]) -> None:
    reached = 0
    for name, stored in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].span_bytes)):
        if stored.numel and stored.start < reached:
            raise _broken(path, f'the tensor "{name[:80]}" lies over another one')
        reached = max(reached, stored.start + stored.span_bytes)


def _broken(path: Path, reason: str) -> UnusableFile:
    return UnusableFile(
        f"{path.name} cannot be read: {reason}. The file is damaged or its download was not finished; "
        "fetch it again and compare its size and hash with the source's."
    )
