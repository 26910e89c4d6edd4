"""A merge takes little memory, however large its files are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from modules.checkpoints import TensorEntry, write_safetensors

ROOT = Path(__file__).parents[2]
MEGABYTE = 1 << 20
SIZE = 150 * MEGABYTE
ALLOWED = 40 * MEGABYTE
"""Above what the program holds when it begins to write: a small part of one file."""
CHILD = """
import json, sys
import torch
from benchmarks.peak import peak, watch_peak
from modules.adapters import AdapterShelf
from modules.checkpoints import CheckpointShelf, HashCache, VaeShelf
from modules.flags import parse_flags
from modules.folders import Folders
from modules.merging import MergeRequest, MergeShelves, plan_merge, run_merge

folders = Folders.from_flags(parse_flags(["--data-dir", sys.argv[1]], environment={}))
hashes = HashCache(folders.cache / "hashes.json")
networks = AdapterShelf(folders.loras, (".safetensors",), hashes)
shelves = MergeShelves(CheckpointShelf(folders, hashes), VaeShelf(folders, hashes), networks, folders)

# What the first sum loads is not counted.
torch.ones(9).half().double().add_(1.0)
for values in json.loads(sys.argv[2]):
    plan = plan_merge(MergeRequest(primary="a", secondary="b", **values), shelves)
    watch_peak()
    before = peak()
    size = run_merge(plan).size
    print(json.dumps([peak() - before, size]))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two models of 150 MB, of one tensor each that is larger than what is allowed, and smaller ones."""
    data = tmp_path_factory.mktemp("large")
    folder = data / "models" / "Stable-diffusion"
    folder.mkdir(parents=True)
    entries = [TensorEntry("model.large", torch.float16, (50 * MEGABYTE,))]
    entries += [TensorEntry(f"model.{number}", torch.float16, (MEGABYTE,)) for number in range(25)]
    for name in "ab":
        block = torch.rand(MEGABYTE).half()
        with (folder / f"{name}.safetensors").open("wb") as file:
            write_safetensors(
                file, entries, {}, ([block] * (entry.size // 2 // MEGABYTE) for entry in entries)
            )
    return data


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak anew")
def test_a_merge_takes_a_small_part_of_a_file(data):
    merges = [{}, {"interp_method": "Formula", "formula": "A*0.6 + B*0.4", "checkpoint_format": "ckpt"}]
    command = [sys.executable, "-c", CHILD, str(data), json.dumps(merges)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        taken, size = json.loads(line)
        assert size > SIZE - MEGABYTE
        assert taken < ALLOWED, f"{taken / MEGABYTE:.0f} MB"
