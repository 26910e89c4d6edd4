"""Time and peak memory of loading a full-size SD 1.5 checkpoint, against diffusers' `from_single_file`.

    venv/bin/python benchmarks/loading.py [--rounds 5] [--cold] [--device cuda] [--checkpoint FILE]

Each load is a process of its own, the two sides in turn (A B A B ...), from a file that lies in the system's
cache, or with --cold from the disk. Libraries are imported before the clock starts. Seconds are those of the
best round, which other programs on the machine disturbed least, and of the processor (median), which they
disturb little. Memory is what the process has at most while it loads, above what it had before (VmHWM of
Linux, mapped pages of the file included). The checkpoint is 2 GB of random float16 weights; they are
converted, since a pipeline in the file's own type would only map them and read nothing. With --device cuda
the model goes to the card in half precision, as it is in the file; memory is then still the process's own.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import psutil
import torch
from diffusers import StableDiffusionPipeline

from benchmarks.peak import peak, watch_peak
from benchmarks.random_checkpoint import parts_of_sd15, write_random_sd15
from modules.checkpoints import CheckpointFile, HashCache, load_model
from modules.memory import DevicePolicy, set_threads

MEBIBYTE = 1 << 20
SIDES = ("easel", "diffusers")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
OF_DEVICE = {"cpu": ("float32", "bfloat16"), "cuda": ("float16",)}
"""What processors compute in by default, and with --precision half; and cards."""


@dataclass(frozen=True)
class Taken:
    """What one load took."""

    seconds: float
    busy: float
    """Seconds of the processor, of all threads."""
    peak: int
    """Bytes."""


def load_by_easel(path: Path, dtype: torch.dtype, device: str, _: Path) -> object:
    """As the engine loads it: on a processor in the file's type, unless flags say otherwise."""
    file = CheckpointFile(path, HashCache(Path("unused"), enabled=False), path.name)
    keeps = device == "cpu" and dtype == torch.float32
    policy = DevicePolicy(torch.device(device), dtype, dtype, keeps_file_types=keeps)
    return load_model(file, policy, ROOT / "configs")


def load_by_diffusers(path: Path, dtype: torch.dtype, device: str, config: Path) -> object:
    """As its documentation says, with configurations from a folder in place of the network."""
    pipeline = StableDiffusionPipeline.from_single_file(
        path, config=str(config), torch_dtype=dtype, safety_checker=None, local_files_only=True
    )
    return pipeline if device == "cpu" else pipeline.to(device)


def write_configs(folder: Path) -> None:
    """The configurations of SD 1.5 in diffusers' layout, without weights."""
    unet, vae, text = parts_of_sd15()
    unet.save_config(folder / "unet")
    vae.save_config(folder / "vae")
    text.config.save_pretrained(folder / "text_encoder")
    shutil.copytree(ROOT / "configs" / "clip-tokenizer", folder / "tokenizer")
    (folder / "tokenizer" / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 77}))
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(
        json.dumps({"_class_name": "PNDMScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.00085,
                    "beta_end": 0.012, "skip_prk_steps": True, "steps_offset": 1})
    )  # fmt: skip
    index: dict[str, Any] = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "PNDMScheduler"],
        "safety_checker": [None, None], "feature_extractor": [None, None],
    }  # fmt: skip
    (folder / "model_index.json").write_text(json.dumps(index))


def measure_here(side: str, path: Path, dtype: torch.dtype, device: str, config: Path) -> Taken:
    """Load in this process."""
    load = load_by_easel if side == "easel" else load_by_diffusers
    set_threads()
    torch.zeros(1, device=device)  # the device's own beginnings are nobody's time
    before = psutil.Process().memory_info().rss
    watch_peak()
    started, busy = time.perf_counter(), time.process_time()
    model = load(path, dtype, device, config)
    if device == "cuda":
        torch.cuda.synchronize()
    taken = Taken(time.perf_counter() - started, time.process_time() - busy, peak() - before)
    del model
    return taken


def measure(side: str, path: Path, dtype: str, device: str, config: Path) -> Taken:
    """Load in a process of its own."""
    command = [sys.executable, __file__, "--one", side, "--dtype", dtype, "--checkpoint", str(path)]
    command += ["--config", str(config), "--device", device]
    answer = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"HF_HUB_OFFLINE": "1"}
    )
    return Taken(**json.loads(answer.stdout.splitlines()[-1]))


def in_cache(path: Path, *, wanted: bool) -> None:
    """Have the file in the system's cache, or not."""
    with path.open("rb") as file:
        if wanted:
            while file.read(1 << 24):
                pass
        else:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def row(dtype: str, ours: list[Taken], theirs: list[Taken]) -> str:
    """The best seconds, the medians of the others, and each time ours as a share of theirs."""
    cells = [dtype]
    facts = [
        (".2f", 1.0, [min(each.seconds for each in side) for side in (ours, theirs)]),
        (".2f", 1.0, [statistics.median(each.busy for each in side) for side in (ours, theirs)]),
        (".0f", MEBIBYTE, [statistics.median(each.peak for each in side) for side in (ours, theirs)]),
    ]
    for form, unit, (own, other) in facts:
        cells += [f"{own / unit:{form}}", f"{other / unit:{form}}", f"{own / other:.2f}"]
    return f"| {' | '.join(cells)} |"


def table(path: Path, config: Path, dtypes: list[str], device: str, rounds: int, *, cold: bool) -> str:
    """A row for each number type."""
    lines = [
        "| loaded as | Easel, s | diffusers, s | ratio | Easel, processor s | diffusers, processor s | ratio "
        "| Easel, peak MiB | diffusers, peak MiB | ratio |",
        "| --- |" + " --- |" * 9,
    ]
    for dtype in dtypes:
        taken: dict[str, list[Taken]] = {side: [] for side in SIDES}
        for _ in range(rounds):
            for side in SIDES:
                in_cache(path, wanted=not cold)
                taken[side].append(measure(side, path, dtype, device, config))
                print(dtype, side, taken[side][-1], file=sys.stderr)
        lines.append(row(dtype, *taken.values()))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", action="store_true", help="read from the disk, not from the system's cache")
    parser.add_argument("--checkpoint", type=Path, help="a file to load in place of random weights")
    parser.add_argument("--dtype", choices=DTYPES, help="this number type alone")
    parser.add_argument("--device", choices=OF_DEVICE, default="cpu")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--one", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        taken = measure_here(args.one, args.checkpoint, DTYPES[args.dtype], args.device, args.config)
        print(json.dumps(asdict(taken)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = args.checkpoint or Path(folder) / "random-sd15.safetensors"
        if not args.checkpoint:
            write_random_sd15(path)
        write_configs(Path(folder) / "config")
        dtypes = [args.dtype] if args.dtype else list(OF_DEVICE[args.device])
        text = table(path, Path(folder) / "config", dtypes, args.device, args.rounds, cold=args.cold)
    print(text)
    if args.markdown:
        args.markdown.write_text(text)


if __name__ == "__main__":
    main()
