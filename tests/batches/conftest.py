"""Batches over a data folder of their own: with a worker that waits at a gate, or with a whole program."""

import io
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from modules.batches import Batches, BatchPlan
from modules.flags import parse_flags
from modules.folders import Folders
from modules.generation import Order
from modules.house import make_house
from modules.jobs import JobQueue
from modules.settings import Options
from tests.jobs.gate import GateWorker

REQUEST = {
    "prompt": "a cat", "steps": 1, "width": 64, "height": 64, "sampler_name": "Euler", "denoising_strength": 0.5,
}  # fmt: skip
CLIENT = "page img2img"


def picture(shade: int = 90, size: tuple[int, int] = (64, 64), **arguments) -> bytes:
    """A file with a picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, (shade, 120, 30)).save(file, "PNG", **arguments)
    return file.getvalue()


def names(path: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(each.name for each in path.iterdir())


def order_of(request) -> Order:
    """An order as the program makes it, without a look at the picture."""
    settings = Options().overridden({"sd_model_checkpoint": "tiny-sd1"}).model_dump(mode="json")
    drawn = {"seed": 7 if request.seed == -1 else request.seed, "subseed": 1}
    return Order(request=request.model_copy(update=drawn), settings=settings, save=True)


@dataclass
class Works:
    """A queue with its worker, and the batches over it."""

    folders: Folders
    gate: GateWorker
    queue: JobQueue
    batches: Batches

    def close(self) -> None:
        """End as the program does."""
        self.batches.close()
        self.queue.close()


def make_works(data: Path, *flags: str) -> Works:
    """Open all over the data folder `data`."""
    found = parse_flags(["--data-dir", str(data), *flags], environment={})
    folders, gate = Folders.from_flags(found), GateWorker()
    folders.ensure()
    queue = JobQueue(folders, lambda: [gate])
    return Works(folders, gate, queue, Batches(folders, found, queue, order_of))


@pytest.fixture
def open_works(tmp_path):
    """A function that opens queue and batches over the test's data folder; what is left open is closed."""
    opened = []

    def open_works(*flags: str) -> Works:
        opened.append(make_works(tmp_path / "data", *flags))
        return opened[-1]

    yield open_works
    for works in opened:
        works.gate.open.set()
        works.close()


@pytest.fixture
def works(open_works):
    """Queue and batches, nothing begun."""
    return open_works()


@pytest.fixture
def own_house(tmp_path, all_parity_models):
    """A whole program over the small models."""
    words = ["--data-dir", str(tmp_path / "data"), "--ckpt-dir", str(all_parity_models)]
    house = make_house(parse_flags(words, environment={}))
    house.store.change({"sd_model_checkpoint": "tiny-sd1"})
    yield house
    house.close()


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
def four(folder):
    """A folder of four pictures."""
    return folder("in", **{name: picture(number) for number, name in enumerate("abcd")})


@pytest.fixture
def plan():
    """A function from what differs to a plan of small pictures."""
    return lambda **values: BatchPlan(**{"request": REQUEST, "output_folder": "out", **values})


@pytest.fixture
def until():
    """Wait for a condition; a test fails when it does not come about."""

    def until(condition, seconds=60.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.005)

    return until
