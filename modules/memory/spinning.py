"""Whether OpenMP's waiting threads keep their cores (spin) or sleep, chosen while pictures are drawn.

A step of a small model has hundreds of operations of some tens of microseconds, at whose ends threads wait
for each other. On a quiet machine it takes half the time if they spin; beside one busy program it takes six
times as long, for each thread then keeps the core that the other waits for.
"""

from __future__ import annotations

import ctypes
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import torch

from modules.launching import WAIT_POLICY

__all__ = ["CoreUse", "SpinControl"]

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 0.2
SHORTEST_LOOK = 0.05
"""Seconds; the system counts in hundredths of a second, so less says nothing."""
BUSY, QUIET = 0.3, 0.15
"""Cores that other programs use: from the first on threads sleep, below the second they spin."""
BUSY_TIMES = ("user", "nice", "system", "irq", "softirq", "steal")
MAPS = Path("/proc/self/maps")


class CoreUse:
    """How many cores other programs use, of those that this process may use."""

    def __init__(self) -> None:
        self._seen = self._now()

    def of_others(self) -> float | None:
        """Cores in use by others since the last call, None where too little time has gone by."""
        now = self._now()
        seconds, busy, own = (new - old for new, old in zip(now, self._seen, strict=True))
        if seconds < SHORTEST_LOOK:
            return None
        self._seen = now
        return max(0.0, (busy - own) / seconds)

    def _now(self) -> tuple[float, float, float]:
        """Seconds by the clock, seconds of all busy cores, seconds of this process."""
        allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
        cores = [
            times
            for core, times in enumerate(psutil.cpu_times(percpu=True))
            if allowed is None or core in allowed
        ]
        busy = sum(getattr(times, name, 0.0) for times in cores for name in BUSY_TIMES)
        return time.monotonic(), busy, time.process_time()


class SpinControl:
    """Lets waiting threads spin while the machine is quiet and sleep while others want its cores.

    It works with GNU's OpenMP alone, and where nobody has said how threads are to wait: libgomp reads
    `GOMP_SPINCOUNT` once, but as long as it has more threads than cores it lets them sleep at once
    (https://gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html). So a team of resting threads, which
    costs nothing, makes the others sleep, and its end lets them spin. Bits do not depend on it.
    """

    def __init__(self, others: Callable[[], float | None] | None = None) -> None:
        """others: cores in use by other programs since the last call, for tests."""
        chosen = all(os.environ.get(name) == value for name, value in WAIT_POLICY.items())
        self._start_team = _team_starter() if chosen else None
        self._others = others or (CoreUse().of_others if self._start_team else lambda: None)
        self._team: _RestingTeam | None = None
        self._sleep()

    @property
    def spins(self) -> bool:
        """Whether waiting threads spin now, as far as this object decides."""
        return self._start_team is not None and self._team is None

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """While it lasts the choice is made anew several times a second."""
        if self._start_team is None:
            yield
            return
        self._choose()
        ended = threading.Event()
        watch = threading.Thread(target=self._watch, args=(ended,), name="spin-control", daemon=True)
        watch.start()
        try:
            yield
        finally:
            ended.set()
            watch.join()

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(SECONDS_BETWEEN_LOOKS):
            self._choose()

    def _choose(self) -> None:
        others = self._others()
        if others is None:
            return
        if others >= BUSY:
            self._sleep()
        elif others < QUIET and self._team is not None:
            self._team.end()
            self._team = None

    def _sleep(self) -> None:
        if self._team is None and self._start_team is not None:
            self._team = _RestingTeam(self._start_team)


class _RestingTeam:
    """A thread that has OpenMP threads of its own, one more than there are cores, all of them asleep."""

    def __init__(self, start: Callable[[int], None]) -> None:
        self._start, self._ended, started = start, threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._rest, args=(started,), name="resting-team", daemon=True)
        self._thread.start()
        started.wait()

    def _rest(self, started: threading.Event) -> None:
        try:
            self._start((os.cpu_count() or 1) + 1)
        finally:
            started.set()
        self._ended.wait()

    def end(self) -> None:
        """End the thread, and with it its team."""
        self._ended.set()
        self._thread.join()


def _team_starter() -> Callable[[int], None] | None:
    """What begins a team of so many threads in the calling thread, None where torch has no GNU OpenMP."""
    try:
        lines = MAPS.read_text(encoding="utf-8", errors="replace").splitlines()
        torchs = str(Path(torch.__file__).resolve().parent.parent)
        paths = {line.split(maxsplit=5)[-1] for line in lines if "libgomp" in line}
        path = next((each for each in sorted(paths) if each.startswith(torchs)), None)
        if path is None:
            return None
        parallel = ctypes.CDLL(path).GOMP_parallel
        nothing = ctypes.cast(ctypes.CDLL(None).free, ctypes.c_void_p)
    except (OSError, AttributeError) as error:
        log.debug("Threads wait as OpenMP has it: %s", error)
        return None
    parallel.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    parallel.restype = None
    # What each thread of the team does: free(NULL), which is nothing.
    return lambda threads: parallel(nothing, None, threads, 0)
