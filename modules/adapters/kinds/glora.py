"""GLoRA (Chavan et al. 2023): a change that also depends on the weight."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from modules.adapters.kinds.part import Tensors, scale_of

__all__ = ["Generalised", "read_generalised"]

NAMES = ("a1.weight", "a2.weight", "b1.weight", "b2.weight")


@dataclass(frozen=True, slots=True, eq=False)
class Generalised:
    """b1 @ b2 + weight @ a1 @ a2, with a1 (in, r), a2 (r, in), b1 (out, r), b2 (r, in, kernel ...); where
    there is a core (r, r, kernel ...) it stands between b1 and b2.

    The first trainers had the factors the other way around: b2 @ b1 + weight @ a2 @ a1, with ranks where the
    others have outputs, and no scale.
    """

    a: tuple[Tensor, Tensor]
    b: tuple[Tensor, Tensor]
    core: Tensor | None
    scale: float
    first_scale: float
    """The scale of a file of the first trainers: alpha does not count, as in the field."""
    bias: Tensor | None = None

    def delta(self, weight: Tensor, ranks: int | None) -> Tensor:
        """See `Part`."""
        if self.b[0].shape[0] == weight.shape[0]:
            return self._changed(weight, self.a, self.b, self.scale)
        return self._changed(weight, self.a[::-1], self.b[::-1], self.first_scale)

    def _changed(
        self, weight: Tensor, a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor], scale: float
    ) -> Tensor:
        left, right = (each.to(weight).flatten(1) for each in a)
        through = torch.einsum("oi...,ir,rj->oj...", weight, left, right)
        up, down = (each.to(weight).flatten(1) for each in b)
        if self.core is None:
            beside = (up @ down).reshape(weight.shape)
        else:
            beside = torch.einsum("or,rs...,si->oi...", up, self.core.to(weight), down)
        return (beside + through) * scale


def read_generalised(tensors: Tensors) -> Generalised | None:
    """The part that `tensors` describe, None for another kind."""
    if not set(NAMES) <= tensors.keys():
        return None
    a1, a2, b1, b2 = (tensors[name] for name in NAMES)
    return Generalised(
        (a1, a2),
        (b1, b2),
        tensors.get("bm.weight"),
        scale_of(tensors, b1.shape[1]),
        scale_of(tensors, None),
    )
