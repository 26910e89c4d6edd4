"""Memory modes: how much of a model is on the device at a time. `placement.py` moves the parts."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import torch

__all__ = ["MemoryMode", "ModeFlags", "lighter", "lightest", "mode_of_flags", "modes_from", "modes_matter"]

SHARED_MEMORY = {"cpu", "mps"}
"""Devices that compute in the machine's own memory, so that nothing can be moved out of it."""


class MemoryMode(StrEnum):
    """What of a model is on the device; the rest waits in the machine's memory. From fast to light."""

    NORMAL = "normal"
    """All parts."""
    MEDVRAM = "medvram"
    """One part at a time: the text encoders, the UNet, the VAE."""
    LOWVRAM = "lowvram"
    """Likewise, and of the UNet a few layers at a time."""


class ModeFlags(Protocol):
    """The flags that choose a mode."""

    @property
    def medvram(self) -> bool: ...
    @property
    def medvram_sdxl(self) -> bool: ...
    @property
    def lowvram(self) -> bool: ...


def modes_matter(device: torch.device) -> bool:
    """Whether `device` has memory of its own, which a lighter mode can save."""
    return device.type not in SHARED_MEMORY


def mode_of_flags(flags: ModeFlags, *, is_xl: bool) -> MemoryMode:
    """The mode that `flags` ask for; `is_xl`: for a checkpoint of Stable Diffusion XL or its refiner. Of
    several flags the one that saves most counts.
    """
    if flags.lowvram:
        return MemoryMode.LOWVRAM
    if flags.medvram or (flags.medvram_sdxl and is_xl):
        return MemoryMode.MEDVRAM
    return MemoryMode.NORMAL


def lighter(mode: MemoryMode) -> MemoryMode | None:
    """The next mode that takes less of the device; None after the last."""
    return next(iter(modes_from(mode)[1:]), None)


def modes_from(mode: MemoryMode) -> tuple[MemoryMode, ...]:
    """`mode` and those that are lighter, in their order."""
    modes = tuple(MemoryMode)
    return modes[modes.index(mode) :]


def lightest(first: MemoryMode, *others: MemoryMode) -> MemoryMode:
    """The one that takes the least of the device."""
    return max((first, *others), key=tuple(MemoryMode).index)
