"""Run in a process of its own: batches that are killed, as by `kill -9`, at a moment that the test names."""

import json
import os
import sys
import threading
from pathlib import Path

from modules.batches import BatchPlan, BatchState
from modules.batches.book import BatchBook
from modules.jobs import JobQueue
from modules.jobs.ledger import JobLedger
from tests.batches.conftest import CLIENT, REQUEST, make_works
from tests.jobs.crasher import Killer

MOMENTS = {
    "before a job is accepted": (JobQueue, "submit", True),
    "after a job is accepted": (JobQueue, "submit", False),
    "before a picture is noted": (JobLedger, "has_kept", True),
    "before an outcome is written": (BatchBook, "note", True),
    "after an outcome is written": (BatchBook, "note", False),
}


def run(data: str, moment: str, number: int) -> None:
    """Go through a batch, until it is done or the process is killed the `number`th time at `moment`."""
    owner, name, before = MOMENTS[moment]
    original, killer = getattr(owner, name), Killer(number)

    def replaced(*arguments, **named):
        if before:
            killer()
        answer = original(*arguments, **named)
        if not before:
            killer()
        return answer

    setattr(owner, name, replaced)
    works = make_works(Path(data))
    works.gate.open.set()
    batch = works.batches.start(BatchPlan(request=REQUEST, input_folder="in", output_folder="out"), CLIENT)
    while batch.state is not BatchState.DONE:
        threading.Event().wait(0.01)


def main() -> None:
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
    main()
