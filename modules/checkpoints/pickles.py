"""A pickle machine that knows a dozen harmless names, and imports nothing.

What torch.save writes is a pickle that names tensors, with their numbers beside it. Its `find_class` answers
from a table of stand-ins; a pickle that asks for more is refused with the name of what it wanted. The
instructions are looked through first, so that a pickle cannot ask for memory without end either.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch

from modules.checkpoints.foreign_text import encodable
from modules.checkpoints.inert import INERT_NAMES, INERT_PACKAGES, Inert
from modules.errors import EaselError

__all__ = ["LEGACY_MAGIC", "LONGEST_PICKLE", "StorageView", "damaged", "run_pickle"]

LONGEST_PICKLE = 64 << 20
"""Bytes; that of a full-size checkpoint has half a million."""
MOST_INSTRUCTIONS = 400_000
"""A full-size checkpoint's pickle has a hundred thousand; looking through this many takes half a second on a
slow machine.
"""
MOST_AXES = 64
"""Of a tensor, as in torch."""
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""The one number beyond 64 bits that torch writes. Others could be chosen so that a dictionary of them takes
for ever."""

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
class StorageView:
    """A tensor as a window on a storage; offset and stride count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def run_pickle(path: Path, file: BinaryIO) -> tuple[Any, dict[str, torch.dtype]]:
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
        raise damaged(path, f"its index is not readable ({type(error).__name__})") from None
    file.seek(start + index.tell())
    return result, unpickler.storages


def _check_instructions(path: Path, index: BinaryIO) -> None:
    for count, (opcode, argument, _) in enumerate(pickletools.genops(index)):
        if count > MOST_INSTRUCTIONS:
            raise damaged(path, "its index is longer than any model's")
        if opcode.name in FORBIDDEN_OPCODES:
            raise damaged(path, f"its index holds the instruction {opcode.name}, which torch never writes")
        # The machine's memo grows to the largest number that is named.
        if opcode.name in {"PUT", "BINPUT", "LONG_BINPUT"} and isinstance(argument, int) and argument > count:
            raise damaged(path, "its index asks for more memory than it can need")
        if type(argument) is int and argument.bit_length() > 64 and argument != LEGACY_MAGIC:
            raise damaged(path, "its index holds a number that is larger than any model's")


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
            wanted = encodable(f"{module[:80]}.{name[:80]}")
            raise EaselError(
                f"{self._path.name} was not loaded: besides tensors it asks for {wanted}, which a model does "
                "not need and which could run commands on this machine. Nothing of it was run. Look for the "
                "same model as .safetensors, or delete the file."
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
) -> StorageView:
    numbers = (offset, *shape, *stride)
    if len(shape) > MOST_AXES or len(stride) > MOST_AXES:
        raise pickle.UnpicklingError("a tensor of more axes than there can be")
    if not isinstance(storage, _Storage) or any(type(number) is not int or number < 0 for number in numbers):
        raise pickle.UnpicklingError("a tensor that is no window on a storage")
    return StorageView(storage, offset, tuple(shape), tuple(stride))


def _rebuild_parameter(view: StorageView, *_: Any) -> StorageView:
    return view


class _StandIn:
    """A function that a pickle may call and cannot change."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: Any) -> None:
        """Attributes are left out."""


class _PlainDict(dict[Any, Any]):
    """Stands for OrderedDict: takes no attributes from the pickle."""

    def __setstate__(self, state: Any) -> None:
        """Attributes (torch keeps version numbers there) are left out."""


class _ParameterDict(dict[Any, Any]):
    """Stands for torch's: the parameters of its state are what it holds."""

    def __setstate__(self, state: Any) -> None:
        """Takes what early training programs put there; everything else is left out."""
        held = state.get("_parameters") if isinstance(state, dict) else None
        if isinstance(held, dict):
            self.update(held)


REBUILDERS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor_v2"): _StandIn(_rebuild_tensor),
    ("torch._utils", "_rebuild_tensor"): _StandIn(_rebuild_tensor),
    ("torch._utils", "_rebuild_parameter"): _StandIn(_rebuild_parameter),
    ("torch.nn.parameter", "Parameter"): _StandIn(_rebuild_parameter),
    ("collections", "OrderedDict"): _PlainDict,
    ("torch.nn.modules.container", "ParameterDict"): _ParameterDict,
    ("torch", "Size"): tuple,
}


def damaged(path: Path, reason: str) -> EaselError:
    """The error for a torch file that is not whole."""
    return EaselError(
        f"{path.name} cannot be read: {reason}. The file is damaged or its download was not finished; "
        "fetch it again, best as .safetensors."
    )
