"""Threads that wait keep their cores on a quiet machine and leave them on a busy one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modules.launching import WAIT_POLICY
from modules.memory import SpinControl
from modules.memory.spinning import CoreUse

ROOT = Path(__file__).resolve().parents[2]

WAITS = """
import sys, time, torch
from modules.memory import SpinControl
torch.set_num_threads(2)
numbers = torch.zeros(1 << 16)
cores_of_others = 0.0
control = SpinControl(others=lambda: cores_of_others)

def waiting_costs():
    "Processor seconds of threads that wait for the next operation, while nothing is computed."
    numbers.add_(1)
    started = time.process_time()
    time.sleep(0.01)
    return time.process_time() - started

waiting_costs()
for cores_of_others in (None, 0.0, 0.2, 1.0, 0.2, 0.0):
    with control.drawing():
        print(control.spins, sorted(waiting_costs() for _ in range(9))[4])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="GNU's OpenMP is torch's on Linux alone")
def test_threads_spin_while_nobody_else_wants_the_cores():
    plain = {key: each for key, each in os.environ.items() if key not in WAIT_POLICY}
    answer = subprocess.run(
        [sys.executable, "-c", WAITS], cwd=ROOT, env=plain | WAIT_POLICY, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    spins, seconds = zip(*(line.split() for line in answer.stdout.splitlines()), strict=True)
    assert spins == ("False", "True", "True", "False", "False", "True")
    spinning, asleep = (
        [float(each) for each, was in zip(seconds, spins, strict=True) if was == what]
        for what in ("True", "False")
    )
    assert min(spinning) > 3 * max(asleep), "that they spin or sleep is seen by what they use"


def test_what_the_person_said_of_waiting_threads_is_left_alone(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    control = SpinControl(others=lambda: 0.0)
    with control.drawing():
        assert not control.spins


def test_other_programs_are_told_from_this_one():
    use = CoreUse()
    assert use.of_others() is None, "nothing can be said of no time"
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        while (cores := use.of_others()) is None or cores < 0.25:
            sum(range(10_000))
        other.kill()
