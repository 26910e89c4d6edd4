"""The settings that conditioning depends on."""

from __future__ import annotations

from dataclasses import dataclass

from modules.prompts import Emphasis

__all__ = ["ConditioningOptions"]


@dataclass(frozen=True, slots=True)
class ConditioningOptions:
    """Named after the settings' keys; the defaults are the settings'."""

    clip_stop_at_last_layers: int = 1
    emphasis: Emphasis = Emphasis.ORIGINAL
    comma_padding_backtrack: int = 20
    use_old_scheduling: bool = False
