"""A worker's process: how it ends, how it is started again, and what happens when one side is stuck."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from modules.jobs import Share, WorkerLost
from modules.jobs.workers import ProcessWorker

from .conftest import WAIT_SECONDS, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="processes are stopped by signals here"),
]

PROGRAM = Path(__file__).resolve().parents[3]
PROMPT_END_SECONDS = 30

PARENT = """
import sys, time
from modules.flags import Flags
from modules.jobs.workers import ProcessWorker

if __name__ == "__main__":
    worker = ProcessWorker(Flags(workers=2), "orphan")
    while not worker.ready(1):
        pass
    print(worker.process, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def worker(worker_flags):
    """A process that is up before each test that needs it to be."""
    worker = ProcessWorker(worker_flags, "process")
    yield worker
    worker.close()


@pytest.fixture
def up(worker):
    """The worker, ready."""
    until(lambda: worker.ready(1))
    return worker


def share(order, *pictures):
    return Share("task(a)", order, pictures or tuple(range(order.pictures)))


def test_one_that_is_killed_at_work_is_lost_with_the_reason_and_draws_the_next_share(up, order_of, ears):
    victim = up.process

    class Killer(ears):
        def on_step(self, report):
            super().on_step(report)
            if report.done == 3:
                os.kill(victim, signal.SIGKILL)

    ear = Killer()
    with pytest.raises(WorkerLost, match=r"killed by signal 9 \(SIGKILL.*memory") as caught:
        up.draw(share(order_of(steps=50, n_iter=3)), ear, ear.drawn.append)
    assert not caught.value.for_good
    assert up.hot is None
    again = ears()
    up.draw(share(order_of()), again, again.drawn.append)
    assert again.finished == [0]
    assert up.process != victim


def test_one_that_dies_while_it_waits_is_replaced_before_it_is_given_work(up, order_of, ears):
    victim = up.process
    os.kill(victim, signal.SIGKILL)
    until(lambda: not psutil.pid_exists(victim) or psutil.Process(victim).status() == psutil.STATUS_ZOMBIE)
    ear = ears()
    # The news of its end needs a moment; who gave it work in that moment would be told WorkerLost.
    until(lambda: up.ready(1) and up.process != victim)
    up.draw(share(order_of()), ear, ear.drawn.append)
    assert ear.finished == [0]


def test_a_full_pipe_and_a_queue_that_gives_up_do_not_wait_for_each_other(up, order_of, ears):
    """The pictures of this order are many times what a pipe holds, and nobody reads them."""

    def refuse(drawn):
        time.sleep(2)
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        up.draw(share(order_of(steps=1, batch_size=8, width=256, height=256)), ears(), refuse)
    ear = ears()
    up.draw(share(order_of()), ear, ear.drawn.append)
    assert ear.finished == [0]


def test_one_that_hangs_is_ended_all_the_same(worker_flags):
    worker = ProcessWorker(worker_flags, "stopped")
    until(lambda: worker.ready(1))
    process = psutil.Process(worker.process)
    process.suspend()
    started = time.monotonic()
    worker.close()
    assert time.monotonic() - started < PROMPT_END_SECONDS
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert not worker.ready(0.1)


def test_closing_ends_a_drawing(worker_flags, order_of, ears):
    worker = ProcessWorker(worker_flags, "closed")
    until(lambda: worker.ready(1))

    class Closer(ears):
        def on_step(self, report):
            if report.done == 3:
                worker.close()

    with pytest.raises(WorkerLost):
        worker.draw(share(order_of(steps=100, n_iter=100)), Closer(), lambda drawn: None)
    assert not worker.ready(0.1)


def test_a_worker_ends_when_its_program_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    variables = {**os.environ, "PYTHONPATH": str(PROGRAM)}
    parent = subprocess.Popen([sys.executable, str(script)], env=variables, stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    parent.kill()
    parent.wait(WAIT_SECONDS)
    until(lambda: not psutil.pid_exists(child))


def test_one_that_cannot_start_says_why_and_tries_again_later(worker_flags, caplog):
    worker = ProcessWorker(dataclasses.replace(worker_flags, precision="odd"), "unfit")
    try:
        until(lambda: not worker.ready(0.5) and "cannot start" in caplog.text)
        assert "--precision odd is not known" in caplog.text
        until(lambda: not worker.ready(0.5) and "The next try is in" in caplog.text)
        assert worker.process is None
    finally:
        worker.close()
