"""Torch files (`.ckpt`, `.pt`, `.bin`) read as data: a pickle machine that knows a dozen harmless names.

What torch.save writes is a pickle that names the tensors and, apart from it, their numbers. Only the
pickle is run here, by a subclass whose `find_class` answers from its own table and never imports anything;
a pickle that asks for more is refused with the name of what it wanted. Its instructions are looked through
first, so that it cannot ask for memory without end either. The numbers are left in the file: a tensor
becomes a `StoredTensor`.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch

from modules.checkpoints.inert import INERT_NAMES, INERT_PACKAGES, Inert
from modules.checkpoints.tensor_file import StoredTensor
from modules.errors import EaselError

__all__ = ["looks_like_torch_file", "read_torch_index"]

ZIP_START = b"PK\x03\x04"
PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LOCAL_HEADER_BYTES = 30
LONGEST_PICKLE = 64 << 20
"""Bytes; that of a full-size checkpoint has half a million."""
MOST_ENTRIES = 100_000

STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
ZIP_ERRORS = (zipfile.BadZipFile, ValueError, OSError, EOFError, RuntimeError, struct.error)
"""What a damaged archive makes the standard library raise."""
PICKLE_ERRORS = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What a damaged or hostile pickle makes the machine or the stand-ins of this file raise."""
FORBIDDEN_OPCODES = {"EXT1", "EXT2", "EXT4", "INST", "OBJ", "PERSID", "NEXT_BUFFER", "READONLY_BUFFER"}


@dataclass(frozen=True, slots=True)
class _Storage:
    """A block of numbers: its key in the file, its type, how many there are."""

    key: str
    dtype: torch.dtype
    count: int


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor as a window on a storage; offset and stride count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def looks_like_torch_file(head: bytes) -> bool:
    """Whether a file that begins with `head` is a zip archive or a binary pickle."""
    return head.startswith((ZIP_START, *PICKLE_STARTS))


def read_torch_index(path: Path) -> dict[str, StoredTensor]:
    """The tensors of a torch file by name: those of its "state_dict" where it has one.

    Nothing that the file names is imported or run. Raises EaselError for a file that wants more than
    tensors and plain values, one that is damaged, and one that torch did not write.
    """
    with path.open("rb") as file:
        zipped = file.read(len(ZIP_START)) == ZIP_START
        file.seek(0)
        tree, starts = _read_zip(path, file) if zipped else _read_legacy(path, file)
    views = _state_dict(tree)
    if not views:
        raise EaselError(f"{path.name} holds no tensors by name, so it is not a model.")
    return {name: _locate(path, name, view, starts) for name, view in views.items()}


class _DataUnpickler(pickle.Unpickler):
    """Runs a pickle with the names of `_known` alone."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        super().__init__(file)
        self._path = path
        self.storages: dict[str, torch.dtype] = {}
        """Number types of the storages that were named, by their keys."""

    def find_class(self, module: str, name: str) -> Any:
        """What the pickle gets for a name: a stand-in of this file. Raises EaselError for any other name."""
        found = _known(module, name)
        if found is None:
            raise EaselError(
                f"{self._path.name} was not loaded: besides tensors it asks for {module[:80]}.{name[:80]}, "
                "which a model does not need and which could run commands on this machine. Nothing of it was "
                "run. "
                "Look for the same model as .safetensors, or delete the file."
            )
        return found

    def persistent_load(self, pid: Any) -> _Storage:
        """A storage: ("storage", type, key, place, count), and in old files a view that must be None."""
        kind, dtype, key, _, count, *rest = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype) or type(count) is not int or any(rest):
            raise pickle.UnpicklingError("a reference to something that is no storage")
        self.storages[str(key)] = dtype
        return _Storage(str(key), dtype, count)


def _known(module: str, name: str) -> Any:
    if module == "torch" and name in STORAGES:
        return STORAGES[name]
    if module == "torch.storage" and name == "UntypedStorage":
        return torch.uint8
    if (module, name) in REBUILDERS:
        return REBUILDERS[module, name]
    if (module, name) in INERT_NAMES or module.partition(".")[0] in INERT_PACKAGES:
        return Inert
    return None


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> _View:
    numbers = (offset, *shape, *stride)
    if not isinstance(storage, _Storage) or any(type(number) is not int or number < 0 for number in numbers):
        raise pickle.UnpicklingError("a tensor that is no window on a storage")
    return _View(storage, offset, tuple(shape), tuple(stride))


def _rebuild_parameter(view: _View, *_: Any) -> _View:
    return view


class _PlainDict(dict[Any, Any]):
    """Stands for OrderedDict: takes no attributes from the pickle."""

    def __setstate__(self, state: Any) -> None:
        """Attributes (torch keeps version numbers there) are left out."""


REBUILDERS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch.nn.parameter", "Parameter"): _rebuild_parameter,
    ("collections", "OrderedDict"): _PlainDict,
    ("torch", "Size"): tuple,
}


def _run(path: Path, file: BinaryIO) -> tuple[Any, dict[str, torch.dtype]]:
    """Run the next pickle of `file`, looked through first: its result, and the storages it names by key.

    The file then stands behind it.
    """
    start = file.tell()
    index = io.BytesIO(file.read(LONGEST_PICKLE))
    try:
        _check_instructions(path, index)
        index.seek(0)
        unpickler = _DataUnpickler(index, path)
        result = unpickler.load()
    except PICKLE_ERRORS as error:
        raise _damaged(path, f"its index is not readable ({type(error).__name__})") from None
    file.seek(start + index.tell())
    return result, unpickler.storages


def _check_instructions(path: Path, index: BinaryIO) -> None:
    for count, (opcode, argument, _) in enumerate(pickletools.genops(index)):
        if opcode.name in FORBIDDEN_OPCODES:
            raise _damaged(path, f"its index holds the instruction {opcode.name}, which torch never writes")
        # The machine's memo grows to the largest number that is named.
        if opcode.name in {"PUT", "BINPUT", "LONG_BINPUT"} and isinstance(argument, int) and argument > count:
            raise _damaged(path, "its index asks for more memory than it can need")


def _read_zip(path: Path, file: BinaryIO) -> tuple[Any, dict[str, tuple[int, int]]]:
    """The pickle's result, and where each storage lies: key -> (start, bytes)."""
    try:
        archive = zipfile.ZipFile(file)
    except ZIP_ERRORS:
        raise _damaged(path, "it is cut short or no zip archive") from None
    entries = {info.filename: info for info in archive.infolist()}
    root = next((name.removesuffix("data.pkl") for name in entries if f"/{name}".endswith("/data.pkl")), None)
    if root is None:
        raise EaselError(
            f"{path.name} is a zip archive, not a model. Unpack it and put the model that it holds here."
        )
    index = entries[f"{root}data.pkl"]
    if len(entries) > MOST_ENTRIES or index.file_size > LONGEST_PICKLE:
        raise _damaged(path, "its index is longer than any model's")
    if any(info.compress_type != zipfile.ZIP_STORED for info in entries.values()):
        raise _damaged(path, "its contents are compressed, which torch never does")
    if _contents(path, archive, f"{root}byteorder", b"little") != b"little":
        raise EaselError(f"{path.name} was saved on a machine with another byte order and cannot be read.")
    tree, _ = _run(path, io.BytesIO(_contents(path, archive, index.filename)))
    folder = f"{root}data/"
    starts = {
        name[len(folder) :]: (_data_start(path, file, info), info.file_size)
        for name, info in entries.items()
        if name.startswith(folder)
    }
    return tree, starts


def _contents(path: Path, archive: zipfile.ZipFile, name: str, default: bytes = b"") -> bytes:
    try:
        return archive.read(name)
    except KeyError:
        return default
    except ZIP_ERRORS:
        raise _damaged(path, "its index is damaged") from None


def _data_start(path: Path, file: BinaryIO, info: zipfile.ZipInfo) -> int:
    file.seek(info.header_offset)
    header = file.read(LOCAL_HEADER_BYTES)
    if len(header) < LOCAL_HEADER_BYTES or not header.startswith(ZIP_START):
        raise _damaged(path, "its entries do not lie where its index says")
    name_bytes, extra_bytes = struct.unpack_from("<HH", header, 26)
    return info.header_offset + LOCAL_HEADER_BYTES + int(name_bytes) + int(extra_bytes)


def _read_legacy(path: Path, file: BinaryIO) -> tuple[Any, dict[str, tuple[int, int]]]:
    """As `_read_zip`, for torch before 1.6: four pickles, then each storage after its count."""
    if _run(path, file)[0] != LEGACY_MAGIC:
        raise EaselError(f"{path.name} is a pickle, but not one that torch wrote, so it is not a model.")
    _run(path, file)
    _run(path, file)
    tree, dtypes = _run(path, file)
    keys, _ = _run(path, file)
    starts: dict[str, tuple[int, int]] = {}
    for key in map(str, keys if isinstance(keys, list) else []):
        prefix = file.read(8)
        count = struct.unpack("<q", prefix)[0] if len(prefix) == 8 else -1
        if key not in dtypes or not 0 <= count <= path.stat().st_size:
            raise _damaged(path, "its numbers do not lie where its index says")
        starts[key] = (file.tell(), count * dtypes[key].itemsize)
        file.seek(sum(starts[key]))
    return tree, starts


def _state_dict(tree: Any) -> dict[str, _View]:
    if isinstance(tree, dict) and isinstance(tree.get("state_dict"), dict):
        tree = tree["state_dict"]
    if not isinstance(tree, dict):
        return {}
    return {name: view for name, view in tree.items() if isinstance(name, str) and isinstance(view, _View)}


def _locate(path: Path, name: str, view: _View, starts: Mapping[str, tuple[int, int]]) -> StoredTensor:
    start, size = starts.get(view.storage.key, (0, -1))
    if size < 0:
        raise _damaged(path, f'the numbers of "{name[:80]}" are missing')
    dtype = view.storage.dtype
    plain = StoredTensor(view.shape, dtype, start + view.offset * dtype.itemsize)
    ordered = view.stride == _ordinary_stride(view.shape)
    stored = plain if ordered else StoredTensor(view.shape, dtype, plain.start, view.stride)
    inside = len(view.shape) == len(view.stride) and view.offset * dtype.itemsize + stored.span_bytes <= size
    # A stride of 0 could blow one number up to any size.
    if not inside or stored.numel * dtype.itemsize > size or start + size > path.stat().st_size:
        raise _damaged(path, f'the numbers of "{name[:80]}" are cut short')
    return stored


def _ordinary_stride(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def _damaged(path: Path, reason: str) -> EaselError:
    return EaselError(
        f"{path.name} cannot be read: {reason}. The file is damaged or its download was not finished; "
        "fetch it again, best as .safetensors."
    )
