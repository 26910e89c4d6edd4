"""The program chooses how the threads of a computation wait, unless the person wants it otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modules.launching import choose_wait_policy

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "given",
    [
        {"GOMP_SPINCOUNT": "77"},
        {"OMP_WAIT_POLICY": "active"},
        {"OMP_WAIT_POLICY": "PASSIVE"},
    ],
)
def test_what_the_person_says_of_waiting_threads_stays(given):
    environment = dict(given)
    choose_wait_policy(environment)
    assert environment == given


def test_the_program_says_it_before_torch_is_loaded():
    environment = {
        key: each for key, each in os.environ.items() if key not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    }
    code = (
        "import sys, os, runpy; runpy.run_path('webui.py', run_name='looked at');"
        "print(os.environ['GOMP_SPINCOUNT'], os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert answer.stdout == "300000 PASSIVE False\n", answer.stderr
