"""What the embedded model draws: is the picture of a concept nearest to a real drawing of that concept?

    venv/bin/python benchmarks/embedded_model.py [--concepts 100] [--sheet FILE] [--markdown FILE]

A hundred listed concepts are drawn with the seeds 1, 2, 3 and 4 each, through the program's own engine: the
prompt is the concept's name and nothing else; 128x128, 20 steps of DPM++ 2M with Karras' schedule, guidance
7. Every picture is counted. It is right (top-1) when the nearest of all real drawings, by the distance of
`likeness.py`, shows the concept asked for; top-5 when the concept is among the five nearest. Then every
concept is drawn once in each named style: how often is the drawing of that concept in that style nearer
than in the others?

The distance is itself put to the test: real drawings through the VAE and back, and pictures with wrong names.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
import torch
from PIL import Image

from benchmarks.likeness import Drawings
from modules.flags import parse_flags
from modules.generation import SilentWatcher, Txt2ImgRequest
from modules.house import House, make_house
from tools.embedded_model.concepts import BENCHMARK_CONCEPTS, CONCEPTS, STYLES

DRAWINGS_FILE = ROOT / "benchmarks" / "data" / "embedded_model_drawings.png"
TILE, COLUMNS = 64, 16
CHECKPOINT, SEEDS, SIDE, STEPS, GUIDANCE = "easel-emoji", 4, 128, 20, 7.0


@dataclass(frozen=True)
class Score:
    """How many of the pictures were right at once, and within five."""

    name: str
    ranks: tuple[int, ...]

    def share(self, places: int) -> float:
        """The share of pictures whose concept is among the `places` nearest."""
        return sum(rank < places for rank in self.ranks) / len(self.ranks)

    def row(self) -> str:
        """A row of the table."""
        return f"| {self.name} | {len(self.ranks)} | {self.share(1):.1%} | {self.share(5):.1%} |"


def real_drawings() -> list[list[Image.Image]]:
    """The drawings that the model learnt from, by concept and style, out of one sheet in the repository."""
    sheet = Image.open(DRAWINGS_FILE).convert("RGB")
    tiles = []
    for place in range(len(CONCEPTS) * len(STYLES)):
        left, top = place % COLUMNS * TILE, place // COLUMNS * TILE
        tiles.append(sheet.crop((left, top, left + TILE, top + TILE)))
    return [tiles[first : first + len(STYLES)] for first in range(0, len(tiles), len(STYLES))]


def draw(house: House, prompt: str, count: int) -> list[Image.Image]:
    """`count` pictures of `prompt`, with the seeds 1, 2, ..."""
    request = Txt2ImgRequest(
        prompt=prompt, seed=1, batch_size=count, steps=STEPS, cfg_scale=GUIDANCE, width=SIDE, height=SIDE,
        sampler_name="DPM++ 2M", scheduler="Karras", override_settings={"sd_model_checkpoint": CHECKPOINT},
    )  # fmt: skip
    options = house.store.options.overridden(request.override_settings)
    run = house.engine.plan(request, options, house.styles)
    result = house.engine.make(run, SilentWatcher())
    return [made.image for made in result.pictures if not made.is_grid]


@torch.no_grad()
def through_vae(house: House, drawing: Image.Image) -> Image.Image:
    """A real drawing as the loaded VAE gives it back: the best that the model could draw."""
    vae = house.engine.model.vae
    values = torch.from_numpy(np.asarray(drawing.resize((SIDE, SIDE), Image.Resampling.BICUBIC)).copy())
    picture = (values.permute(2, 0, 1)[None].float() / 127.5 - 1).to(vae.device, vae.dtype)
    decoded = vae.decode(vae.encode(picture).latent_dist.mean).sample[0].float().clamp(-1, 1)
    return Image.fromarray(((decoded + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy())


def style_shares(house: House, drawings: Drawings, concepts: int) -> list[str]:
    """Rows of a table: how many pictures with a named style are nearest to the drawing in that style."""
    rows = []
    for place, style in enumerate(STYLES):
        right = 0
        for number, concept in enumerate(BENCHMARK_CONCEPTS[:concepts]):
            [picture] = draw(house, f"{concept.words[0]}, {style.word} style", 1)
            right += int(drawings.distances(picture)[number].argmin() == place)
        rows.append(f"| {style.word} | {concepts} | {right / concepts:.1%} |")
    return rows


def seconds_a_picture(house: House, rounds: int = 5) -> float:
    """Median seconds for one picture, from the request to the picture, after a first one."""
    draw(house, CONCEPTS[0].words[0], 1)
    measured = []
    for _ in range(rounds):
        started = time.perf_counter()
        draw(house, CONCEPTS[0].words[0], 1)
        measured.append(time.perf_counter() - started)
    return float(np.median(measured))


def sheet_of(pictures: list[Image.Image], columns: int = 20) -> Image.Image:
    """The pictures side by side, in rows."""
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * TILE, rows * TILE), "white")
    for place, picture in enumerate(pictures):
        tile = picture.resize((TILE, TILE), Image.Resampling.BOX)
        sheet.paste(tile, (place % columns * TILE, place // columns * TILE))
    return sheet


def report(house: House, concepts: int, sheet: Path | None) -> str:
    """Draw everything, save the sheet (seed 1, then seed 2), and answer the tables."""
    real = real_drawings()
    drawings = Drawings.of(real)
    made = [draw(house, concept.words[0], SEEDS) for concept in BENCHMARK_CONCEPTS[:concepts]]
    ranks = [
        [drawings.rank(picture, number) for picture in of_concept] for number, of_concept in enumerate(made)
    ]
    wrong = [drawings.rank(of[0], (number + concepts // 2) % concepts) for number, of in enumerate(made)]
    back = [
        drawings.rank(through_vae(house, real[n][s]), n) for n in range(concepts) for s in range(len(STYLES))
    ]
    scores = [
        Score("pictures from the concept's name", tuple(rank for row in ranks for rank in row)),
        *(Score(f"of these, seed {seed + 1}", tuple(row[seed] for row in ranks)) for seed in range(SEEDS)),
        Score("check: real drawings through the VAE", tuple(back)),
        Score("check: pictures under wrong names", tuple(wrong)),
    ]
    if sheet:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        sheet_of([of[0] for of in made] + [of[1] for of in made]).save(sheet, optimize=True)
    missed = [BENCHMARK_CONCEPTS[n].words[0] for n, row in enumerate(ranks) if min(row) > 0]
    seconds = seconds_a_picture(house)
    lines = [
        "| what | pictures | top-1 | top-5 |",
        "| --- | --- | --- | --- |",
        *(score.row() for score in scores),
        "",
        "| named style | pictures | nearest in that style |",
        "| --- | --- | --- |",
        *style_shares(house, drawings, concepts),
        "",
        f"Never right at once, with any of the four seeds: {', '.join(missed) or 'none'}.",
        f"A picture takes {seconds:.2f} seconds (median of five, {STEPS} steps at {SIDE}x{SIDE}).",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--concepts", type=int, default=len(BENCHMARK_CONCEPTS))
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--markdown", type=Path)
    args = parser.parse_args()
    text = report(make_house(parse_flags([])), args.concepts, args.sheet)
    print(text)
    if args.markdown:
        args.markdown.write_text(text)


if __name__ == "__main__":
    main()
