"""Seconds a picture and memory of the card in the three memory modes, beside plain diffusers' ways to save.

    venv/bin/python benchmarks/memory_modes.py [--side 512] [--steps 20] [--rounds 2] [--only TEXT]
    venv/bin/python benchmarks/memory_modes.py --tiny      # on a processor, to see that it runs

A full-size SD 1.5 of random weights in float16, Euler with guidance. Each row draws once to warm up, then
`--rounds` times; seconds are the fastest, memory is what tensors took at most. Both sides encode their
prompts each time, and compute from equal weights.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline
from diffusers.hooks import apply_group_offloading

from benchmarks.txt2img import full_size_checkpoint
from modules.checkpoints import Model, plan_model
from modules.flags import parse_flags
from modules.generation import SilentWatcher, Txt2ImgRequest
from modules.house import House, make_house
from modules.memory import MemoryMode, Placement

PROMPT = "a cat face"
MEBIBYTE = 1 << 20
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Case:
    """What is drawn: checkpoint, side in pixels, steps; and how often."""

    checkpoint: str
    side: int
    steps: int
    rounds: int


@dataclass(frozen=True)
class Row:
    """One way to draw: seconds a picture, bytes of the card at most, and between jobs."""

    name: str
    seconds: float
    peak: int
    between: int


def on_card() -> bool:
    """Whether memory of a card is measured."""
    return torch.cuda.is_available()


def measure(name: str, draw: Callable[[], object], rounds: int) -> Row:
    """`draw` once to warm up, then measured."""
    gc.collect()
    draw()
    if on_card():
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        draw()
        if on_card():
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    taken = (torch.cuda.max_memory_allocated(), torch.cuda.memory_allocated()) if on_card() else (0, 0)
    return Row(name, min(seconds), *taken)


def easel_draws(house: House, case: Case, mode: MemoryMode) -> None:
    """One request through the engine."""
    request = Txt2ImgRequest(
        prompt=PROMPT, negative_prompt="blurry", seed=1, steps=case.steps, width=case.side, height=case.side,
        sampler_name="Euler", scheduler="Uniform", override_settings={"sd_model_checkpoint": case.checkpoint},
    )  # fmt: skip
    options = house.store.options.overridden({**request.override_settings, "persistent_cond_cache": False})
    run = house.engine.plan(request, options, house.styles, save=False)
    house.engine.make(run, SilentWatcher(), mode=mode)


def easel_rows(house: House, case: Case) -> Iterator[tuple[str, Callable[[], Row]]]:
    """The three modes, each from a fresh start."""
    for mode in MemoryMode:

        def row(mode: MemoryMode = mode) -> Row:
            made = measure(f"Easel, {mode}", partial(easel_draws, house, case, mode), case.rounds)
            house.engine.unload()
            return made

        yield f"Easel, {mode}", row


def pipeline_of(model: Model) -> StableDiffusionPipeline:
    """The plain pipeline over the modules of `model`."""
    tower = model.towers[0]
    tower.tokenizer.model_max_length = 77
    pipeline = StableDiffusionPipeline(
        vae=model.vae, text_encoder=tower.encoder, tokenizer=tower.tokenizer, unet=model.unet,
        scheduler=EulerDiscreteScheduler(**BETAS, num_train_timesteps=1000, steps_offset=1),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def in_groups(pipeline: StableDiffusionPipeline, device: torch.device) -> None:
    """Group offloading as diffusers' guide has it: the UNet by blocks with streams, the rest by leaves."""
    streams = device.type == "cuda"
    apply_group_offloading(
        pipeline.unet, onload_device=device, offload_device=CPU, offload_type="block_level",
        num_blocks_per_group=1, use_stream=streams,
    )  # fmt: skip
    for part in (pipeline.text_encoder, pipeline.vae):
        apply_group_offloading(
            part, onload_device=device, offload_device=CPU, offload_type="leaf_level", use_stream=streams
        )


def diffusers_rows(house: House, case: Case) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Plain diffusers: all on the card, and its three ways to save. Each has modules of its own, for the ways
    leave hooks in them.
    """
    device = house.engine.policy.device
    ways: dict[str, Callable[[StableDiffusionPipeline], object]] = {
        "diffusers, all on the card": lambda pipeline: pipeline.to(device),
        "diffusers, enable_model_cpu_offload": lambda pipeline: pipeline.enable_model_cpu_offload(
            device=device
        ),
        "diffusers, group offloading": lambda pipeline: in_groups(pipeline, device),
        "diffusers, enable_sequential_cpu_offload": lambda pipeline: pipeline.enable_sequential_cpu_offload(
            device=device
        ),
    }
    for name, prepare in ways.items():
        if not on_card() and "cpu_offload" in name:
            continue

        def row(name: str = name, prepare: Callable[[StableDiffusionPipeline], object] = prepare) -> Row:
            pipeline = pipeline_of(model_in_ram(house, case))
            prepare(pipeline)
            draw = partial(
                pipeline, PROMPT, negative_prompt="blurry", num_inference_steps=case.steps, width=case.side,
                height=case.side, guidance_scale=7.0,
            )  # fmt: skip
            return measure(name, draw, case.rounds)

        yield name, row


def model_in_ram(house: House, case: Case) -> Model:
    """The checkpoint of `case` in the machine's own memory, in the card's number types."""
    placement = Placement(house.engine.policy.device)
    file = house.engine.shelf.find(case.checkpoint)
    with placement.drawing(MemoryMode.MEDVRAM), plan_model(file, house.folders.configs) as plan:
        return plan.load(house.engine.policy, placement=placement)


def table(rows: list[Row]) -> str:
    """As markdown."""
    lines = [
        "| | s a picture | card's memory at most, MiB | between jobs, MiB |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row.name} | {row.seconds:.2f} | {row.peak // MEBIBYTE} | {row.between // MEBIBYTE} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the table; a row at a time, so that what was measured is not lost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", default="", help="rows whose name has this text")
    parser.add_argument("--tiny", action="store_true", help="a tiny model, small and short")
    parser.add_argument("--folder", type=Path, help="where the full-size checkpoint is kept for another run")
    args = parser.parse_args()
    if not args.tiny and not on_card():
        parser.error("there is no CUDA device; --tiny runs on a processor")
    with tempfile.TemporaryDirectory() as data:
        folder = args.folder or Path(data) / "full"
        folder.mkdir(parents=True, exist_ok=True)
        if args.tiny:
            case, folder = Case("tiny-sd1", 64, 2, 1), ROOT / "tests" / "parity" / "models"
        else:
            full_size_checkpoint(folder)
            case = Case("random-sd15", args.side, args.steps, args.rounds)
        house = make_house(parse_flags(["--data-dir", data, "--ckpt-dir", str(folder), "--no-hashing"]))
        rows = []
        for name, measured in (*easel_rows(house, case), *diffusers_rows(house, case)):
            if args.only in name:
                try:
                    rows.append(measured())
                except (RuntimeError, ValueError) as error:
                    print(f"{name}: {error}", flush=True)
                    continue
                print(rows[-1], file=sys.stderr, flush=True)
        size = f"{case.side}x{case.side}, {case.steps} steps"
        print(f"{house.engine.policy.device_name}, torch {torch.__version__}, {size}\n")
        print(table(rows))
        house.close()


if __name__ == "__main__":
    main()
