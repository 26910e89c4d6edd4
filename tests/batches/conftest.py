"""A program over the small models with a data folder of its own, and folders of pictures."""

import io
import time
from pathlib import Path

import pytest
from PIL import Image

from modules.batches import BatchPlan
from modules.flags import parse_flags
from modules.house import make_house

REQUEST = {
    "prompt": "a cat",
    "steps": 1,
    "width": 64,
    "height": 64,
    "sampler_name": "Euler",
    "denoising_strength": 0.5,
}


def picture(shade: int = 90, size: tuple[int, int] = (64, 64), **arguments) -> bytes:
    """A file with a picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, (shade, 120, 30)).save(file, "PNG", **arguments)
    return file.getvalue()


@pytest.fixture
def open_house(tmp_path, all_parity_models):
    """A function that starts the program over the test's data folder; what is left open is closed."""
    opened = []

    def open_house(*flags: str):
        words = ["--data-dir", str(tmp_path / "data"), "--ckpt-dir", str(all_parity_models), *flags]
        house = make_house(parse_flags(words, environment={}))
        house.store.change({"sd_model_checkpoint": "tiny-sd1"})
        opened.append(house)
        return house

    yield open_house
    for house in opened:
        house.close()


@pytest.fixture
def own_house(open_house):
    """The program, its queue at a stand."""
    house = open_house()
    house.queue.pause()
    return house


@pytest.fixture
def folder(tmp_path):
    """A function that makes a folder of pictures in the data folder."""

    def folder(name: str, **files: bytes) -> Path:
        path = tmp_path / "data" / name
        path.mkdir(parents=True, exist_ok=True)
        for stem, data in files.items():
            (path / f"{stem}.png").write_bytes(data)
        return path

    return folder


@pytest.fixture
def plan():
    """A function from what differs to a plan of small pictures."""
    return lambda **values: BatchPlan(**{"request": REQUEST, **values})


@pytest.fixture
def until():
    """Wait for a condition; a test fails when it does not come about."""

    def until(condition, seconds=60.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.01)

    return until
