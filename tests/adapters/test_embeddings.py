"""Textual inversions in every form of the field, and which of them a model can read."""

import base64
import json
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin
from safetensors.torch import save_file

from modules.adapters import EmbeddingTable, read_embedding
from modules.adapters.embeddings.names import NameFinder
from modules.conditioning import ConditioningOptions, PromptCounter
from modules.errors import EaselError
from modules.prompts import Emphasis, literal_words

WIDTH = 64
VECTORS = torch.arange(2 * WIDTH).reshape(2, WIDTH) / 100


def as_json():
    tensor = {"TORCHTENSOR": VECTORS.tolist()}
    return json.dumps(
        {"string_to_token": {"*": 265}, "string_to_param": {"*": tensor}, "name": "x", "step": 7}
    )


def save_png_text(path):
    info = PngImagePlugin.PngInfo()
    info.add_text("sd-ti-embedding", base64.b64encode(as_json().encode()).decode())
    Image.new("RGB", (8, 8), "red").save(path, pnginfo=info)


def bar(halves, height):
    """Four-bit numbers as columns of pixels, mixed as the field's writers do."""
    count = height * 3
    halves = np.pad(halves, (0, -len(halves) % count))
    number, mixed = 0, []
    for half in halves:
        number = (1664525 * number + 1013904223) % 2**32
        mixed.append(int(half) ^ (number % 255 & 15))
    # The high halves of the pixels are free; the field paints them.
    return (np.array(mixed, np.uint8) | 0x50).reshape(height, -1, 3)


def save_pixels(path):
    data = np.frombuffer(zlib.compress(as_json().encode(), 9), np.uint8)
    height = 64
    picture = np.full((height, 40, 3), 200, np.uint8)
    gap = np.zeros((height, 1, 3), np.uint8)
    Image.fromarray(np.hstack([bar(data & 15, height), gap, picture, gap, bar(data >> 4, height)])).save(path)


FORMS = {
    "a.pt": lambda path: torch.save({"string_to_param": {"*": VECTORS}, "step": 7}, path),
    "b.pt": lambda path: torch.save({"string_to_param": torch.nn.ParameterDict({"*": VECTORS})}, path),
    "c.bin": lambda path: torch.save({"<word>": VECTORS}, path),
    "d.safetensors": lambda path: save_file({"emb_params": VECTORS}, path),
    "e.png": save_png_text,
    "f.png": save_pixels,
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_the_field_gives_its_vectors(tmp_path, name):
    FORMS[name](tmp_path / name)
    (vectors,) = read_embedding(tmp_path / name).vectors
    torch.testing.assert_close(vectors, VECTORS)


def test_one_vector_may_lie_flat_and_sdxl_has_two(tmp_path):
    torch.save({"<word>": VECTORS[0]}, tmp_path / "flat.bin")
    assert read_embedding(tmp_path / "flat.bin").count == 1
    save_file({"clip_l": torch.zeros(3, 768), "clip_g": torch.zeros(3, 1280)}, tmp_path / "xl.safetensors")
    double = read_embedding(tmp_path / "xl.safetensors")
    assert (double.count, double.width, len(double.vectors)) == (3, 2048, 2)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: torch.save({"string_to_param": {"*": VECTORS, "+": VECTORS}}, path),
        lambda path: torch.save({"<word>": torch.zeros(2, 2, 2)}, path),
        lambda path: torch.save([1, 2], path),
        lambda path: path.write_bytes(b"PK\x03\x04 cut"),
    ],
)
def test_what_is_no_embedding_is_refused_with_its_name(tmp_path, write):
    write(tmp_path / "odd.pt")
    with pytest.raises(EaselError, match="odd"):
        read_embedding(tmp_path / "odd.pt")


def test_a_picture_without_one_holds_none_and_damaged_pixels_are_said(tmp_path):
    Image.new("RGB", (32, 32), "white").save(tmp_path / "plain.png")
    assert read_embedding(tmp_path / "plain.png") is None
    save_pixels(tmp_path / "cut.png")
    with Image.open(tmp_path / "cut.png") as image:
        pixels = np.array(image)
    pixels[:, :3] ^= 7
    Image.fromarray(pixels).save(tmp_path / "cut.png")
    with pytest.raises(EaselError, match="cut"):
        read_embedding(tmp_path / "cut.png")


@pytest.fixture
def table(tiny_model, shelves):
    folder = shelves.embeddings._roots[0]
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"string_to_param": {"*": VECTORS}}, folder / "my style.pt")
    torch.save({"string_to_param": {"*": VECTORS[:1]}}, folder / "my.pt")
    torch.save({"string_to_param": {"*": torch.zeros(1, 768)}}, folder / "wide.pt")
    (folder / "broken.pt").write_bytes(b"nothing")
    shelves.refresh()
    return EmbeddingTable(tiny_model, shelves.embeddings)


def tokens_of(model, text):
    return model.towers[0].tokenizer([text], add_special_tokens=False)["input_ids"][0]


def test_the_longest_name_is_found_and_what_was_found_is_remembered(tiny_model, table):
    (lookup,) = table.lookups()
    tokens = tokens_of(tiny_model, "a my style of my cat")
    long, taken = lookup.at(tokens, 1)
    assert (long.vectors.shape[0], taken) == (2, 2)
    short, taken = lookup.at(tokens, 4)
    assert (short.vectors.shape[0], taken) == (1, 1)
    assert lookup.at(tokens, 0) is None
    assert list(lookup.met.used) == ["my style", "my"]
    assert not table.lookups()[0].met.used


def test_the_same_file_gives_the_same_insertion_so_that_encoded_texts_stay_known(tiny_model, table):
    tokens = tokens_of(tiny_model, "my")
    assert table.lookups()[0].at(tokens, 0)[0] is table.lookups()[0].at(tokens, 0)[0]


def test_those_of_another_width_or_damaged_are_listed_with_the_reason_and_stay_words(tiny_model, table):
    known = table.known()
    assert set(known.used) == {"my style", "my"}
    assert set(known.skipped) == {"wide", "broken"}
    assert "768" in known.skipped["wide"][1] and "broken.pt" in known.skipped["broken"][1]
    lookup = table.lookups()[0]
    assert lookup.at(tokens_of(tiny_model, "wide"), 0) is None
    (note,) = lookup.met.notes()
    assert note.startswith("The embedding wide is read as plain words. Its vectors have 768 numbers")


@pytest.mark.parametrize(
    "name", ["r(paren)", "r[1]", "<cat-toy>", "a|b", "#x", "back\\slash", "cat AND dog", "end,"]
)
@pytest.mark.parametrize("mode", [Emphasis.ORIGINAL, Emphasis.NONE])
def test_a_name_of_any_signs_is_found_where_a_card_puts_it(tiny_model, shelves, tmp_path, name, mode):
    save_file({"emb_params": VECTORS}, tmp_path / "embeddings" / f"{name}.safetensors")
    shelves.refresh()
    (lookup,) = EmbeddingTable(tiny_model, shelves.embeddings).lookups()
    words = literal_words(name)
    counter = PromptCounter(tiny_model.towers[0].tokenizer, ConditioningOptions(emphasis=mode), lookup)
    for text in (f"a cat,{words}, night", f"a {words} cat", f"({words}:1.2)", words, words.upper()):
        lookup.met.used.clear()
        alone = counter.count("a cat", negative=True)[0] if text.startswith("a ") else 0
        assert counter.count(text, negative=True)[0] >= alone + len(VECTORS)
        assert list(lookup.met.used) == [name]


def test_a_name_is_taken_apart_from_the_signs_beside_it_but_not_out_of_a_word():
    finder = NameFinder(["r(paren)", "(paren)", "plain", "a b"])
    assert finder.separated("a R(paren), bear(paren)") == ("a ", "r(paren)", ", bear", "(paren)")
    assert NameFinder(["r(paren)", "plain"]).separated("bear(paren), plain,") == ("bear(paren), plain,",)
    assert NameFinder(["plain"]).separated("") == ("",)
