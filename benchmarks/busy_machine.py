"""What a picture costs on a machine that also does something else, by how long threads wait with a busy core.

    venv/bin/python benchmarks/busy_machine.py [--pictures 5] [--others N]

The embedded model draws at 128x128, 20 steps, in a fresh process for each figure: alone, and beside
`--others` processes that compute without end (one a core). Once as the program starts itself, once as OpenMP
would have it. Each figure is the median of the pictures after the first.
"""

import argparse
import contextlib
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from modules.launching import wait_briefly

DRAW = """
import sys, time
from modules.flags import parse_flags
from modules.generation import SilentWatcher, Txt2ImgRequest
from modules.house import make_house
house = make_house(parse_flags(["--data-dir", sys.argv[2]], environment={}))
options = house.store.options
for number in range(int(sys.argv[1]) + 1):
    asked = Txt2ImgRequest(prompt="a cat", seed=number, width=128, height=128, steps=20)
    started = time.perf_counter()
    house.engine.make(house.engine.plan(asked, options, house.styles, False), SilentWatcher())
    print("seconds", time.perf_counter() - started)
"""


def compute_without_end() -> None:
    """Another program that wants a core."""
    while True:
        pass


@contextlib.contextmanager
def busy(others: int) -> Iterator[None]:
    """So many processes that compute, for as long as this lasts."""
    found = [multiprocessing.Process(target=compute_without_end, daemon=True) for _ in range(others)]
    for each in found:
        each.start()
    try:
        yield
    finally:
        for each in found:
            each.kill()


def seconds_of_a_picture(environment: dict[str, str], pictures: int, data: str) -> float:
    """Median seconds of `pictures` in a fresh process; one before them, which loads the model, left out."""
    command = [sys.executable, "-c", DRAW, str(pictures), data]
    answer = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    seconds = [float(line.split()[1]) for line in answer.splitlines() if line.startswith("seconds")]
    return statistics.median(seconds[1:])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=5)
    parser.add_argument("--others", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    plain = {
        key: each for key, each in os.environ.items() if key not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    }
    ours = dict(plain)
    wait_briefly(ours)
    print("| machine | Easel, s | OpenMP's own waiting, s | ratio |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as data:
        for name, others in (("quiet", 0), (f"beside {arguments.others} busy processes", arguments.others)):
            with busy(others):
                mine = seconds_of_a_picture(ours, arguments.pictures, data)
                theirs = seconds_of_a_picture(plain, arguments.pictures, data)
            print(f"| {name} | {mine:.2f} | {theirs:.2f} | {mine / theirs:.2f} |", flush=True)


if __name__ == "__main__":
    main()
