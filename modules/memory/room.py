"""How much memory this program may have, and giving back what it does not use."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil
import torch

__all__ = ["free_memory", "give_back_heap", "memory_for_us", "resident_memory"]

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


def give_back_heap(at_least: int = 0) -> None:
    """Let the C library give freed memory back to the machine, where it is glibc: otherwise it keeps the
    middling blocks of a large picture. at_least: bytes; less is left for who comes next, for to bring it
    back page by page takes longer than it is worth.
    """
    library = _glibc()
    if library is not None and library.mallinfo2().fordblks >= at_least:
        library.malloc_trim(0)


class _HeapFacts(ctypes.Structure):
    """glibc's `struct mallinfo2`, since 2.33."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks",
            "keepcost",
        )
    ]  # fmt: skip


@cache
def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    if not hasattr(library, "malloc_trim") or not hasattr(library, "mallinfo2"):
        return None
    library.mallinfo2.restype = _HeapFacts
    return library
