"""What the text side hands to the sampler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

__all__ = ["Conditioning", "GuidedPart", "Scheduled", "same_length"]


@dataclass(frozen=True, slots=True, eq=False)
class Conditioning:
    """One text as the network sees it. All tensors are float32 on the model's device."""

    cross_attention: Tensor
    """(T, D): T = 77 for each chunk of the text."""
    vector: Tensor | None = None
    """(V,) for families that take one beside (SDXL), else None."""

    def lengthened(self, tokens: int) -> Conditioning:
        """At least `tokens` long, by repeating the last vector of `cross_attention`."""
        missing = tokens - self.cross_attention.shape[0]
        if missing <= 0:
            return self
        last = self.cross_attention[-1:]
        longer = last.new_empty(tokens, last.shape[1])
        longer[:-missing] = self.cross_attention
        longer[-missing:] = last
        return replace(self, cross_attention=longer)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A conditioning that holds up to and with evaluation `end_at_step`."""

    end_at_step: int
    conditioning: Conditioning


@dataclass(frozen=True, slots=True)
class GuidedPart:
    """One part of a prompt joined by AND, and its weight in the guidance."""

    weight: float
    schedule: tuple[Scheduled, ...]


def same_length(conditionings: Sequence[Conditioning]) -> list[Conditioning]:
    """All lengthened to the longest of them, so that they can stand in one tensor."""
    tokens = max((one.cross_attention.shape[0] for one in conditionings), default=0)
    return [one.lengthened(tokens) for one in conditionings]
