"""What runs in a worker's process."""

import logging
import os
import signal
import threading
from multiprocessing.connection import Connection

from modules.flags import Flags
from modules.jobs.workers.messages import Report
from modules.jobs.workers.servant import Servant, open_servant

__all__ = ["serve"]


def serve(connection: Connection, flags: Flags, name: str, device: str | None) -> None:
    """Draw what comes through `connection`, until the other end is closed: the program's end is the worker's.

    `device` is the one graphics card that this process may see, as CUDA_VISIBLE_DEVICES names it.
    """
    # Ctrl-C goes to all processes of a terminal; when a worker ends is its program's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    logging.basicConfig(format=f"{name}: %(message)s", level=logging.WARNING)
    logging.getLogger("modules").setLevel(flags.loglevel or logging.INFO)

    def say(report: Report) -> None:
        try:
            connection.send(report)
        except OSError:
            os._exit(0)

    servant = open_servant(flags, say)
    if servant is None:
        return
    threading.Thread(target=_hear, args=(connection, servant), name="easel-ear", daemon=True).start()
    servant.work()


def _hear(connection: Connection, servant: Servant) -> None:
    while True:
        try:
            servant.tell(connection.recv())
        except (EOFError, OSError):
            # Whatever is drawn has nobody left to be drawn for, and the engine cannot be asked to leave.
            os._exit(0)
