"""Peak memory of random requests, as forecast and as it was.

    venv/bin/python benchmarks/memory.py [--requests 50] [--seed 0] [--full] [--markdown FILE]

Each request (checkpoint, size, batch, hires pass or a picture to start from) is forecast, drawn, and its peak
is read from the system (VmHWM of Linux, set back before each). With --full a full-size SD 1.5 of random
weights is among the checkpoints.
"""

import argparse
import base64
import io
import json
import random
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from PIL import Image

from benchmarks.peak import peak, watch_peak
from benchmarks.txt2img import full_size_checkpoint
from modules.flags import parse_flags
from modules.generation import SilentWatcher, parse_img2img, parse_txt2img
from modules.generation.attention import attention_of
from modules.generation.canvas import given_pixels
from modules.generation.img2img_request import Img2ImgRequest
from modules.house import House, make_house

MEBIBYTE = 1 << 20
ATTENTIONS = ("Automatic", "Automatic", "sub-quadratic", "None")


@dataclass(frozen=True)
class Trial:
    """Bytes forecast and taken, and what for; `base`: those of the process at rest with the weights."""

    name: str
    forecast: int
    taken: int
    base: int

    @property
    def error(self) -> float:
        """The forecast's, as a share of what was taken."""
        return self.forecast / self.taken - 1

    @property
    def working_error(self) -> float:
        """The forecast's of what the work takes alone, as a share of that."""
        return (self.forecast - self.base) / max(self.taken - self.base, 1) - 1


def random_values(chance: random.Random, largest: int) -> dict[str, Any]:
    """A request: small steps, sides of up to `largest` pixels, one to four pictures at once."""
    values: dict[str, Any] = {
        "prompt": chance.choice(["a cat face", "a cat AND a dog", ""]), "steps": 1, "sampler_name": "Euler a",
        "seed": 1, "cfg_scale": chance.choice([7, 7, 1]), "batch_size": chance.choice([1, 1, 2, 4]),
        "width": 8 * chance.randint(8, largest // 8), "height": 8 * chance.randint(8, largest // 8),
    }  # fmt: skip
    kind = chance.choice(["plain", "plain", "hires", "redraw"])
    if kind == "hires":
        halved = {side: max(values[side] // 16 * 8, 64) for side in ("width", "height")}
        values |= {**halved, "enable_hr": True, "hr_scale": 2, "denoising_strength": 0.5}
        values["hr_upscaler"] = chance.choice(["Latent", "Lanczos"])
    if kind == "redraw":
        picture = Image.effect_noise((chance.randint(64, 4000), chance.randint(64, 3000)), 60).convert("RGB")
        file = io.BytesIO()
        picture.save(file, "JPEG")
        given = base64.b64encode(file.getvalue()).decode()
        values |= {"init_images": [given], "denoising_strength": 0.9}
        if chance.random() < 0.5:
            values |= {"mask": given, "inpaint_full_res": chance.random() < 0.5}
    return values


def trial(house: House, values: dict[str, Any], settings: dict[str, Any]) -> Trial:
    """One request, forecast and drawn."""
    redraws = "init_images" in values
    request = parse_img2img(values) if redraws else parse_txt2img(values)
    options = house.store.options.overridden({**settings, "memory_forecast": False})
    run = house.engine.plan(request, options, house.styles)
    given = given_pixels(request) if isinstance(request, Img2ImgRequest) else 0
    attention = attention_of(options, house.flags, house.engine.policy.device)
    expected = house.engine.guard.forecast(run, house.engine.checkpoint_of(options), attention, given)
    watch_peak()
    house.engine.make(run, SilentWatcher())
    size = f"{run.hires.size.width}x{run.hires.size.height}" if run.hires else ""
    words = [settings["sd_model_checkpoint"], f"{request.width}x{request.height}", size, attention.value]
    words += [f"batch {request.batch_size}", f"from {given / 1e6:.1f} MP" if redraws else ""]
    base = expected.resting + expected.weights
    return Trial(", ".join(filter(None, words)), expected.peak, peak(), base)


def table(trials: list[Trial]) -> str:
    """The trials, the worst forecasts first, and what they come to."""
    lines = [
        "| request | forecast, MiB | taken, MiB | error | of the work |",
        "| --- | --- | --- | --- | --- |",
    ]
    for each in sorted(trials, key=lambda each: -abs(each.error)):
        lines.append(
            f"| {each.name} | {each.forecast // MEBIBYTE} | {each.taken // MEBIBYTE} | {each.error:+.1%} "
            f"| {each.working_error:+.0%} of {(each.taken - each.base) // MEBIBYTE} MiB |"
        )
    errors = [abs(each.error) for each in trials]
    within = sum(error <= 0.15 for error in errors)
    lines += ["", f"Within 15 %: {within} of {len(trials)}; median error {statistics.median(errors):.1%}."]
    return "\n".join(lines) + "\n"


def measure(
    house: House, checkpoints: list[str], requests: int, seed: int = 0, largest: int = 768
) -> list[Trial]:
    """`requests` random requests with sides of up to `largest` pixels, one after the other, after one that
    loads the libraries.
    """
    chance = random.Random(seed)
    trial(house, {"steps": 1, "width": 64, "height": 64}, {"sd_model_checkpoint": checkpoints[0]})
    trials = []
    for number in range(requests):
        name = checkpoints[number * len(checkpoints) // requests]
        settings = {"sd_model_checkpoint": name, "cross_attention_optimization": chance.choice(ATTENTIONS)}
        trials.append(
            trial(
                house,
                random_values(chance, min(largest, 512) if name == "random-sd15" else largest),
                settings,
            )
        )
    return trials


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="of the requests' choice")
    parser.add_argument("--full", action="store_true", help="also a full-size SD 1.5 of random weights")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--json", type=Path, help="the trials, as a list of objects")
    parser.add_argument("--largest", type=int, default=768, help="sides of the pictures, in pixels")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        checkpoints = ["easel-emoji", "tiny-sd1"]
        flags = ["--data-dir", data, "--ckpt-dir", str(ROOT / "tests" / "parity" / "models")]
        if args.full:
            # The folder of the data is searched too.
            folder = Path(data) / "models" / "Stable-diffusion"
            folder.mkdir(parents=True)
            full_size_checkpoint(folder)
            checkpoints.append("random-sd15")
        house = make_house(parse_flags(flags))
        trials = measure(house, checkpoints, args.requests, args.seed, args.largest)
        house.close()
    text = table(trials)
    print(text)
    if args.json:
        args.json.write_text(json.dumps([asdict(each) for each in trials]))
    if args.markdown:
        args.markdown.write_text(text)


if __name__ == "__main__":
    main()
