"""How much memory this program may have."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil
import torch

__all__ = ["free_memory", "memory_for_us", "resident_memory"]

CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def memory_for_us(device: torch.device) -> int | None:
    """Bytes of the memory in which `device` computes that this program holds or could get now; None where
    that cannot be told.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    if device.type != "cpu":
        return None
    return min(psutil.virtual_memory().available + _ours(), *_limits())


def free_memory(device: torch.device) -> int:
    """Bytes that could be had now of the memory in which `device` computes; where it has none that can be
    asked, of the machine's.
    """
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + unused
    return max(min(psutil.virtual_memory().available, min(_limits()) - resident_memory()), 0)


def resident_memory() -> int:
    """Bytes of this process that are in memory."""
    return int(psutil.Process().memory_info().rss)


def _ours() -> int:
    """Resident bytes of this process and of the workers that it started."""
    total = resident_memory()
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            total += child.memory_info().rss
    return total


def _limits() -> list[int]:
    """What the machine has, and what a container's limit leaves of it."""
    limits = [psutil.virtual_memory().total]
    for name in CGROUP_LIMITS:
        with suppress(OSError, ValueError):
            limits.append(int(Path(name).read_text()))
    return limits
