"""The process in which foreign describing models work, seen from the program: asked, watched, ended."""

from __future__ import annotations

import logging
import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import psutil

from modules.errors import EaselError, InvalidRequest, TooBusy
from modules.foreign_json import parse_json
from modules.interrogation.describing_child import READY, DescribeCall, serve

__all__ = ["DescribingProcess"]

log = logging.getLogger(__name__)

START_SECONDS = 120.0
IDLE_SECONDS = 300.0
"""For which the process waits for the next picture, its libraries loaded."""
GRACE_SECONDS = 5.0
GLANCE_SECONDS = 0.05
LONGEST_ANSWER = 1 << 20
"""Bytes."""
SCARCE = 2 << 30
"""Bytes of memory that are left in the machine, below which the process does not stay idle."""


class DescribingProcess:
    """Starts when it is first asked, and ends when it is idle, asked to, or beyond a bound.

    One call at a time; `interrupt` and `close` come from any thread.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._one_asks, self._changes = threading.Lock(), threading.Lock()
        self._process: SpawnProcess | None = None
        self._link: Connection | None = None
        self._resting = 0
        self._idle: threading.Timer | None = None
        self._asked: DescribeCall | None = None
        self._is_interrupted = self._is_closed = False

    @property
    def process_id(self) -> int | None:
        """Of the process, while there is one."""
        process = self._process
        return process.pid if process else None

    def ask(self, call: DescribeCall, meanwhile: Callable[[float], None] = lambda _: None) -> str:
        """What the model says. meanwhile: is told again and again for how many seconds it has worked.

        Raises InvalidRequest for a model that cannot be used, takes too long or too much memory, or was
        interrupted; MemoryError where the memory does not suffice.
        """
        with self._one_asks:
            try:
                link = self._ready(call)
                link.send(call)
                data = self._heard(link, call, call.seconds, meanwhile)
            except (EOFError, OSError) as error:
                raise self._ended(call) from error
            finally:
                with self._changes:
                    self._asked = None
                self._rest()
        answer = parse_json(data, "The answer of a describing model")
        if "shortage" in answer:
            raise MemoryError
        if "error" in answer:
            raise InvalidRequest(str(answer.get("field", "model")), str(answer["error"]))
        return str(answer.get("text", ""))

    def interrupt(self) -> bool:
        """End the call that is asked now; whether there was one."""
        with self._changes:
            if self._asked is None:
                return False
            self._is_interrupted = True
        self._kill()
        return True

    def close(self) -> None:
        """End the process, whatever it does; nothing is asked any more."""
        with self._changes:
            self._is_closed = True
            idle = self._idle
        if idle:
            idle.cancel()
        self._kill()

    def _ready(self, call: DescribeCall) -> Connection:
        with self._changes:
            if self._is_closed:
                raise TooBusy("The program is ending")
            if self._idle:
                self._idle.cancel()
            self._asked, self._is_interrupted = call, False
            process, link = self._process, self._link
            if process and link and process.is_alive():
                return link
            link = self._start()
        if self._heard(link, call, START_SECONDS, lambda _: None) != READY:
            raise EOFError
        self._resting = _memory_of(self._process) or 0
        return link

    def _start(self) -> Connection:
        """Always as a new program, since torch does not survive being forked."""
        context = multiprocessing.get_context("spawn")
        self._link, other = context.Pipe()
        self._process = context.Process(target=serve, args=(other,), name="easel describing", daemon=True)
        self._process.start()
        # Only the child holds that end now, so that its death closes it.
        other.close()
        return self._link

    def _heard(
        self, link: Connection, call: DescribeCall, seconds: float, meanwhile: Callable[[float], None]
    ) -> bytes:
        """The next message. Raises InvalidRequest for a call beyond its bounds, EOFError for one that ended
        otherwise.
        """
        began = time.monotonic()
        while not link.poll(GLANCE_SECONDS):
            passed = time.monotonic() - began
            meanwhile(passed)
            if passed > seconds:
                self._kill()
                raise InvalidRequest(
                    "model",
                    f"{call.path.name} was ended: it said nothing within {seconds:.0f} seconds. The setting "
                    "interrogate_time_limit gives slow models more.",
                )
            used = _memory_of(self._process)
            if used is not None and self._resting and used - self._resting > call.most_bytes:
                self._kill()
                raise InvalidRequest(
                    "model",
                    f"{call.path.name} was ended: it wanted more than {call.most_bytes >> 20} MB of memory, "
                    "which is more than a model of its size needs.",
                )
        return link.recv_bytes(LONGEST_ANSWER)

    def _ended(self, call: DescribeCall) -> EaselError:
        """Why nobody answers."""
        process = self._process
        self._kill()
        if self._is_closed:
            return TooBusy("The program is ending")
        if self._is_interrupted:
            return InvalidRequest("model", f"{call.path.name} was interrupted before it said anything.")
        how = f" (status {process.exitcode})" if process and process.exitcode is not None else ""
        return InvalidRequest(
            "model",
            f"{call.path.name} ended the process that it worked in{how}. The file is damaged, or wants what "
            "this machine does not have. Choose another model.",
        )

    def _rest(self) -> None:
        """Wait for the next picture, unless memory is scarce."""
        if psutil.virtual_memory().available < SCARCE:
            self._kill()
        with self._changes:
            if self._process and not self._is_closed:
                self._idle = threading.Timer(self._idle_seconds, self._end_if_idle)
                self._idle.daemon = True
                self._idle.start()

    def _end_if_idle(self) -> None:
        if self._one_asks.acquire(blocking=False):
            try:
                self._kill()
            finally:
                self._one_asks.release()

    def _kill(self) -> None:
        """End the process, if there is one; whoever listens to it hears of it at once."""
        with self._changes:
            process, self._process = self._process, None
        if process:
            process.kill()
            process.join(GRACE_SECONDS)
            log.debug("The process of describing models has ended.")


def _memory_of(process: SpawnProcess | None) -> int | None:
    """Bytes that it has in memory; None where it has ended."""
    try:
        return int(psutil.Process(process.pid).memory_info().rss) if process else None
    except psutil.Error:
        return None
