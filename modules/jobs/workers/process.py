"""Workers in processes of their own, one a graphics card."""

import multiprocessing
import signal
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from modules.flags import Flags
from modules.jobs.workers.away import WorkerAway
from modules.jobs.workers.child import serve
from modules.jobs.workers.conversation import LinkLost
from modules.jobs.workers.messages import Report, Wish

__all__ = ["ProcessPost", "ProcessWorker"]

GRACE_SECONDS = 2.0


class ProcessPost:
    """A process with a servant in it, at the other end of a pipe. It ends with this process."""

    def __init__(self, flags: Flags, name: str, device: str | None) -> None:
        """Start it: always as a new program, since torch does not survive being forked."""
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=serve, args=(other, flags, name, device), name=f"easel {name}", daemon=True
        )
        self._process.start()
        # Only the child holds that end now, so that its death closes it.
        other.close()

    def send(self, wish: Wish) -> None:
        """Write into the pipe; the child always reads. Raises LinkLost."""
        try:
            self._connection.send(wish)
        except OSError as error:
            raise LinkLost from error

    def receive(self, seconds: float) -> Report | None:
        """Read from the pipe, waiting up to `seconds`. Raises LinkLost."""
        try:
            return _received(self._connection) if self._connection.poll(seconds) else None
        except (EOFError, OSError) as error:
            raise LinkLost from error

    def fate(self) -> str:
        """How the process ended."""
        self._process.join(GRACE_SECONDS)
        code = self._process.exitcode
        if code is None:
            return "stopped answering"
        if code >= 0:
            return f"ended with status {code}"
        return f"was killed by signal {-code}{_meaning(-code)}"

    def kill(self) -> None:
        """End the process: politely, then not."""
        self._process.join(0)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(GRACE_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(GRACE_SECONDS)


def _received(connection: Connection) -> Report:
    report: Report = connection.recv()
    return report


def _meaning(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return ""
    return f" ({name}; the system does that when memory runs out)" if name == "SIGKILL" else f" ({name})"


class ProcessWorker(WorkerAway):
    """Draws in a process of its own, on one device, with an engine over the same folders and flags."""

    def __init__(self, flags: Flags, name: str, device: str | None = None) -> None:
        super().__init__(name, lambda: ProcessPost(flags, name, device))
