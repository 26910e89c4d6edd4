"""Imports the program once, then forks a server for each life that is asked for.

    python -m tests.trials.prefork

Importing torch and its relatives takes six seconds, a fork some milliseconds; what is forked is the same
server that `webui.py` starts. Says "ready", then reads one JSON object a line and answers each: {"start": WORDS, "log": FILE, "phases": FILE,
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

import modules.server  # noqa: F401  (the work of importing is what is saved)
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


def _status(pid: int, wait: bool) -> int | None:
    """How a life ended: its exit status, minus the signal; None while it lives."""
    ended, status = os.waitpid(pid, 0 if wait else os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _answer(value: Any) -> None:
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()


def main() -> None:
    """Answer until nobody asks any more."""
    living: set[int] = set()
    _answer("ready")
    for line in sys.stdin:
        wish = json.loads(line)
        answer: int | None
        if "start" in wish:
            answer = _fork(wish)
            living.add(answer)
        else:
            pid = wish.get("kill") or wish["poll"]
            if "kill" in wish:
                os.kill(pid, signal.SIGKILL)
            answer = _status(pid, wait="kill" in wish)
            if answer is not None:
                living.discard(pid)
        _answer(answer)
    for pid in living:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
