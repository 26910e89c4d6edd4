"""Folders of pictures are redrawn: what is broken is named, what was stopped goes on where it stopped."""

from pathlib import Path

import pytest
from PIL import Image

from modules.batches import BatchState
from modules.errors import InvalidRequest
from modules.jobs import JobState

from .conftest import REQUEST, picture

CLIENT = "page img2img"


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


def test_every_picture_is_redrawn_under_its_name_and_a_broken_one_is_reported(own_house, folder, plan, until):
    given = folder("in", a=picture(10), b10=b"no picture", b9=picture(20), **{"c [seed]": picture(30)})
    batch = own_house.batches.start(plan(input_folder=str(given), output_folder="out"), CLIENT)
    own_house.queue.resume()
    until(lambda: batch.state is BatchState.DONE)
    out = own_house.folders.data / "out"
    assert names(out) == ["a.png", "b9.png", "c [seed].png"]
    assert batch.names == ("a.png", "b9.png", "b10.png", "c [seed].png")
    assert batch.summary == "4 of 4, 1 failed: b10.png"
    seeds = {
        Image.open(out / name).text["parameters"].split("Seed: ")[1].split(",")[0] for name in names(out)
    }
    assert len(seeds) == 1, "the seed is drawn once for all"
