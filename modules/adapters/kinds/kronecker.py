"""LoKr (Edalati et al. 2022, KronA): a Kronecker product, each factor whole or low-rank."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from modules.adapters.kinds.hadamard import rebuilt
from modules.adapters.kinds.part import Tensors, scale_of

__all__ = ["Kronecker", "read_kronecker"]

Factor = tuple[Tensor, Tensor | None, Tensor | None]
"""(whole, None, None), or (a, b, core)."""


@dataclass(frozen=True, slots=True, eq=False)
class Kronecker:
    """The product of `first` and `second`; only the second may reach over a convolution's kernel."""

    first: Factor
    second: Factor
    scale: float
    bias: Tensor | None = None

    def delta(self, weight: Tensor, ranks: int | None) -> Tensor:
        """See `Part`."""
        first, second = _factor(self.first, weight), _factor(self.second, weight)
        first = first.reshape(*first.shape, *[1] * (second.dim() - first.dim()))
        return (torch.kron(first, second) * self.scale).reshape(weight.shape)


def _factor(factor: Factor, like: Tensor) -> Tensor:
    a, b, core = factor
    return a.to(like) if b is None else rebuilt(a, b, core, like)


def _read_factor(tensors: Tensors, name: str, core: str) -> Factor | None:
    if name in tensors:
        return tensors[name], None, None
    if f"{name}_a" in tensors and f"{name}_b" in tensors:
        return tensors[f"{name}_a"], tensors[f"{name}_b"], tensors.get(core)
    return None


def read_kronecker(tensors: Tensors) -> Kronecker | None:
    """The part that `tensors` describe, None for another kind.

    alpha counts only where a factor is low-rank; the second one's rank comes before the first one's.
    """
    first, second = _read_factor(tensors, "lokr_w1", ""), _read_factor(tensors, "lokr_w2", "lokr_t2")
    if first is None or second is None:
        return None
    ranks = [factor[1].shape[0] for factor in (second, first) if factor[1] is not None]
    return Kronecker(first, second, scale_of(tensors, next(iter(ranks), None)), tensors.get("diff_b"))
