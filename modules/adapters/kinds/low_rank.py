"""LoRA (Hu et al. 2021) and LoCon: a product of two thin matrices; with a `mid` tensor a CP decomposition."""

from __future__ import annotations

from dataclasses import dataclass

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
        return (
            self.added(torch.zeros_like(weight), 1.0, ranks) if self.mid is None else self._decomposed(weight)
        )

    def added(self, weight: Tensor, multiplier: float, ranks: int | None) -> Tensor:
        """`weight` with the change in it, in one pass over the memory; not for a `mid` tensor."""
        up, down = (each.flatten(1).to(weight) for each in (self.up, self.down))
        if ranks:
            up, down = up[:, :ranks], down[:ranks]
        return torch.addmm(weight.flatten(1), up, down, alpha=self.scale * multiplier).view_as(weight)

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
