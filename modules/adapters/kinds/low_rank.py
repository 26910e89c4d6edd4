"""LoRA (Hu et al. 2021) and LoCon: a product of two thin matrices; with a `mid` tensor a CP decomposition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from modules.adapters.kinds.part import Tensors, scale_of

__all__ = ["LowRank", "read_low_rank"]


@dataclass(frozen=True, slots=True, eq=False)
class LowRank:
    """up (out, r, ...), down (r, in, kernel ...), mid (r, r, kernel ...)."""

    up: Tensor
    down: Tensor
    mid: Tensor | None
    scale: float
    bias: Tensor | None = None

    def delta(self, weight: Tensor, ranks: int | None) -> Tensor:
        """See `Part`."""
        if self.mid is not None:
            return self._decomposed(weight)
        delta = torch.zeros(weight.shape, dtype=weight.dtype, device=weight.device)
        self.add_to(delta, 1.0, ranks)
        return delta

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether the product has the numbers of a weight of this shape; not for a `mid` tensor."""
        if not self.up.ndim or not self.down.ndim:
            return False
        wanted = (shape[0], len(self.down), prod(shape[1:]))
        return (len(self.up), prod(self.up.shape[1:]), prod(self.down.shape[1:])) == wanted

    def add_to(self, weight: Tensor, multiplier: float, ranks: int | None) -> None:
        """Add the change to `weight`, which is contiguous, in one pass over the memory; not for a `mid`
        tensor.
        """
        up, down = (each.flatten(1).to(weight) for each in (self.up, self.down))
        if ranks:
            up, down = up[:, :ranks], down[:ranks]
        weight.view(len(weight), -1).addmm_(up, down, alpha=self.scale * multiplier)

    def _decomposed(self, weight: Tensor) -> Tensor:
        assert self.mid is not None
        up, down, mid = (each.to(weight) for each in (self.up.flatten(1), self.down.flatten(1), self.mid))
        return torch.einsum("or,rskl,si->oikl", up, mid, down) * self.scale


def read_low_rank(tensors: Tensors) -> LowRank | None:
    """The part that `tensors` describe, None for another kind."""
    if not {"lora_up.weight", "lora_down.weight"} <= tensors.keys():
        return None
    down = tensors["lora_down.weight"]
    return LowRank(
        tensors["lora_up.weight"],
        down,
        tensors.get("lora_mid.weight"),
        scale_of(tensors, down.shape[0]),
        tensors.get("diff_b"),
    )
