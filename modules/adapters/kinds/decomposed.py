"""DoRA (Liu et al. 2024): the changed weight keeps its direction and is given a learnt magnitude."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from modules.adapters.kinds.part import Part

__all__ = ["Decomposed"]


@dataclass(frozen=True, slots=True, eq=False)
class Decomposed:
    """`part` with the length of each input column set to `magnitude`; of each output row where it has a
    number for each of these.
    """

    part: Part
    magnitude: Tensor

    @property
    def bias(self) -> Tensor | None:
        """See `Part`."""
        return self.part.bias

    def delta(self, weight: Tensor, ranks: int | None) -> Tensor:
        """See `Part`."""
        merged = weight + self.part.delta(weight, ranks)
        axis = self._axis(weight)
        others = [dim for dim in range(weight.dim()) if dim != axis]
        length = torch.linalg.vector_norm(merged, dim=others, keepdim=True)
        return merged * (self.magnitude.to(weight).reshape(length.shape) / length) - weight

    def _axis(self, weight: Tensor) -> int:
        shape = self.magnitude.shape
        on_output = len(shape) == 1 or (shape[0] != 1 and shape[1] == 1)
        return 0 if on_output and self.magnitude.numel() == weight.shape[0] else 1
