"""Training that can be stopped at any moment and goes on exactly where it was."""

import copy
from pathlib import Path
from typing import Any

import torch
from torch import nn

__all__ = ["Ema", "load_state", "save_state"]


class Ema:
    """A running mean of a module's weights; its decay grows to `decay` as (step + 1) / (step + 10)."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module, self.decay = module, decay
        self.shadow = copy.deepcopy(module).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step number `step` (0-based)."""
        decay = min(self.decay, (step + 1) / (step + 10))
        torch._foreach_lerp_(list(self.shadow.parameters()), list(self.module.parameters()), 1 - decay)


def save_state(
    file: Path,
    step: int,
    module: nn.Module,
    ema: Ema,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    other: Any = None,
) -> None:
    """Write everything that the next step depends on; the old file stays until the new one is whole."""
    state = {
        "step": step,
        "module": module.state_dict(),
        "ema": ema.shadow.state_dict(),
        "optimizer": optimizer.state_dict(),
        "generator": generator.get_state(),
        "other": other,
    }
    unfinished = file.with_suffix(".unfinished")
    torch.save(state, unfinished)
    unfinished.replace(file)


def load_state(
    file: Path,
    module: nn.Module,
    ema: Ema,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    other: list[Any] | None = None,
) -> int:
    """Take up what `save_state` wrote, and answer how many steps are done; 0 when there is no such file.

    What was saved as `other` is appended to the list `other`.
    """
    if not file.exists():
        return 0
    state = torch.load(file, weights_only=False)
    module.load_state_dict(state["module"])
    ema.shadow.load_state_dict(state["ema"])
    optimizer.load_state_dict(state["optimizer"])
    generator.set_state(state["generator"])
    if other is not None:
        other.append(state["other"])
    return int(state["step"])
