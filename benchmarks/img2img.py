"""Image to image at 50 % strength against the plain diffusers pipeline: seconds a picture, and peak memory.

    venv/bin/python benchmarks/img2img.py [--rounds 3] [--full]

Each side has processes of its own, in turn (A B A B ...), so that the system tells the peak memory of each.
Both load the same checkpoint by the same loader, make the same Euler steps with guidance from the same
picture, three times after a first; ratios are the medians of the pairs'. With --full also a full-size SD 1.5
of random weights.

The field's programs evaluate the UNet once more than the pipeline does at the same strength, which seeds in
the world depend on: of 20 steps 11 at strength 0.5, where the pipeline makes 10. So that both do the same
work, the pipeline is given one step more of strength.
"""

import argparse
import base64
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
import torch
from PIL import Image

from benchmarks.peak import peak

PROMPT, NEGATIVE, STRENGTH, REPEATS = "a cat face", "blurry", 0.5, 3
SIDES = ("easel", "diffusers")


@dataclass(frozen=True)
class Case:
    """What is redrawn: a name for the table, the checkpoint, the side in pixels, steps of the schedule."""

    name: str
    checkpoint: str
    side: int
    steps: int


@dataclass(frozen=True)
class Cost:
    """Seconds for one picture, and bytes of the process at most."""

    seconds: float
    peak: int


def start_picture(side: int) -> Image.Image:
    """Smooth colours."""
    values = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(values).resize((side, side), Image.Resampling.BICUBIC)


def easel(flags: list[str], case: Case) -> Callable[[], object]:
    """One request through the whole program, saving aside."""
    from modules.flags import parse_flags
    from modules.generation import SilentWatcher, parse_img2img
    from modules.house import make_house

    house = make_house(parse_flags(flags))
    settings = {"sd_model_checkpoint": case.checkpoint}
    options = house.store.options.overridden(settings)
    file = io.BytesIO()
    start_picture(case.side).save(file, "PNG")
    values = {
        "init_images": [base64.b64encode(file.getvalue()).decode()], "prompt": PROMPT, "seed": 1,
        "negative_prompt": NEGATIVE, "denoising_strength": STRENGTH, "steps": case.steps,
        "width": case.side, "height": case.side, "sampler_name": "Euler", "scheduler": "Uniform",
    }  # fmt: skip

    def draw() -> object:
        run = house.engine.plan(parse_img2img(values), options, house.styles)
        return house.engine.make(run, SilentWatcher())

    return draw


def plainly(part: torch.nn.Module) -> None:
    """Let a part of the model compute as diffusers makes it; `modules/checkpoints/frugal.py` and `narrow.py`
    have the loader's way.
    """
    from diffusers.models.resnet import ResnetBlock2D

    for module in part.modules():
        if isinstance(module, torch.nn.SiLU):
            module.inplace = False
        elif isinstance(module, ResnetBlock2D):
            module.__class__ = ResnetBlock2D
        elif isinstance(module, torch.nn.Conv2d):
            module.__class__ = torch.nn.Conv2d


def diffusers(flags: list[str], case: Case) -> Callable[[], object]:
    """One call of the plain pipeline over a model that Easel's loader has read."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionImg2ImgPipeline

    from modules.checkpoints import CheckpointShelf, HashCache, load_model
    from modules.flags import parse_flags
    from modules.folders import Folders
    from modules.memory import choose_policy, set_threads

    parsed = parse_flags(flags)
    folders = Folders.from_flags(parsed)
    set_threads()
    shelf = CheckpointShelf(folders, HashCache(folders.cache / "hashes.json"))
    # diffusers has all weights in the type that they compute in, and whole layers.
    policy = replace(choose_policy(parsed), keeps_file_types=False)
    model = load_model(shelf.find(case.checkpoint), policy, folders.configs)
    plainly(model.vae)
    plainly(model.unet)
    tower = model.towers[0]
    tower.tokenizer.model_max_length = 77
    # The pipeline compares it with a number.
    model.unet.register_to_config(sample_size=64)
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        num_train_timesteps=1000, steps_offset=1,
    )  # fmt: skip
    pipeline = StableDiffusionImg2ImgPipeline(
        vae=model.vae, text_encoder=tower.encoder, tokenizer=tower.tokenizer, unet=model.unet,
        scheduler=scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    picture = start_picture(case.side)

    def draw() -> object:
        return pipeline(
            PROMPT, image=picture, strength=STRENGTH + 1 / case.steps, num_inference_steps=case.steps,
            guidance_scale=7.0, negative_prompt=NEGATIVE, generator=torch.Generator().manual_seed(1),
        )  # fmt: skip

    return draw


def cost_here(side: str, flags: list[str], case: Case) -> Cost:
    """Draw in this process."""
    draw = {"easel": easel, "diffusers": diffusers}[side](flags, case)
    draw()
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        draw()
        seconds.append(time.perf_counter() - started)
    return Cost(min(seconds), peak())


def cost_of(side: str, flags: list[str], case: Case) -> Cost:
    """Draw in a process of its own."""
    told = json.dumps({"flags": flags, "case": asdict(case)})
    answer = subprocess.run(
        [sys.executable, __file__, "--side", side, "--told", told],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Cost(**json.loads(answer.stdout.splitlines()[-1]))


def row(case: Case, flags: list[str], rounds: int) -> str:
    """A row of the table."""
    pairs = [tuple(cost_of(side, flags, case) for side in SIDES) for _ in range(rounds)]
    seconds = [statistics.median(pair[k].seconds for pair in pairs) for k in (0, 1)]
    peaks = [statistics.median(pair[k].peak for pair in pairs) / 2**20 for k in (0, 1)]
    slower = statistics.median(ours.seconds / theirs.seconds for ours, theirs in pairs)
    larger = statistics.median(ours.peak / theirs.peak for ours, theirs in pairs)
    return (
        f"| {case.name} | {seconds[0]:.2f} | {seconds[1]:.2f} | {slower:.2f} "
        f"| {peaks[0]:.0f} | {peaks[1]:.0f} | {larger:.2f} |"
    )


def main() -> None:
    """Print the table; or, as one of its processes, what one side took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--full", action="store_true", help="also the full-size SD 1.5 of random weights")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--told", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        told = json.loads(args.told)
        print(json.dumps(asdict(cost_here(args.side, told["flags"], Case(**told["case"])))))
        return
    with tempfile.TemporaryDirectory() as data:
        flags = ["--data-dir", data]
        cases = [
            Case("embedded model, 128x128, 20 steps", "easel-emoji", 128, 20),
            Case("embedded model, 512x512, 8 steps", "easel-emoji", 512, 8),
        ]
        if args.full:
            from benchmarks.txt2img import full_size_checkpoint

            folder = Path(data) / "full"
            folder.mkdir()
            full_size_checkpoint(folder)
            flags += ["--ckpt-dir", str(folder)]
            cases.append(Case("random SD 1.5, 256x256, 4 steps", "random-sd15", 256, 4))
        print("| case | Easel, s | diffusers, s | ratio | Easel, MiB | diffusers, MiB | ratio |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for case in cases:
            print(row(case, flags, args.rounds), flush=True)


if __name__ == "__main__":
    main()
