"""Changes without ranks: differences, norms, and IA3 (Liu et al. 2022), which scales rows or columns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from modules.adapters.kinds.part import Tensors, scale_of

__all__ = ["Difference", "Scaling", "read_difference", "read_scaling"]


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """The difference itself, of a weight or of a norm's weight."""

    difference: Tensor
    scale: float
    bias: Tensor | None = None

    def delta(self, weight: Tensor, ranks: int | None) -> Tensor:
        """See `Part`."""
        return self.difference.to(weight).reshape(weight.shape) * self.scale


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """The weight times a factor for each output row or, `on_input`, for each input column."""

    factors: Tensor
    on_input: bool
    scale: float
    bias: Tensor | None = None

    def delta(self, weight: Tensor, ranks: int | None) -> Tensor:
        """See `Part`."""
        axis = 1 if self.on_input else 0
        shape = [1] * weight.dim()
        shape[axis] = weight.shape[axis]
        return weight * self.factors.to(weight).reshape(shape) * self.scale


def read_difference(tensors: Tensors) -> Difference | None:
    """The part that `tensors` describe, None for another kind."""
    for weight, bias in (("diff", "diff_b"), ("w_norm", "b_norm")):
        if weight in tensors:
            return Difference(tensors[weight], scale_of(tensors, None), tensors.get(bias))
    return None


def read_scaling(tensors: Tensors) -> Scaling | None:
    """The part that `tensors` describe, None for another kind."""
    if "weight" not in tensors or "on_input" not in tensors:
        return None
    return Scaling(tensors["weight"], bool(tensors["on_input"].item()), scale_of(tensors, None))
