"""The picture of docs/img2img.md: a grey drawing, and what the embedded model makes of it, luma and chroma
held apart.

    venv/bin/python -m tools.luma_chroma_picture
"""

import base64
import io
import tempfile
from pathlib import Path

from PIL import Image

from modules.flags import parse_flags
from modules.generation import SilentWatcher, parse_img2img
from modules.house import House, make_house

ROOT = Path(__file__).resolve().parents[1]
DRAWINGS = ROOT / "benchmarks" / "data" / "embedded_model_drawings.png"
TARGET = ROOT / "docs" / "images" / "luma-chroma.png"
TILE, SIDE = 64, 128
STRENGTHS = ((None, None), (0.0, 1.0), (1.0, 0.0), (0.3, 0.9))
"""(luma, chroma); first the picture of the same seed without them."""


def drawing() -> Image.Image:
    """The first of the drawings that the model learnt from, a cat's face."""
    tile = Image.open(DRAWINGS).convert("RGB").crop((0, 0, TILE, TILE))
    return tile.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def redrawn(house: House, start: Image.Image, luma: float | None, chroma: float | None) -> Image.Image:
    """`start` drawn anew as a cat's face."""
    file = io.BytesIO()
    start.save(file, "PNG")
    request = parse_img2img(
        {
            "init_images": [base64.b64encode(file.getvalue()).decode()], "prompt": "a cat face", "seed": 1,
            "steps": 20, "sampler_name": "DPM++ 2M", "scheduler": "Karras", "width": SIDE, "height": SIDE,
            "denoising_strength": 1.0, "luma_strength": luma, "chroma_strength": chroma,
        }
    )  # fmt: skip
    options = house.store.options.overridden({"sd_model_checkpoint": "easel-emoji"})
    result = house.engine.make(house.engine.plan(request, options, house.styles), SilentWatcher())
    picture: Image.Image = result.pictures[0].pixels()
    return picture


def main() -> None:
    """Draw the row and save it."""
    start = drawing().convert("L").convert("RGB")
    with tempfile.TemporaryDirectory() as data:
        house = make_house(parse_flags(["--data-dir", data]))
        row = [start, *(redrawn(house, start, *pair) for pair in STRENGTHS)]
        house.close()
    sheet = Image.new("RGB", (SIDE * len(row), SIDE))
    for place, picture in enumerate(row):
        sheet.paste(picture, (SIDE * place, 0))
    sheet.save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
