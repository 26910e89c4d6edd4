"""The one reader of foreign pickles: runs one on plain values, and bounds the depth and size of the result.

What torch.save writes is a pickle that names tensors, with their numbers beside it. Python's own reader would
do more than is wanted: it calls what a file names, and hashing, comparing or freeing what a hostile file
builds can take for ever or overflow the stack of the process. `pickle_machine` looks names up in a table of
stand-ins (`pickle_values`) and takes texts, numbers and small tuples as keys. What is in a result may be
walked, copied and printed without further care.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import torch

from modules.checkpoints.foreign import damaged
from modules.checkpoints.pickle_machine import DEEPEST, LEGACY_MAGIC, PickleMachine
from modules.checkpoints.pickle_values import CONTAINERS, StorageView

__all__ = ["LEGACY_MAGIC", "StorageView", "damaged", "run_pickle"]

MOST_VALUES = 1_000_000
"""Of the result, each counted as often as it is met on a walk; sixty-four characters count as one more. A
few bytes can name one list thousands of times, and a list of such lists again.
"""

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
"""What a damaged or hostile pickle makes the machine or the stand-ins raise."""


def run_pickle(path: Path, file: BinaryIO) -> tuple[Any, dict[str, torch.dtype]]:
    """Run the next pickle of `file`: its result, and the types of the storages that it names, by key.

    The file then stands behind it. Raises EaselError for a pickle that is damaged or asks for what a model
    does not need.
    """
    machine = PickleMachine(path, file)
    try:
        result = machine.run()
        _check_shape(path, result)
    except PICKLE_ERRORS as error:
        raise damaged(path, f"its index is not readable ({type(error).__name__})") from None
    return result, machine.storages


def _check_shape(path: Path, result: Any) -> None:
    """Raises EaselError for a result that is deeper or larger than any model's, or holds itself."""
    measured: dict[int, tuple[int, int]] = {}
    """Levels and values of the containers that were seen whole."""
    begun: set[int] = set()
    open_ones = [result] if isinstance(result, CONTAINERS) else []
    while open_ones:
        each = open_ones[-1]
        if id(each) in measured:
            open_ones.pop()
        elif id(each) not in begun:
            begun.add(id(each))
            inner = [member for member in _members(each) if isinstance(member, CONTAINERS)]
            if any(id(member) in begun and id(member) not in measured for member in inner):
                raise damaged(path, "its index holds a list that is part of itself")
            open_ones += inner
        else:
            levels, values = 0, 1
            for member in _members(each):
                deep, many = measured.get(id(member)) or (0, _weight(member))
                levels, values = max(levels, deep), values + many
            levels += bool(each)
            measured[id(each)] = levels, values
            if levels > DEEPEST:
                raise damaged(path, f"its index nests values deeper than {DEEPEST} levels")
            if values > MOST_VALUES:
                raise damaged(path, "its index holds more values than any model's")


def _members(container: Any) -> Iterator[Any]:
    if isinstance(container, dict):
        yield from container.keys()
        yield from container.values()
    else:
        yield from container


def _weight(leaf: Any) -> int:
    return 1 + len(leaf) // 64 if isinstance(leaf, str | bytes) else 1
