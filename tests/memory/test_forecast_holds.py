"""The forecast of the memory that a request takes, against what the system measures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LARGE_WORK = 300 << 20
"""Bytes of work alone that are compared as well, so that a large process at rest hides nothing."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_fifty_random_requests_take_what_was_forecast(tmp_path):
    trials = tmp_path / "trials.json"
    script = ROOT / "benchmarks" / "memory.py"
    command = [sys.executable, script, "--requests", "50", "--largest", "384", "--json", trials]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(trials.read_text())
    assert len(found) == 50
    off = [each["name"] for each in found if abs(each["forecast"] / each["taken"] - 1) > 0.15]
    assert off == [], done.stdout
    works = [
        (each["forecast"] - each["base"], each["taken"] - each["base"], each["name"])
        for each in found
        if each["taken"] - each["base"] > LARGE_WORK
    ]
    assert works
    assert [name for told, taken, name in works if abs(told / taken - 1) > 0.4] == [], done.stdout
