"""Merging two checkpoints of 4 GB: seconds and peak memory, beside copying one of them.

    venv/bin/python benchmarks/merging.py [--folder FOLDER] [--half]

The files have the tensors of Stable Diffusion 1.5 in float32 (4.3 GB; --half: float16, 2.1 GB) and random
numbers. FOLDER needs room for four of them. Each merge runs in a process of its own, whose peak of resident
memory is told by the system, most of it libraries; every file is brought to the disk before the clock stops.
Hashing both parents, which a recipe needs once, is measured apart.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from torch import Tensor

from benchmarks.random_checkpoint import shapes_of_sd15
from modules.checkpoints import TensorEntry, safetensors_order, write_safetensors

DEVIATION = 0.02
POOL = 1 << 24
CHILD = """
import json, sys, time
from benchmarks.peak import peak, watch_peak
from modules.adapters import AdapterShelf
from modules.checkpoints import CheckpointShelf, HashCache, VaeShelf
from modules.flags import parse_flags
from modules.folders import Folders
from modules.merging import MergeRequest, MergeShelves, plan_merge, run_merge

data, values = sys.argv[1], json.loads(sys.argv[2])
folders = Folders.from_flags(parse_flags(["--data-dir", data], environment={}))
hashes = HashCache(folders.cache / "hashes.json")
networks = AdapterShelf(folders.loras, (".safetensors",), hashes)
shelves = MergeShelves(CheckpointShelf(folders, hashes), VaeShelf(folders, hashes), networks, folders)
started = time.perf_counter()
plan = plan_merge(MergeRequest(primary="a", secondary="b", custom_name="result", **values), shelves)
planned = time.perf_counter() - started
watch_peak()
before = peak()
result = run_merge(plan)
print(json.dumps({"plan": planned, "seconds": result.seconds, "before": before, "peak": peak()}))
"""


def random_numbers(entry: TensorEntry, pool: Tensor, at: int) -> Iterator[Tensor]:
    """Numbers for a tensor, out of a pool of them."""
    left = entry.size // entry.dtype.itemsize
    while left:
        at %= POOL
        taken = pool[at : at + left]
        yield taken
        left, at = left - len(taken), at + len(taken)


def write_checkpoint(path: Path, dtype: torch.dtype, seed: int) -> None:
    """A checkpoint with the names and shapes of Stable Diffusion 1.5."""
    pool = torch.randn(POOL, generator=torch.Generator().manual_seed(seed)).mul_(DEVIATION).to(dtype)
    entries = safetensors_order(
        TensorEntry(name, dtype, tuple(shape)) for name, shape in shapes_of_sd15().items()
    )
    with path.open("wb") as file:
        write_safetensors(
            file,
            entries,
            {},
            (random_numbers(entry, pool, 7919 * place) for place, entry in enumerate(entries)),
        )


def copy(source: Path, target: Path) -> float:
    """Seconds that a plain copy takes, brought to the disk."""
    started = time.perf_counter()
    with source.open("rb") as read, target.open("wb") as written:
        shutil.copyfileobj(read, written, 1 << 24)
        os.fsync(written.fileno())
    seconds = time.perf_counter() - started
    target.unlink()
    return seconds


def merge(data: Path, **values: object) -> dict[str, float]:
    """What a process that merges a and b says of itself."""
    program = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": str(program)}
    command = [sys.executable, "-c", CHILD, str(data), json.dumps(values)]
    done = subprocess.run(command, cwd=program, capture_output=True, text=True, check=True, env=environment)
    for path in (data / "models" / "Stable-diffusion").glob("result*"):
        path.unlink()
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, help="Where the files are written.")
    parser.add_argument("--half", action="store_true", help="Files in float16.")
    given = parser.parse_args()
    dtype = torch.float16 if given.half else torch.float32
    with tempfile.TemporaryDirectory(dir=given.folder) as data:
        models = Path(data, "models", "Stable-diffusion")
        models.mkdir(parents=True)
        for seed, name in enumerate(("a", "b")):
            write_checkpoint(models / f"{name}.safetensors", dtype, seed)
        size = (models / "a.safetensors").stat().st_size
        print(f"two files of {size / 1e9:.2f} GB, {str(dtype).removeprefix('torch.')}")
        print("| | seconds | to a copy | peak MB | of these for merging |\n| --- | --- | --- | --- | --- |")
        copying = min(copy(models / "a.safetensors", models / "copy") for _ in range(2))
        print(f"| copying one of them | {copying:.1f} | 1.00 | | |")
        plain = {"add_merge_recipe": False}
        rows: dict[str, dict[str, object]] = {
            "weighted sum": plain,
            "formula": {**plain, "interp_method": "Formula", "formula": "A*0.6 + B*0.4"},
            "weighted sum, saved as float16": {**plain, "save_as": "float16"},
            "weighted sum, .ckpt": {**plain, "checkpoint_format": "ckpt"},
            "weighted sum, parents hashed first": {},
            "the same again, hashes known": {},
        }
        for name, values in rows.items():
            row = merge(Path(data), **values)
            peak, own = row["peak"] / 1e6, (row["peak"] - row["before"]) / 1e6
            seconds = row["seconds"]
            print(
                f"| {name} | {seconds:.1f} | {seconds / copying:.2f} | {peak:.0f} | {own:.0f} |", flush=True
            )


if __name__ == "__main__":
    main()
