"""Pictures to verify: drawn by an engine over the small models, saved as files."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.flags import parse_flags
from modules.folders import Folders
from modules.generation import Engine, SilentWatcher, parse_txt2img
from modules.imaging import read_texts
from modules.prompts import StyleBook
from modules.settings import Options

TINY = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 7, "sampler_name": "Euler"}


def make_engine(data: Path, models: Path, *flags: str) -> Engine:
    """An engine with a data folder of its own."""
    words = ["--data-dir", str(data), "--ckpt-dir", str(models), "--vae-dir", str(models), *flags]
    found = parse_flags(words, environment={})
    return Engine(Folders.from_flags(found), found)


def record_in(path: Path) -> dict[str, Any]:
    """The record of a picture file, as plain data."""
    with Image.open(path) as image:
        return json.loads(read_texts(image).record)


def with_record(path: Path, record: dict[str, Any] | str | None, image: Image.Image | None = None) -> Path:
    """A PNG beside `path` with its text, another record, and by choice other pixels."""
    with Image.open(path) as opened:
        texts, pixels = read_texts(opened), image or opened.copy()
    chunks = PngInfo()
    chunks.add_text("parameters", texts.infotext)
    if record is not None:
        chunks.add_itxt("easel", record if isinstance(record, str) else json.dumps(record), zip=True)
    target = path.with_name(f"{path.stem}-other.png")
    pixels.save(target, pnginfo=chunks)
    return target


@pytest.fixture(scope="session")
def studio(tmp_path_factory, all_parity_models) -> SimpleNamespace:
    """An engine and a book with two styles."""
    data = tmp_path_factory.mktemp("secret-place")
    styles = StyleBook([data / "styles.csv"])
    styles.save("red", "red {prompt}, bright", "blue")
    styles.save("plain", "", "a dog")
    return SimpleNamespace(engine=make_engine(data, all_parity_models), styles=styles, data=data)


@pytest.fixture
def make(studio, tmp_path) -> Callable[..., list[Path]]:
    """A function from request values and settings to the files of their pictures, grids at the end."""

    def make(values: dict[str, Any] | None = None, **settings: Any) -> list[Path]:
        places = {"outdir_samples": str(tmp_path / "samples"), "outdir_grids": str(tmp_path / "zgrids")}
        options = Options().overridden(
            {"sd_model_checkpoint": "tiny-sd1.safetensors", "save_to_dirs": False, **places, **settings}
        )
        run = studio.engine.plan(parse_txt2img({**TINY, **(values or {})}), options, studio.styles, save=True)
        studio.engine.make(run, SilentWatcher())
        return sorted(path for path in tmp_path.rglob("*.*") if path.is_file() and "-other" not in path.name)

    return make
