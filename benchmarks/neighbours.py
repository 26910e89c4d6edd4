"""What a picture costs beside other programs, by how OpenMP's threads wait: three ways in turn.

    venv/bin/python benchmarks/neighbours.py [--pictures 5] [--rounds 3] [--others 0 1 2] [--model FILE]

The embedded model draws at 128x128, 20 steps, alone and beside processes that compute without end. "Spins" is
OpenMP's own default, "sleeps" is OMP_WAIT_POLICY=PASSIVE, "Easel" the program's own choice. One process for
each way, all three in memory; they draw in turn, so that a machine that changes its speed changes it for all.
Figures are medians of single pictures; the ratio is that of Easel to the better way for such a machine.
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
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from modules.launching import WAIT_POLICY

DRAW = """
import sys, time
from modules.flags import parse_flags
from modules.generation import SilentWatcher, Txt2ImgRequest
from modules.house import make_house
house = make_house(parse_flags(["--data-dir", sys.argv[1], *sys.argv[2:]], environment={}))
number = 0
for line in sys.stdin:
    for _ in range(int(line)):
        asked = Txt2ImgRequest(prompt="a cat", seed=number, width=128, height=128, steps=20)
        run = house.engine.plan(asked, house.store.options, house.styles, False)
        started, used = time.perf_counter(), time.process_time()
        house.engine.make(run, SilentWatcher())
        print("picture", time.perf_counter() - started, time.process_time() - used, flush=True)
        number += 1
    print("done", flush=True)
"""
WAYS = {"spins": {}, "sleeps": {"OMP_WAIT_POLICY": "PASSIVE"}, "Easel": WAIT_POLICY}


class Cost(NamedTuple):
    """Of one picture."""

    seconds: float
    processor_seconds: float


class Drawer:
    """A process with the model in memory, in which threads wait in one way."""

    def __init__(self, environment: dict[str, str], arguments: list[str]) -> None:
        plain = {key: each for key, each in os.environ.items() if key not in WAIT_POLICY}
        self._process = subprocess.Popen(
            [sys.executable, "-c", DRAW, *arguments],
            cwd=ROOT,
            env=plain | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def draw(self, pictures: int) -> list[Cost]:
        """The costs of so many pictures, one after another."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{pictures}\n")
        self._process.stdin.flush()
        costs = []
        for line in self._process.stdout:
            if line.startswith("picture"):
                costs.append(Cost(*map(float, line.split()[1:])))
            elif line.startswith("done"):
                return costs
        raise SystemExit("A process that draws has ended; run its code by hand to see why.")

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


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


def median(costs: list[Cost]) -> Cost:
    """The median of each figure by itself."""
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--others", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--model", help="a checkpoint file in place of the embedded one")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(tempfile.TemporaryDirectory())
        own = [data, *(["--ckpt", arguments.model] if arguments.model else [])]
        drawers = {way: Drawer(environment, own) for way, environment in WAYS.items()}
        for each in drawers.values():
            stack.callback(each.close)
            each.draw(2)
        print(
            "| busy processes | "
            + " | ".join(f"{way}: s (processor s)" for way in WAYS)
            + " | Easel / best |"
        )
        print("| --- |" + " --- |" * (len(WAYS) + 1))
        for others in arguments.others:
            costs: dict[str, list[Cost]] = {way: [] for way in WAYS}
            with busy(others):
                for _ in range(arguments.rounds):
                    for way, each in drawers.items():
                        costs[way] += each.draw(arguments.pictures)
            figures = {way: median(each) for way, each in costs.items()}
            best = min(figures["spins"].seconds, figures["sleeps"].seconds)
            row = [f"{each.seconds:.2f} ({each.processor_seconds:.2f})" for each in figures.values()]
            print(f"| {others} | {' | '.join(row)} | {figures['Easel'].seconds / best:.2f} |", flush=True)


if __name__ == "__main__":
    main()
