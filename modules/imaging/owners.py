"""Whose an unfinished file is: the mark of a running program, and whether that program still runs."""

from __future__ import annotations

import functools
import hashlib
import os
import platform

import psutil

__all__ = ["is_left_behind", "own_mark"]


@functools.cache
def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


@functools.cache
def _mark_of(pid: int) -> str:
    # The time of the start tells a program from a later one that got the same number.
    return f"{_machine()}-{pid}-{round(psutil.Process(pid).create_time() * 100)}"


def own_mark() -> str:
    """MACHINE-PID-START of this program, letters, digits and "-" only."""
    return _mark_of(os.getpid())


def is_left_behind(mark: str) -> bool:
    """Whether `mark` is of a program on this machine that runs no more.

    What is not a mark, or of another machine that shares the folder, is nobody's business here: False.
    """
    machine, _, rest = mark.partition("-")
    pid, _, start = rest.partition("-")
    if machine != _machine() or not pid.isdecimal() or not start.isdecimal():
        return False
    try:
        born = psutil.Process(int(pid)).create_time()
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
    return abs(born * 100 - int(start)) > 100
