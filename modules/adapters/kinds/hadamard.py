"""LoHa (Hyeon-Woo et al. 2022, FedPara): the elementwise product of two low-rank matrices."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from modules.adapters.kinds.part import Tensors, scale_of

__all__ = ["Hadamard", "read_hadamard", "rebuilt"]


@dataclass(frozen=True, slots=True, eq=False)
class Hadamard:
    """Two factors, each (a, b, core): a @ b, or with a core (r, r, kernel ...) Tucker's form of it."""

    first: tuple[Tensor, Tensor, Tensor | None]
    second: tuple[Tensor, Tensor, Tensor | None]
    scale: float
    bias: Tensor | None = None

    def delta(self, weight: Tensor, ranks: int | None) -> Tensor:
        """See `Part`."""
        first, second = rebuilt(*self.first, weight), rebuilt(*self.second, weight)
        return (first * second * self.scale).reshape(weight.shape)


def rebuilt(a: Tensor, b: Tensor, core: Tensor | None, like: Tensor) -> Tensor:
    """a (out, r) @ b (r, in); with a core (r, r, kernel ...) a is (r, out), b (r, in), and the result
    (out, in, kernel ...).
    """
    a, b = a.to(like), b.to(like)
    if core is None:
        return a @ b
    # The Kronecker product of torch wants its factors' numbers in order.
    return torch.einsum("rs...,si,ro->oi...", core.to(like), b, a).contiguous()


def read_hadamard(tensors: Tensors) -> Hadamard | None:
    """The part that `tensors` describe, None for another kind."""
    if not {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"} <= tensors.keys():
        return None
    return Hadamard(
        (tensors["hada_w1_a"], tensors["hada_w1_b"], tensors.get("hada_t1")),
        (tensors["hada_w2_a"], tensors["hada_w2_b"], tensors.get("hada_t2")),
        scale_of(tensors, tensors["hada_w1_b"].shape[0]),
        tensors.get("diff_b"),
    )
