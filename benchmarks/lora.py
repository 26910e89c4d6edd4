"""A LoRA of rank 64 for every linear layer of a full-size Stable Diffusion 1.5: putting it on, taking it off.

    venv/bin/python benchmarks/lora.py [--rank 64] [--rounds 7] [--pause 0]

The weights are random, and each round has a LoRA of its own. "again" is the same LoRA at another strength,
"same" the same one once more, "off" the way back; a step is one evaluation of the UNet at 256x256, without
and with it. --pause: seconds before each "on". A virtual machine may by then have given memory that is free
back to its host, and has to ask for it anew, which can take as long as the work itself.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from safetensors.torch import save_file

from benchmarks.random_checkpoint import write_random_sd15
from modules.adapters import Wardrobe
from modules.flags import parse_flags
from modules.house import House, make_house
from modules.prompts import take_network_tags


def write_lora(path: Path, model: torch.nn.Module, text: torch.nn.Module, rank: int) -> int:
    """Write it in kohya's names, half precision; how many layers it has."""
    layers = [("unet.", model), ("text_encoder.text_model.", text)]
    tensors = {}
    for prefix, module in layers:
        for name, layer in module.named_modules():
            if isinstance(layer, torch.nn.Linear):
                key = f"{prefix}{name}"
                tensors[f"{key}.lora_A.weight"] = torch.randn(rank, layer.in_features).half() * 0.01
                tensors[f"{key}.lora_B.weight"] = torch.randn(layer.out_features, rank).half() * 0.01
    save_file(tensors, path)
    return len(tensors) // 2


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def seconds_of_a_step(house: House, times: int = 3) -> float:
    """Median seconds of one evaluation of the UNet."""
    model = house.engine.model
    assert model is not None
    policy = model.policy
    latent, context = (
        torch.randn(shape, device=policy.device, dtype=policy.dtype)
        for shape in ((1, 4, 32, 32), (1, 77, 768))
    )

    def step() -> None:
        model.unet(latent, 500, context)
        if policy.device.type == "cuda":
            torch.cuda.synchronize()

    with torch.inference_mode():
        step()
        return statistics.median(seconds(step) for _ in range(times))


def measure(house: House, loras: list[Path], pause: float) -> dict[str, list[float]]:
    """Seconds of each thing in each round."""
    model = house.engine.model
    assert model is not None
    wardrobe = Wardrobe(model, house.engine.adapters)
    rows: dict[str, list[float]] = {}

    def wear(row: str, prompt: str) -> None:
        def work() -> None:
            wardrobe.wear(take_network_tags(prompt)[1])
            if model.policy.device.type == "cuda":
                torch.cuda.synchronize()

        rows.setdefault(row, []).append(seconds(work))

    for lora in loras:
        rows.setdefault("a step without it", []).append(seconds_of_a_step(house))
        time.sleep(pause)
        wear("on, read from the file", f"<lora:{lora.stem}:0.8>")
        wear("same", f"<lora:{lora.stem}:0.8>")
        wear("again, at another strength", f"<lora:{lora.stem}:0.5>")
        rows.setdefault("a step with it", []).append(seconds_of_a_step(house))
        wear("off", "")
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rank", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pause", type=float, default=0, help="seconds")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        folder = Path(data) / "models" / "Stable-diffusion"
        folder.mkdir(parents=True)
        write_random_sd15(folder / "random-sd15.safetensors")
        house = make_house(parse_flags(["--data-dir", data], environment={}))
        house.engine.preload(house.store.options.overridden({"sd_model_checkpoint": "random-sd15"}))
        model = house.engine.model
        assert model is not None
        loras = [
            house.folders.loras[0] / f"random-lora-{number}.safetensors" for number in range(args.rounds)
        ]
        for lora in loras:
            layers = write_lora(lora, model.unet, model.towers[0].encoder, args.rank)
        os.sync()  # what was written goes to the disk now, not while the clock runs
        house.engine.adapters.refresh()
        rows = measure(house, loras, args.pause)
        print(f"| rank {args.rank}, {layers} layers | median, s | least | most |\n| --- | --- | --- | --- |")
        for name, each in rows.items():
            print(f"| {name} | {statistics.median(each):.3f} | {min(each):.3f} | {max(each):.3f} |")


if __name__ == "__main__":
    main()
