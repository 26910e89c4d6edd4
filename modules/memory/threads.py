"""How many threads compute on the processor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import psutil
import torch

from modules.errors import InvalidRequest

__all__ = ["check_threads", "each_alone", "physical_cores", "set_threads", "threads_scope"]

T = TypeVar("T")

ENVIRONMENT = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def physical_cores() -> int:
    """Cores that this process may use, hyper-threads not counted; at least 1."""
    return max(1, min(psutil.cpu_count(logical=False) or 1, _all_cores()))


def _all_cores() -> int:
    """Cores that this process may use, each hyper-thread counted; at least 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_threads(count: int, field: str, given: str) -> None:
    """Raises InvalidRequest for `field`, in which a person wrote `given`, for fewer threads than one or more
    than cores.
    """
    if count < 1:
        raise InvalidRequest(field, f"{given} {count}: at least one thread is needed.")
    if count > _all_cores():
        cores = f"{_all_cores()} cores" if _all_cores() > 1 else "one core"
        raise InvalidRequest(
            field,
            f"{given} {count}: the program has {cores} here, and threads beyond that would only wait for "
            f"each other. {physical_cores()}, one for each physical core, is the fastest as a rule.",
        )


def set_threads(count: int | None = None, workers: int = 1) -> int:
    """Let torch compute with `count` threads and return the number in force.

    None: what the environment says (OMP_NUM_THREADS), else one thread a physical core, since two threads
    on one core only wait for each other; the cores are divided among `workers` processes. Raises
    InvalidRequest for less than one thread, and for more than there are cores.
    """
    if count is not None:
        check_threads(count, "threads", "--threads")
    elif any(os.environ.get(name) for name in ENVIRONMENT):
        return torch.get_num_threads()
    torch.set_num_threads(count or max(1, physical_cores() // max(1, workers)))
    return torch.get_num_threads()


@contextmanager
def threads_scope(count: int | None) -> Iterator[None]:
    """While it lasts torch computes with `count` threads, as far as what is drawn depends on it; None changes
    nothing. One at a time: the number holds for the whole process.
    """
    before = torch.get_num_threads()
    if count is not None and count != before:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


def each_alone(work: Callable[[T], object], pieces: Iterable[T]) -> None:
    """Do `work` for each of `pieces`, as many at a time as torch computes with threads, each in one thread.

    For many pieces of a few milliseconds: otherwise all threads wait for each other after every operation of
    every piece. What `work` raises is raised here, once the pieces that were begun are done. What holds in
    the caller's thread (gradients off, inference mode) does not hold in `work`.
    """
    count = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(count, "easel-piece", torch.set_num_threads, (1,)) as threads:
            for _ in threads.map(work, pieces):
                pass
    finally:
        # Of the libraries that torch computes with, some have one number for the whole process.
        torch.set_num_threads(count)
