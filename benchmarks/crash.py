"""Servers killed at random moments of a queue of small jobs; the outputs compared with an undisturbed run.

    venv/bin/python benchmarks/crash.py [--kills 200] [--at-a-time 20] [--seed 1]

The form of `tests/trials/test_crash.py` with more kills: one queue after another, each worked off by so many
servers that are killed. Prints what the kills hit, and ends with 1 at the first difference.
"""

import argparse
import runpy
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.trials.crashes import disturbed, undisturbed
from tests.trials.lives import Nursery
from tests.trials.phases import Phase
from tests.trials.small_jobs import small_jobs

PARITY = ROOT / "tests" / "parity"
ROUNDS = 2


def models_with_variants(folder: Path) -> Path:
    """The small checkpoints of the tests, copied into `folder` and completed there."""
    shutil.copytree(PARITY / "models", folder)
    arguments, sys.argv = sys.argv, ["make_variants.py", str(folder)]
    try:
        runpy.run_path(str(PARITY / "make_variants.py"))
    finally:
        sys.argv = arguments
    return folder


def measure(work: Path, kills: int, at_a_time: int, seed: int) -> Counter[Phase]:
    """What the kills hit. Exits with 1 and a sentence where anything is lost, made twice, or left behind."""
    models, jobs, hit = models_with_variants(work / "models"), small_jobs(ROUNDS), Counter[Phase]()
    with Nursery(work / "servers.log") as nursery:
        whole = undisturbed(nursery, work / "undisturbed", models, jobs)
        for turn in range(kills // at_a_time):
            data = work / f"disturbed-{turn}"
            after = disturbed(nursery, data, models, jobs, whole, at_a_time, seed + turn)
            if difference := after.first_difference(whole) or ", ".join(after.left_behind):
                sys.exit(
                    f"With seed {seed + turn}: {difference}. The folder is kept as {shutil.move(data, '.')}."
                )
            shutil.rmtree(data)
            hit += after.kills
            print(f"{hit.total()} kills, all as undisturbed", file=sys.stderr)
        print(
            f"{len(jobs)} jobs, {len(whole.files)} files, {len(whole.answers)} answers, each time the same.\n"
        )
    return hit


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--at-a-time", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        hit = measure(Path(work), args.kills, args.at_a_time, args.seed)
    print("| the server was killed while it was | times |\n| --- | --- |")
    for phase in Phase:
        print(f"| {phase} | {hit[phase]} |")
    print(f"\n{hit.total()} kills in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
