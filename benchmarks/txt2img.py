"""Seconds a picture, and peak memory, against the plain diffusers pipeline on the same weights in the same
run.

    venv/bin/python benchmarks/txt2img.py [--rounds 5] [--full] [--flags=--opt-channelslast]

Two checkpoints: the embedded one at 128x128, and with --full a full-size SD 1.5 of random weights at 256x256
on a processor, at 512x512 on a card. Both sides make the same number of Euler steps with guidance from the
same loaded modules, in turn (A B A B ...), so that a machine whose speed drifts treats them alike; the ratio
is the median of the pairs' ratios.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from modules.flags import parse_flags
from modules.generation import SilentWatcher, Txt2ImgRequest
from modules.house import House, make_house

PROMPT = "a cat face"


@dataclass(frozen=True)
class Case:
    """What is drawn: a name for the table, the checkpoint, the side in pixels, the steps."""

    name: str
    checkpoint: str
    side: int
    steps: int


def easel_seconds(house: House, case: Case) -> float:
    """Seconds for one request through the whole program, saving aside."""
    request = Txt2ImgRequest(
        prompt=PROMPT, negative_prompt="blurry", seed=1, steps=case.steps, width=case.side, height=case.side,
        sampler_name="Euler", scheduler="Uniform", override_settings={"sd_model_checkpoint": case.checkpoint},
    )  # fmt: skip
    started = time.perf_counter()
    run = house.engine.plan(request, house.store.options.overridden(request.override_settings), house.styles)
    house.engine.make(run, SilentWatcher())
    return time.perf_counter() - started


def diffusers_pipeline(house: House):
    """The plain pipeline over the modules that Easel has loaded: the same weights, nothing loaded twice."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline

    model = house.engine.model
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        num_train_timesteps=1000,
        steps_offset=1,
    )
    tower = model.towers[0]
    tower.tokenizer.model_max_length = 77
    pipeline = StableDiffusionPipeline(
        vae=model.vae, text_encoder=tower.encoder, tokenizer=tower.tokenizer, unet=model.unet,
        scheduler=scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def diffusers_seconds(pipeline, case: Case) -> float:
    """Seconds for one call of the plain pipeline."""
    started = time.perf_counter()
    pipeline(
        PROMPT, negative_prompt="blurry", num_inference_steps=case.steps, width=case.side, height=case.side,
        guidance_scale=7.0, generator=torch.Generator().manual_seed(1),
    )  # fmt: skip
    return time.perf_counter() - started


def measure(house: House, case: Case, rounds: int) -> tuple[float, float, float]:
    """Median seconds of Easel and of diffusers, and the median ratio of the pairs."""
    easel_seconds(house, case)
    pipeline = diffusers_pipeline(house)
    diffusers_seconds(pipeline, case)
    pairs = [(easel_seconds(house, case), diffusers_seconds(pipeline, case)) for _ in range(rounds)]
    ours, theirs = zip(*pairs, strict=True)
    return statistics.median(ours), statistics.median(theirs), statistics.median(a / b for a, b in pairs)


def full_size_checkpoint(folder: Path) -> Path:
    """A checkpoint of SD 1.5's size with small random weights, written once into `folder`."""
    from benchmarks.random_checkpoint import write_random_sd15

    path = folder / "random-sd15.safetensors"
    if not path.exists():
        write_random_sd15(path)
    return path


def rounds_of(case: Case, rounds: int) -> int:
    """Large pictures take long on a processor."""
    return rounds if case.side < 256 or torch.cuda.is_available() else max(rounds // 2, 2)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--full", action="store_true", help="also the full-size SD 1.5 of random weights")
    parser.add_argument("--flags", default="", help="of Easel, with blanks between them")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        flags = ["--data-dir", data]
        cases = [Case("embedded model, 128x128, 20 steps", "easel-emoji", 128, 20)]
        if args.full:
            folder = Path(data) / "full"
            folder.mkdir()
            full_size_checkpoint(folder)
            flags += ["--ckpt-dir", str(folder)]
            on_card = torch.cuda.is_available()
            side, steps = (512, 20) if on_card else (256, 4)
            cases.append(Case(f"random SD 1.5, {side}x{side}, {steps} steps", "random-sd15", side, steps))
        house = make_house(parse_flags([*flags, *args.flags.split()]))
        print(house.engine.policy.device_name)
        print(
            "| case | Easel, s | diffusers, s | ratio | peak memory of the process, MiB |\n"
            "| --- | --- | --- | --- | --- |"
        )
        for case in cases:
            ours, theirs, ratio = measure(house, case, rounds_of(case, args.rounds))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(f"| {case.name} | {ours:.2f} | {theirs:.2f} | {ratio:.2f} | {peak} |")
        house.close()


if __name__ == "__main__":
    main()
