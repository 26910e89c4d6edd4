"""What is Ray's own: that it may be missing, that it cannot be reached, and what it says of a death."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[3]

WITHOUT_RAY = """
import sys
sys.modules["ray"] = None
from modules.errors import InvalidRequest
from modules.flags import Flags
from modules.jobs.workers.ray_cluster import ray_workers

try:
    ray_workers(Flags(ray="local"), "local", 2)
except InvalidRequest as error:
    print(error.field, error)
"""

DEATH = (
    "The actor died unexpectedly before finishing this task.\n\tclass_name: ServantActor\n\tip: 10.0.0.7\n"
    "The actor is dead because its node has died. Node Id: abc\n\tthe actor's node was terminated: health check failed."
)


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=PROGRAM, capture_output=True, text=True, env={**os.environ}
    )


def test_without_the_package_a_sentence_says_how_to_install_it():
    done = run(WITHOUT_RAY)
    assert done.stdout.startswith("ray --ray needs the package ray"), done.stderr
    assert "pip install -r requirements-ray.txt" in done.stdout


def test_ray_is_not_imported_unless_it_is_asked_for():
    done = run("import sys, modules.house; sys.exit('ray' in sys.modules)")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (DEATH, "its node has died"),
        ("Something else went wrong.", "Something else went wrong"),
        ("", "no reason is known"),
    ],
)
def test_of_a_death_the_cause_is_told(message, cause):
    actors = pytest.importorskip(
        "modules.jobs.workers.ray_actors", reason="ray is not installed", exc_type=ImportError
    )
    assert actors.cause_of_death(message) == cause


def test_an_address_where_nobody_listens_is_a_sentence_at_once():
    pytest.importorskip("ray", reason="ray is not installed: pip install -r requirements-ray.txt")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    code = WITHOUT_RAY.replace('sys.modules["ray"] = None\n', "").replace('"local", 2', f'"{address}", 2')
    done = run(code)
    assert done.stdout.startswith(f"ray --ray {address}: the Ray cluster cannot be reached"), done.stderr
