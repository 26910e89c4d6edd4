"""The tagger that comes with the program: what it says about pictures of the embedded checkpoint that it never saw."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from modules.errors import InvalidRequest
from modules.folders import PROGRAM
from modules.interrogation.small_tagger import load_small_tagger
from modules.settings import Options

SHIPPED = PROGRAM / "models" / "Interrogators" / "easel-emoji.safetensors"
SHEET, COLUMNS, TILE = Path(__file__).with_name("held_out.jpg"), 13, 64
"""A picture of each thing, drawn with seeds that were not learnt from; the styles take turns."""


@pytest.fixture(scope="module")
def tagger():
    return load_small_tagger(SHIPPED)


@pytest.fixture(scope="module")
def held_out():
    sheet = Image.open(SHEET)

    def picture(number):
        left, top = number % COLUMNS * TILE, number // COLUMNS * TILE
        return sheet.crop((left, top, left + TILE, top + TILE))

    return picture


def test_it_is_small():
    assert SHIPPED.stat().st_size < 1_000_000


def test_it_names_thing_and_style_of_pictures_that_it_never_saw(tagger, held_out):
    right_things = right_styles = 0
    for number, thing in enumerate(tagger.things):
        found = tagger.tags(held_out(number))
        right_things += max(tagger.things, key=found.__getitem__) == thing
        right_styles += max(tagger.styles, key=found.__getitem__) == tagger.styles[number % 2]
    assert len(tagger.things) == 104
    assert right_things >= 0.95 * 104
    assert right_styles >= 0.95 * 104


def test_a_caption_is_a_prompt_of_the_embedded_checkpoint(interrogation, tagger, held_out):
    penguin = held_out(tagger.things.index("penguin"))
    assert interrogation.describe(penguin, "clip", Options()).text == "a picture of a penguin, twemoji style"
    assert interrogation.describe(penguin, "deepdanbooru", Options()).text == "penguin, twemoji style"


def test_a_picture_of_something_else_is_not_named(interrogation):
    for image in (Image.new("RGB", (90, 60), "teal"), Image.effect_noise((128, 128), 80)):
        said = interrogation.describe(image, "clip", Options())
        assert said.text == ""
        assert "put a captioning model" in said.note


def test_a_file_of_something_else_is_refused_in_a_sentence(interrogation, folders):
    home = folders.models / "Interrogators"
    home.mkdir(parents=True)
    save_file({"a": torch.zeros(2)}, home / "other.safetensors", {"easel.things": "[]"})
    with pytest.raises(InvalidRequest, match="is not a tagger of this program"):
        interrogation.describe(Image.new("RGB", (8, 8)), "other", Options())


def test_a_tagger_whose_parts_do_not_fit_is_refused_in_a_sentence(interrogation, folders):
    home = folders.models / "Interrogators"
    home.mkdir(parents=True)
    metadata = {"easel.things": '["a"]', "easel.styles": '["b"]', "easel.side": "8"}
    tensors = {"conv.0.weight": torch.zeros(4, 5, 3, 3), "conv.0.bias": torch.zeros(4)}
    tensors |= {"head.weight": torch.zeros(2, 4), "head.bias": torch.zeros(2)}
    save_file(tensors, home / "odd.safetensors", metadata)
    with pytest.raises(InvalidRequest, match=r"odd\.safetensors failed on this picture"):
        interrogation.describe(Image.new("RGB", (8, 8)), "odd", Options())
