"""GLoRA (Chavan et al. 2023): a change that also depends on the weight."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from modules.adapters.kinds.part import Tensors, scale_of

__all__ = ["Generalised", "read_generalised"]

NAMES = ("a1.weight", "a2.weight", "b1.weight", "b2.weight")


@dataclass(frozen=True, slots=True, eq=False)
class Generalised:
    """b2 @ b1 + (weight @ a2) @ a1."""

    a1: Tensor
    a2: Tensor
    b1: Tensor
    b2: Tensor
    scale: float
    bias: Tensor | None = None

    def delta(self, weight: Tensor, ranks: int | None) -> Tensor:
        """See `Part`."""
        a1, a2, b1, b2 = (each.to(weight).flatten(1) for each in (self.a1, self.a2, self.b1, self.b2))
        rows = weight.flatten(1)
        return ((b2 @ b1 + (rows @ a2) @ a1) * self.scale).reshape(weight.shape)


def read_generalised(tensors: Tensors) -> Generalised | None:
    """The part that `tensors` describe, None for another kind. As in the field, alpha is not used."""
    if not set(NAMES) <= tensors.keys():
        return None
    a1, a2, b1, b2 = (tensors[name] for name in NAMES)
    return Generalised(a1, a2, b1, b2, scale_of(tensors, None))
