"""What stands in a pickle for the belongings of training programs: it keeps nothing and does nothing."""

from __future__ import annotations

from typing import Any

__all__ = ["INERT_NAMES", "INERT_PACKAGES", "Inert"]

INERT_PACKAGES = frozenset({"pytorch_lightning", "lightning", "lightning_fabric", "omegaconf"})
"""Trainers save the state of their callbacks and their settings beside the weights."""

INERT_NAMES = frozenset(
    {
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy.core.multiarray", "scalar"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("_codecs", "encode"),
        ("collections", "defaultdict"),
        ("collections", "Counter"),
        ("builtins", "set"),
        ("__builtin__", "set"),
        ("builtins", "dict"),
        ("builtins", "int"),
        ("builtins", "float"),
        ("torch", "device"),
        ("typing", "Any"),
        ("pathlib", "PosixPath"),
        ("pathlib", "WindowsPath"),
        ("argparse", "Namespace"),
    }
)


class Inert:
    """Takes whatever a pickle does to an object, and forgets it."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Arguments are dropped."""

    def __setstate__(self, state: Any) -> None:
        """The state is dropped."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Entries are dropped."""

    def append(self, value: Any) -> None:
        """Members are dropped."""

    def extend(self, values: Any) -> None:
        """Members are dropped."""

    def add(self, value: Any) -> None:
        """Members are dropped."""

    def update(self, *_: Any) -> None:
        """Members are dropped."""

    def __hash__(self) -> int:
        """May stand as a key, where such an object did."""
        return id(self)

    def __eq__(self, other: object) -> bool:
        """Equal to itself alone."""
        return self is other
