"""Imports the program once, then forks a server for each life that is asked for.

    python -m tests.trials.prefork

Importing torch and its relatives takes six seconds, a fork some milliseconds; what is forked is the same
server that `webui.py` starts. Says "ready", then reads one JSON object a line and answers each: {"start": WORDS, "log": FILE, "phases": FILE or null,
"die_at": [PHASE, N] or null, "clock": SECONDS} with the new process's id; {"poll": ID} and {"kill": ID} with how
it ended (null: it lives).
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import modules.server
import modules.web  # noqa: F401  (the work of importing is what is saved)
from modules.cli import main as program

from .phases import Phase, mark_phases


def _live(wish: dict[str, Any]) -> int:
    """Be a server until it ends; its exit status."""
    log = os.open(wish["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if wish["clock"]:
        _set_clock(wish["clock"])
    if wish["phases"]:
        die_at = wish["die_at"]
        mark_phases(Path(wish["phases"]), (Phase(die_at[0]), die_at[1]) if die_at else None)
    return program(wish["start"])


def _set_clock(seconds: float) -> None:
    """Let this process believe that it is so much later."""
    real = time.time
    time.time = lambda: real() + seconds


def _fork(wish: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        status = _live(wish)
    finally:
        # Not this script's own end: its buffers and its exit handlers belong to the parent.
        sys.stderr.flush()
        os._exit(status)


class _Lives:
    """The processes that were forked, and how those that are over have ended."""

    def __init__(self) -> None:
        self._ended: dict[int, int | None] = {}

    def start(self, wish: dict[str, Any]) -> int:
        """The id of a new one."""
        pid = _fork(wish)
        self._ended[pid] = None
        return pid

    def poll(self, pid: int, wait: bool = False) -> int | None:
        """How it ended: its exit status, or minus the signal; None while it lives."""
        if self._ended[pid] is None:
            found, status = os.waitpid(pid, 0 if wait else os.WNOHANG)
            if found:
                self._ended[pid] = os.waitstatus_to_exitcode(status)
        return self._ended[pid]

    def kill(self, pid: int) -> int | None:
        """End it, and say how it ended."""
        if self.poll(pid) is None:
            os.kill(pid, signal.SIGKILL)
        return self.poll(pid, wait=True)

    def kill_all(self) -> None:
        """End those that nobody has ended."""
        for pid in self._ended:
            self.kill(pid)


def _answer(value: Any) -> None:
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()


def main() -> None:
    """Answer until nobody asks any more."""
    lives = _Lives()
    _answer("ready")
    for line in sys.stdin:
        wish = json.loads(line)
        if "start" in wish:
            _answer(lives.start(wish))
        else:
            _answer(lives.kill(wish["kill"]) if "kill" in wish else lives.poll(wish["poll"]))
    lives.kill_all()


if __name__ == "__main__":
    main()
