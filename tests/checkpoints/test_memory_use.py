"""How much memory loading takes, measured in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

ROOT = Path(__file__).parents[2]
WIDER = 5
"""How many times wider than tiny-sd1 the measured checkpoint is."""

MEASURE = """
import gc, json, sys, threading
from pathlib import Path
import psutil, torch
from modules.checkpoints import CheckpointFile, HashCache, load_model
from modules.memory import DevicePolicy

torch.set_num_threads(1)
warm, measured, configs, rounds = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
policy = DevicePolicy(torch.device("cpu"), torch.float32, torch.float32)
hashes = HashCache(Path("unused"), enabled=False)
load = lambda path: load_model(CheckpointFile(path, hashes, path.name), policy, configs)
load(warm)
process, peak, done = psutil.Process(), 0, threading.Event()
start = process.memory_info().rss

def watch():
    global peak
    while not done.wait(0.002):
        peak = max(peak, process.memory_info().rss)

watcher = threading.Thread(target=watch)
watcher.start()
after = []
for _ in range(rounds):
    model = None
    gc.collect()  # the tokenizer refers to itself
    model = load(measured)
    after.append(process.memory_info().rss - start)
done.set()
watcher.join()
print(json.dumps({"peak": peak - start, "after": after}))
"""


def measure(warm: Path, measured: Path, rounds: int) -> dict:
    command = [sys.executable, "-c", MEASURE, str(warm), str(measured), str(ROOT / "configs"), str(rounds)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    return json.loads(answer.stdout.splitlines()[-1])


def widened(shape: list[int], name: str) -> list[int]:
    """The shape in a UNet that is WIDER times as wide; other parts keep theirs."""
    fixed = {4, 3, 1}
    if not name.startswith("model.diffusion_model."):
        return shape
    context = name.endswith(("attn2.to_k.weight", "attn2.to_v.weight"))
    return [
        size if size in fixed or (context and axis == 1) else size * WIDER for axis, size in enumerate(shape)
    ]


@pytest.fixture(scope="module")
def big_checkpoint(parity_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tiny-sd1 with a wider UNet, in float32."""
    path = tmp_path_factory.mktemp("big") / "big.safetensors"
    with safe_open(parity_models / "tiny-sd1.safetensors", "pt") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    save_file({name: torch.full(widened(shape, name), 0.01) for name, shape in shapes.items()}, path)
    return path


@pytest.mark.slow
def test_loading_takes_no_more_than_the_file_and_a_fifth(parity_models: Path, big_checkpoint: Path) -> None:
    size = big_checkpoint.stat().st_size
    assert size > 300e6
    taken = measure(parity_models / "tiny-sd1.safetensors", big_checkpoint, rounds=1)
    assert taken["peak"] < size * 1.2


@pytest.mark.slow
def test_twenty_changes_of_model_leave_no_memory_behind(parity_models: Path) -> None:
    tiny = parity_models / "tiny-sd1.safetensors"
    after = measure(tiny, tiny, rounds=20)["after"]
    assert max(after[10:]) - max(after[:10]) < 25e6
