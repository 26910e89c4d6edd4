"""The threads of a computation leave their cores to others soon, unless the person wants it otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modules.launching import wait_briefly

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "given, spins",
    [
        ({}, "10000"),
        ({"GOMP_SPINCOUNT": "77"}, "77"),
        ({"OMP_WAIT_POLICY": "active"}, None),
    ],
)
def test_threads_wait_briefly_unless_somebody_says_how(given, spins):
    wait_briefly(given)
    assert given.get("GOMP_SPINCOUNT") == spins


def test_the_program_says_it_before_torch_is_loaded():
    environment = {key: each for key, each in os.environ.items() if key != "GOMP_SPINCOUNT"}
    code = (
        "import sys, os, runpy; runpy.run_path('webui.py', run_name='looked at');"
        "print(os.environ['GOMP_SPINCOUNT'])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert answer.stdout == "10000\n", answer.stderr
