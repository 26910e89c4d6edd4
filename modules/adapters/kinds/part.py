"""What a network does to one module of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

__all__ = ["Part", "Tensors", "scale_of"]

Tensors = Mapping[str, Tensor]
"""The tensors of one module, by the part of their name behind the module's."""


class Part(Protocol):
    """The change that a network makes to the weight of one module, and to its bias where it has one."""

    @property
    def bias(self) -> Tensor | None:
        """What is added to the bias; None: nothing."""

    def delta(self, weight: Tensor, ranks: int | None) -> Tensor:
        """What is added to `weight`, float32, in its shape, at multiplier 1.

        ranks: only so many of the first ranks are used where there are ranks. Raises RuntimeError where the
        shapes do not fit.
        """


def scale_of(tensors: Tensors, rank: int | None) -> float:
    """The factor of a change: the file's own `scale`, else alpha / rank where both are known, else 1.

    Raises RuntimeError where one of these is no single number.
    """
    if "scale" in tensors:
        return float(tensors["scale"].item())
    if rank and "alpha" in tensors:
        return float(tensors["alpha"].item()) / rank
    return 1.0
