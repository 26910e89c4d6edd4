"""Parts of a latent that stay as they are while the rest of it is drawn."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Direction", "Held", "Hold"]

SOFTNESS = 0.25
"""A direction is let go of gradually, over this share of the time at which it is free, so that a slightly
other limit gives a slightly other picture."""

Held = Callable[[Tensor, float], Tensor]
"""(estimate of the clean latent, time) -> the same, with what is held as in the original."""


@dataclass(frozen=True)
class Direction:
    """`projector` (C, C) takes a part out of each cell's channels; `free`, 0 .. 1, is the share of the pass,
    at its end, in which that part is free: 0 never, 1 always.
    """

    projector: Tensor
    free: float

    def weight(self, left: float) -> float:
        """How firmly it is held while the share `left` of the pass is still to be made."""
        if self.free >= 1 or left <= self.free:
            return 0.0
        return 1.0 if self.free == 0 else min((left - self.free) / (SOFTNESS * self.free), 1.0)


@dataclass(frozen=True)
class Hold:
    """`original` (B, C, h, w), the clean latent, and the directions in which an estimate is brought back to
    it: early in a pass, where large forms and colours are decided, until they are let go.
    """

    original: Tensor
    directions: tuple[Direction, ...]

    def over(self, first_time: float) -> Held:
        """This for a pass whose first evaluation is at `first_time`; how far it is, is told from the time."""

        def held(denoised: Tensor, time: float) -> Tensor:
            return self._brought_back(denoised, time / max(first_time, 1.0))

        return held

    def _brought_back(self, denoised: Tensor, left: float) -> Tensor:
        firm = [(each.projector, each.weight(left)) for each in self.directions if each.weight(left)]
        if not firm:
            return denoised
        mixing = sum(projector * weight for projector, weight in firm)
        return denoised + torch.einsum("ij,bjhw->bihw", mixing, self.original - denoised)
