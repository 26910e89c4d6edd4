"""The C library's heap, where that is glibc: it keeps memory that nobody uses, unless it is told not to."""

from __future__ import annotations

import ctypes
import math
import sys
from functools import cache

__all__ = ["give_back_heap", "keep_one_heap"]

ARENA_MAX = -8
"""Of `mallopt`."""


def keep_one_heap() -> None:
    """Have all threads allocate from one heap from now on. With one for each thread, each keeps holes that
    the others cannot use: changes of the checkpoint left 1 to 3 % of the program's memory so.
    """
    if (library := _glibc()) is not None:
        library.mallopt(ARENA_MAX, 1)


def give_back_heap(at_least: int = 0) -> None:
    """Give freed memory back to the machine: otherwise the middling blocks of a large picture are kept.
    at_least: bytes; less is left for who comes next, for to bring it back page by page takes longer than it
    is worth.
    """
    library = _glibc()
    if library is not None and _freed_bytes(library) >= at_least:
        library.malloc_trim(0)


def _freed_bytes(library: ctypes.CDLL) -> float:
    """Freed memory that the library keeps; without end where it is too old to tell."""
    if not hasattr(library, "mallinfo2"):
        return math.inf
    library.mallinfo2.restype = _HeapFacts
    freed: int = library.mallinfo2().fordblks
    return freed


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
    return library if hasattr(library, "malloc_trim") else None
