"""Servers that live and die on one data folder."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from .asking import PROGRAM, ask, free_port, until
from .phases import Phase, PhaseFile

__all__ = ["Life", "Nursery"]


class Nursery:
    """Starts servers quickly, from a process that has imported the program (`prefork`); a context manager.

    `log` gets what they all write.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self._turn = threading.Lock()
        variables = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.trials.prefork"],
                cwd=PROGRAM,
                env={**variables, "HF_HUB_OFFLINE": "1", "COMMANDLINE_ARGS": ""},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        self._hear()

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._process.communicate(timeout=60)
        finally:
            self._process.kill()

    def start(
        self, data: Path, models: Path, die_at: tuple[Phase, int] | None = None, clock: float = 0.0
    ) -> "Life":
        """A server over `data`, which may not answer yet.

        It kills itself at the n-th beginning of a phase; its clock goes so many seconds before ours.
        """
        port = free_port()
        phases = PhaseFile(self.log.with_suffix(".phase"), new=True)
        words = ["--nowebui", "--api", "--skip-load-model-at-start", "--port", str(port)]
        words += ["--data-dir", str(data), "--ckpt-dir", str(models)]
        return Life(self, self.run(words, self.log, phases, die_at, clock), port, phases)

    def run(
        self,
        words: list[str],
        log: Path,
        phases: PhaseFile | None = None,
        die_at: tuple[Phase, int] | None = None,
        clock: float = 0.0,
    ) -> int:
        """The id of a process that is the program with these words of the command line."""
        wish = {
            "start": words,
            "log": str(log),
            "phases": str(phases.path) if phases else None,
            "die_at": die_at,
            "clock": clock,
        }
        return int(self.tell(wish))

    def tell(self, wish: dict[str, Any]) -> Any:
        """The answer of `prefork` to one wish."""
        assert self._process.stdin
        with self._turn:
            self._process.stdin.write(f"{json.dumps(wish)}\n")
            self._process.stdin.flush()
            return self._hear()

    def _hear(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, self.log.read_text()[-5000:]
        return json.loads(line)


@dataclass
class Life:
    """One server process."""

    nursery: Nursery
    pid: int
    port: int
    phases: PhaseFile
    status: int | None = None
    """How it ended: the exit status, or minus the signal; None while it lives."""

    def ask(self, route: str, values: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """What the server answers. Raises OSError."""
        return ask(self.port, route, values, headers)

    def answers(self) -> bool:
        """Whether it serves already."""
        try:
            return self.ask("/internal/ping") == {}
        except OSError:
            return False

    def is_over(self) -> bool:
        """Whether it has died."""
        if self.status is None:
            self.status = self.nursery.tell({"poll": self.pid})
        return self.status is not None

    def until_it_answers(self) -> None:
        """Wait for the server. Raises AssertionError where it dies instead."""
        until(lambda: self.answers() or self.is_over())
        assert not self.is_over(), self.nursery.log.read_text()[-5000:]

    def press_ctrl_c(self) -> None:
        """Ask it to end, and wait until it has."""
        os.kill(self.pid, signal.SIGINT)
        until(self.is_over, every=0.05)

    def kill(self) -> None:
        """SIGKILL, as `kill -9` and the system's memory watchdog do it."""
        if not self.is_over():
            self.status = self.nursery.tell({"kill": self.pid})
