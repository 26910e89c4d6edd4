"""Emphasis, applied to what the text encoder answered."""

from __future__ import annotations

from torch import Tensor

from modules.prompts import Emphasis

__all__ = ["apply_weights"]


def apply_weights(states: Tensor, weights: Tensor, mode: Emphasis, share: Tensor) -> Tensor:
    """Multiply `states` (N, 77, D) by `weights` (N, 77), as `mode` says.

    "Original" then scales by mean(before) / mean(after). Those means run over all scheduled texts of a prompt
    at this chunk; `share` (M,) lists which of the N states each of the M scheduled texts has.
    """
    if mode in {Emphasis.IGNORE, Emphasis.NONE}:
        return states
    weighted = states * weights.unsqueeze(-1)
    if mode is Emphasis.NO_NORM:
        return weighted
    return weighted * (states[share].mean() / weighted[share].mean())
