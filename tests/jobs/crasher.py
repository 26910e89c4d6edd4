"""Run in a process of its own: queues that are killed, as by `kill -9`, at a moment that the test names."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modules.flags import parse_flags
from modules.folders import Folders
from modules.generation import Order
from modules.jobs import JobQueue
from modules.jobs.ledger import JobLedger
from modules.jobs.store import JobStore

from .gate import GateWorker


@contextmanager
def started(module: str) -> Iterator[subprocess.Popen[str]]:
    """The module as a process, whose children are killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    yield process
    process.communicate()


class Killer:
    """Kills the process when it has been called so many times."""

    def __init__(self, number: int) -> None:
        self._left = number

    def __call__(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def arm(moment: str, killer: Killer) -> None:
    """Let `killer` be called at `moment`."""
    places = {
        "before a picture is announced": (JobLedger, "about_to_keep", True),
        "before its file appears": (JobLedger, "about_to_keep", False),
        "before it is noted": (JobLedger, "has_kept", True),
        "after it is noted": (JobLedger, "has_kept", False),
        "before the end is noted": (JobStore, "end", True),
        "after the end is noted": (JobStore, "end", False),
        "after a job is accepted": (JobStore, "accept", False),
        "while it draws": (GateWorker, "_wait", True),
        "after a skip is noted": (JobLedger, "has_skipped", False),
    }
    if moment not in places:
        return
    call_at(places[moment], killer)


def call_at(place, killer: Killer) -> None:
    """Let `killer` be called before or after a method: (class, name, whether before)."""
    owner, name, before = place
    original = getattr(owner, name)

    def replaced(*arguments, **named):
        if before:
            killer()
        answer = original(*arguments, **named)
        if not before:
            killer()
        return answer

    setattr(owner, name, replaced)


def run(data: str, moment: str, number: int, orders: list[str]) -> None:
    """Open the queue, send `orders`, and wait until all is done or the process is killed."""
    arm(moment, Killer(number))
    worker = GateWorker(skips={1} if moment == "after a skip is noted" else set())
    folders = Folders.from_flags(parse_flags(["--data-dir", data], environment={}))
    folders.ensure()
    queue = JobQueue(folders, lambda: [worker])
    for text in orders:
        queue.submit(Order.model_validate_json(text))
    worker.open.set()
    for job in queue.jobs():
        queue.wait(job, 60)
    queue.close()


def serve(run) -> None:
    """Answer each line of JSON, the arguments of `run`, with the exit status of a child that runs it."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run(**json.loads(line))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve(run)
