"""Run in a process of its own: batches that are killed, as by `kill -9`, at a moment that the test names."""

import threading
from pathlib import Path

from modules.batches import BatchPlan, BatchState
from modules.batches.book import BatchBook
from modules.jobs import JobQueue
from modules.jobs.ledger import JobLedger
from tests.batches.conftest import CLIENT, REQUEST, make_works
from tests.jobs.crasher import Killer, call_at, serve

MOMENTS = {
    "before a job is accepted": (JobQueue, "submit", True),
    "after a job is accepted": (JobQueue, "submit", False),
    "before a picture is noted": (JobLedger, "has_kept", True),
    "before an outcome is written": (BatchBook, "note", True),
    "after an outcome is written": (BatchBook, "note", False),
}


def run(data: str, moment: str, number: int) -> None:
    """Go through a batch, until it is done or the process is killed the `number`th time at `moment`."""
    call_at(MOMENTS[moment], Killer(number))
    works = make_works(Path(data))
    works.gate.open.set()
    batch = works.batches.start(BatchPlan(request=REQUEST, input_folder="in", output_folder="out"), CLIENT)
    while batch.state is not BatchState.DONE:
        threading.Event().wait(0.01)


if __name__ == "__main__":
    serve(run)
