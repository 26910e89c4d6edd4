"""The settings that conditioning depends on."""

from __future__ import annotations

from dataclasses import dataclass

from modules.prompts import Emphasis

__all__ = ["ConditioningOptions"]


@dataclass(frozen=True, slots=True)
class ConditioningOptions:
    """Named after the settings' keys; the defaults are the settings'. The last four count for Stable
    Diffusion XL.
    """

    clip_stop_at_last_layers: int = 1
    emphasis: Emphasis = Emphasis.ORIGINAL
    comma_padding_backtrack: int = 20
    use_old_scheduling: bool = False
    crop_top: int = 0
    crop_left: int = 0
    low_aesthetic_score: float = 2.5
    high_aesthetic_score: float = 6.0
