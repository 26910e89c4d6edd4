"""Make models/Interrogators/easel-emoji.safetensors, the small tagger for what the embedded checkpoint draws.

    OMP_WAIT_POLICY=passive venv/bin/python -m tools.train_tagger [--steps 3000]

It learns from the drawings that the checkpoint learnt from, from pictures that the checkpoint draws of them,
and from drawings of other things, which have no tag. It is tried on pictures with seeds, and on things, that
it never saw. Needs the drawings that `tools/train_embedded_model.py` keeps in its work folder.
"""

import argparse
import json
import logging
import math
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from modules.interrogation.small_tagger import load_small_tagger, scores
from tools.embedded_model.concepts import STYLES
from tools.tagger.examples import SIDE, TAGS, THINGS, Examples, read_examples
from tools.tagger.network import Trainee
from tools.tagger.variations import varied
from tools.train_embedded_model import drawings

ROOT = Path(__file__).resolve().parents[1]
log = logging.getLogger("train_tagger")

SHARES = {"drawings": 20, "drawn": 20, "others": 24}
"""Pictures of each kind in a batch."""
PEAK_RATE, WARM_UP, REPORT_EVERY, SURE = 3e-3, 100, 100, 0.5
SHEET_COLUMNS = 13
NOISES = 4
"""Pictures of a batch that show nothing: smooth noise."""


def _noises(count: int, generator: torch.Generator) -> Tensor:
    """(count, 3, SIDE, SIDE): soft patches of colour, coarse or fine."""
    cells = 2 ** int(torch.randint(1, 6, (1,), generator=generator))
    coarse = torch.rand(count, 3, cells, cells, generator=generator)
    return torch.nn.functional.interpolate(coarse, size=SIDE, mode="bicubic").clamp(0, 1)


def _batch(examples: dict[str, Examples], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    parts = [examples[name].batch(count, generator) for name, count in SHARES.items()]
    pictures = varied(torch.cat([layers for layers, _ in parts]), generator)
    nothing = torch.zeros(NOISES, len(TAGS))
    return torch.cat([pictures, _noises(NOISES, generator)]), torch.cat(
        [*(tags for _, tags in parts), nothing]
    )


def train(examples: dict[str, Examples], steps: int) -> dict[str, Tensor]:
    """The finished file's tensors after `steps`."""
    torch.manual_seed(0)
    trainee = Trainee(len(TAGS))
    optimizer = torch.optim.AdamW(trainee.parameters(), lr=PEAK_RATE, weight_decay=0.02)
    generator = torch.Generator().manual_seed(1)
    for step in range(steps):
        pictures, tags = _batch(examples, generator)
        loss = binary_cross_entropy_with_logits(trainee(pictures), tags, reduction="sum") / len(tags)
        cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * min(1, (step + 1) / WARM_UP) * (0.01 + 0.99 * cosine)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainee.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % REPORT_EVERY == 0:
            log.info("step %d of %d: loss %.4f", step + 1, steps, loss.item())
    return trainee.folded()


@torch.inference_mode()
def report(tensors: dict[str, Tensor], examples: dict[str, Examples]) -> str:
    """The table of docs/embedded-model.md: a picture is right whose tags are those expected and no others."""
    rows = [
        "| pictures | number | thing right | style right | all tags right |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, some in examples.items():
        given = scores(some.pictures(), tensors, len(THINGS)) >= SURE
        expected = some.tags.bool()
        expected[:, len(THINGS) :] &= expected[:, : len(THINGS)].any(1, keepdim=True)
        same = given == expected
        things, styles = same[:, : len(THINGS)].all(1), same[:, len(THINGS) :].all(1)
        shares = (things, styles, things & styles)
        rows.append(
            f"| {name} | {len(given)} | " + " | ".join(f"{x.float().mean():.1%}" for x in shares) + " |"
        )
    return "\n".join(rows)


def export(tensors: dict[str, Tensor], path: Path) -> None:
    """Write the file, with what its outputs mean."""
    metadata = {
        "format": "pt",
        "modelspec.title": "Easel emoji tagger",
        "easel.things": json.dumps(THINGS),
        "easel.styles": json.dumps(TAGS[len(THINGS) :]),
        "easel.side": str(SIDE),
        "modelspec.license": "; ".join(f"{style.attribution} ({style.licence})" for style in STYLES),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    save_file(tensors, unfinished, metadata)
    unfinished.replace(path)
    path.chmod(0o644)  # the writer of the format makes it private


def sheet(examples: Examples) -> Image.Image:
    """A picture of each thing, SIDE pixels each, in rows of SHEET_COLUMNS; the styles take turns."""
    each = len(examples.tags) // len(THINGS)
    chosen = [each * number + (number % len(STYLES)) * each // len(STYLES) for number in range(len(THINGS))]
    whole = Image.new("RGB", (SHEET_COLUMNS * SIDE, -(-len(chosen) // SHEET_COLUMNS) * SIDE), "white")
    for place, picture in enumerate(examples.layers[chosen, ..., :3]):
        whole.paste(Image.fromarray(picture), (place % SHEET_COLUMNS * SIDE, place // SHEET_COLUMNS * SIDE))
    return whole


def main() -> None:
    """Read the command line, train, measure, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=ROOT / ".cache" / "tagger")
    parser.add_argument("--drawings", type=Path, default=ROOT / ".cache" / "embedded-model")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "models" / "Interrogators" / "easel-emoji.safetensors"
    )
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--measure", action="store_true", help="only measure the file that is there")
    parser.add_argument("--sheet", type=Path, help="also write pictures it never saw there, for the tests")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    args.drawings.mkdir(parents=True, exist_ok=True)
    drawings(args.drawings)
    examples = read_examples(args.work, args.drawings)
    if not args.measure:
        export(train(examples, args.steps), args.out)
    if args.sheet:
        sheet(examples["drawn, held out"]).save(args.sheet, quality=90)
    print(report(load_small_tagger(args.out).tensors, examples))
    print(f"{args.out.name}: {args.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
