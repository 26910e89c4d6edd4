"""What a foreign pickle may hold: stand-ins for the few names that torch files use."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from modules.checkpoints.inert import INERT_NAMES, INERT_PACKAGES, Inert

__all__ = [
    "CONTAINERS",
    "KNOWN_DICTS",
    "STORAGES",
    "ParameterDict",
    "PlainDict",
    "StandIn",
    "StorageView",
    "known_name",
    "storage_of",
]

MOST_AXES = 64
"""Of a tensor, as in torch."""

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


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """A block of numbers: its key in the file, its type, how many there are."""

    key: str
    dtype: torch.dtype
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class StorageView:
    """A tensor as a window on a storage; offset and stride count elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


class StandIn:
    """A function that a pickle may call and cannot change."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call


class PlainDict(dict[Any, Any]):
    """Stands for OrderedDict. Attributes (torch keeps version numbers there) are left out."""


class ParameterDict(dict[Any, Any]):
    """Stands for torch's, which has what it holds in its state (`parameters_of`)."""


KNOWN_DICTS = (dict, PlainDict, ParameterDict)
CONTAINERS = (list, tuple, *KNOWN_DICTS)


def storage_of(pid: Any) -> Storage:
    """The storage of a persistent id: ("storage", type, key, place, count), and in old files a view that must
    be None. Raises UnpicklingError for anything else.
    """
    if type(pid) is tuple and len(pid) in (5, 6):
        kind, dtype, key, _, count, *rest = pid
        named = type(key) in (str, int) and type(count) is int
        if kind == "storage" and isinstance(dtype, torch.dtype) and named and rest in ([], [None]):
            return Storage(str(key), dtype, count)
    raise pickle.UnpicklingError("a reference to something that is no storage")


def known_name(module: str, name: str) -> Any:
    """What a pickle gets for `module.name`; None where a model has no use for it."""
    if module == "torch" and name in STORAGES:
        return STORAGES[name]
    if module == "torch.storage" and name == "UntypedStorage":
        return torch.uint8
    if (module, name) in STAND_INS:
        return STAND_INS[module, name]
    if (module, name) in INERT_NAMES or module.partition(".")[0] in INERT_PACKAGES:
        return Inert
    return None


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> StorageView:
    shape, stride = _size(shape), _size(stride)
    if not isinstance(storage, Storage) or type(offset) is not int or offset < 0:
        raise pickle.UnpicklingError("a tensor that is no window on a storage")
    return StorageView(storage, offset, shape, stride)


def _size(axes: Any = ()) -> tuple[int, ...]:
    """A shape or a stride."""
    if not isinstance(axes, tuple | list) or len(axes) > MOST_AXES:
        raise pickle.UnpicklingError("a tensor of axes that there cannot be")
    if any(type(number) is not int or number < 0 for number in axes):
        raise pickle.UnpicklingError("a tensor that is no window on a storage")
    return tuple(axes)


def _rebuild_parameter(view: Any, *_: Any) -> StorageView:
    if not isinstance(view, StorageView):
        raise pickle.UnpicklingError("a parameter that is no tensor")
    return view


STAND_INS: Mapping[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): StandIn(_rebuild_tensor),
    ("torch._utils", "_rebuild_tensor"): StandIn(_rebuild_tensor),
    ("torch._utils", "_rebuild_parameter"): StandIn(_rebuild_parameter),
    ("torch.nn.parameter", "Parameter"): StandIn(_rebuild_parameter),
    ("torch", "Size"): StandIn(_size),
    ("collections", "OrderedDict"): PlainDict,
    ("torch.nn.modules.container", "ParameterDict"): ParameterDict,
}
