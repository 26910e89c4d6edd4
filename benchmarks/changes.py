"""Resident memory and seconds over twenty changes of the checkpoint.

    venv/bin/python benchmarks/changes.py [--changes 20] [--checkpoint FILE] [--precision half]

The engine changes between two full-size SD 1.5 files of random float16 weights (2 GB), one loaded at a time.
After each change the resident memory is read from the system.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.random_checkpoint import write_random_sd15
from modules.flags import parse_flags
from modules.folders import Folders
from modules.generation import Engine
from modules.memory import resident_memory
from modules.settings import Options

MEBIBYTE = 1 << 20
SETTLED = 2
"""Changes after which everything has been in memory once."""


@dataclass(frozen=True)
class Change:
    """Seconds that it took, and bytes in memory afterwards."""

    seconds: float
    resident: int


def measure(engine: Engine, names: list[str], changes: int) -> list[Change]:
    """Load `names` in turn."""
    found = []
    for number in range(changes):
        started = time.perf_counter()
        engine.preload(Options().overridden({"sd_model_checkpoint": names[number % len(names)]}))
        found.append(Change(time.perf_counter() - started, resident_memory()))
    return found


def table(changes: list[Change]) -> str:
    """Some of the changes, and what memory grew by."""
    lines = ["| change | seconds | resident, MiB |", "| --- | --- | --- |"]
    shown = [number for number in (1, 2, 5, 10, 15, 20, len(changes)) if number <= len(changes)]
    for number in dict.fromkeys(shown):
        each = changes[number - 1]
        lines.append(f"| {number} | {each.seconds:.2f} | {each.resident / MEBIBYTE:.0f} |")
    growth = changes[-1].resident / changes[SETTLED - 1].resident - 1
    highest = max(each.resident for each in changes[SETTLED:]) / changes[SETTLED - 1].resident - 1
    lines += ["", f"Growth from the {SETTLED}nd to the last: {growth:+.2%}; at most {highest:+.2%}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--checkpoint", type=Path, help="a file to load in place of random weights")
    parser.add_argument("--precision", default="autocast", help="as the program's own flag")
    parser.add_argument("--markdown", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        folder = Path(data) / "models" / "Stable-diffusion"
        folder.mkdir(parents=True)
        first, second = (folder / f"random-{name}.safetensors" for name in ("a", "b"))
        if args.checkpoint:
            first.symlink_to(args.checkpoint.resolve())
        else:
            write_random_sd15(first)
        os.link(first, second, follow_symlinks=False)
        flags = parse_flags(["--data-dir", data, "--no-hashing", "--precision", args.precision], {})
        engine = Engine(Folders.from_flags(flags), flags)
        text = table(measure(engine, [first.stem, second.stem], args.changes))
    print(text)
    if args.markdown:
        args.markdown.write_text(text)


if __name__ == "__main__":
    main()
