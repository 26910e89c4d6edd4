"""Pictures that are odd or bad, sent to image to image: each is drawn as it is seen, or refused in a sentence
with nothing lost.
"""

import base64
import io
import json
import os
import re

import numpy as np
import pytest
from PIL import Image

from modules.generation import guard
from modules.memory import resident_memory

from .drawing import TINY


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def file_of(image: Image.Image, kind: str = "PNG", **arguments) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **arguments)
    return file.getvalue()


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


PLAIN = text(file_of(noise(64, 64)))
MASK = text(file_of(Image.new("L", (64, 64), 255)))


@pytest.fixture
def call(client):
    """A function from the values of a request to the field's route and its answer."""

    def call(**values):
        settings = {"sd_model_checkpoint": "tiny-sd1", **values.pop("override_settings", {})}
        request = {**TINY, "steps": 1, "denoising_strength": 0.0, "init_images": [PLAIN]}
        return client.post("/sdapi/v1/img2img", json={**request, **values, "override_settings": settings})

    return call


def drawn(answer) -> np.ndarray:
    """The first picture of an answer, as whole numbers."""
    assert answer.status_code == 200, answer.text[:400]
    picture = Image.open(io.BytesIO(base64.b64decode(answer.json()["images"][0])))
    return np.asarray(picture.convert("RGB"), dtype=int)


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"init_images": []}, "init_images", "no picture to start from"),
        ({"init_images": None}, "init_images", "no picture to start from"),
        ({"init_images": [""]}, "init_images", "no picture to start from"),
        ({"init_images": [PLAIN[: len(PLAIN) // 8 * 4]]}, "init_images", "Send it whole"),
        ({"init_images": [text(b"%PDF-1.7 no picture")]}, "init_images", "it reads PNG"),
        ({"init_images": [text(b"\x89PNG\r\n\x1a\n" + bytes(40))]}, "init_images", "picture"),
        ({"init_images": [PLAIN, PLAIN]}, "init_images", "2 pictures for a batch of 1"),
        ({"mask": text(b"GIF89a")}, "mask", "not a picture"),
        ({"init_images": [text(file_of(Image.new("1", (11_000, 11_000))))]}, "init_images", "100 megapixels"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_cannot_be_drawn_from_is_refused_before_it_is_queued(call, house, values, field, sentence):
    jobs = len(house.queue.jobs())
    answer = call(**values)
    body = answer.json()
    assert answer.status_code == 422, body
    assert body["field"] == field
    assert sentence in body["detail"]
    assert len(body["detail"]) < 400
    assert len(house.queue.jobs()) == jobs


def palette() -> bytes:
    """Four colours, the second of them clear."""
    picture = Image.new("P", (64, 64), 1)
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255])
    picture.paste(0, (0, 0, 32, 64))
    return file_of(picture, transparency=1)


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue", "green")]
    return file_of(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **LOSSLESS[kind])


LOSSLESS = {"GIF": {}, "WEBP": {"lossless": True}, "PNG": {}}
SIXTEEN = Image.fromarray(np.tile(np.linspace(0, 65535, 64, dtype=np.uint16), (64, 1)))
HALVES = Image.new("RGB", (64, 64), "red")
HALVES.paste((255, 255, 255), (32, 0, 64, 64))
RED = Image.new("RGB", (64, 64), "red")
GREYS = Image.fromarray((np.asarray(SIXTEEN) >> 8).astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize(
    ("name", "data", "seen"),
    [
        ("one pixel", file_of(Image.new("RGB", (1, 1), "red")), RED),
        ("16 bits", file_of(SIXTEEN), GREYS),
        ("16 bits, TIFF", file_of(SIXTEEN, "TIFF"), GREYS),
        ("CMYK", file_of(RED.convert("CMYK"), "TIFF"), RED),
        ("CMYK, JPEG", file_of(RED.convert("CMYK"), "JPEG", quality=95), RED),
        ("palette with a clear colour", palette(), HALVES),
        ("grey with alpha", file_of(GREYS.convert("LA")), GREYS),
        ("animated GIF", animated("GIF"), RED),
        ("animated WebP", animated("WEBP"), RED),
        ("animated PNG", animated("PNG"), RED),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_odd_picture_is_drawn_from_as_it_is_seen(call, name, data, seen):
    """At strength 0 what comes back is what went in, as far as the VAE keeps it."""
    expected = drawn(call(init_images=[text(file_of(seen))]))
    assert np.abs(drawn(call(init_images=[text(data)])) - expected).mean() < 2


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_picture_is_drawn_from_upright(call, orientation):
    upright = Image.linear_gradient("L").resize((64, 64))
    upright.paste(255, (0, 0, 20, 10))
    turns = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90",
             7: "TRANSVERSE", 8: "ROTATE_270"}  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright.transpose(getattr(Image.Transpose, turns[orientation]))
    made = drawn(call(init_images=[text(file_of(stored, exif=exif))]))
    assert np.abs(made - drawn(call(init_images=[text(file_of(upright))]))).mean() < 1


def test_a_mask_of_another_size_and_orientation_is_fitted(call):
    exif = Image.Exif()
    exif[0x0112] = 3
    mask = Image.new("L", (128, 96))
    mask.paste(255, (0, 0, 64, 96))
    made = drawn(
        call(mask=text(file_of(mask, exif=exif)), mask_blur=0, inpaint_full_res=False, denoising_strength=1)
    )
    given = np.asarray(noise(64, 64), dtype=int)
    assert np.array_equal(made[:, :26], given[:, :26])
    assert not np.array_equal(made[:, 38:], given[:, 38:])


HUGE = text(file_of(Image.new("L", (10_000, 6_000), 200)))
"""A small file, and sixty megapixels."""


@pytest.mark.slow
def test_sixty_megapixels_are_drawn_from(call):
    assert drawn(call(init_images=[HUGE])).shape == (64, 64, 3)


def test_sixty_megapixels_that_do_not_fit_are_refused_with_an_offer(call, house, monkeypatch):
    room = resident_memory() + (600 << 20)
    monkeypatch.setattr(guard, "memory_for_us", lambda device: room)
    jobs = len(house.queue.jobs())
    body = call(init_images=[HUGE]).json()
    assert (body["error"], body["field"]) == ("NotEnoughMemory", "init_images")
    assert re.search(r"from 60 megapixels .* scale them down to \d+ megapixels", body["detail"])
    assert len(house.queue.jobs()) == jobs


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="may write everywhere")
def test_a_folder_without_permission_loses_no_picture(call, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert_answered_and_said(call, closed / "inside")


def test_a_folder_that_cannot_be_made_loses_no_picture(call, tmp_path):
    """A file in the place of the folder refuses whoever asks, the owner of everything too."""
    (tmp_path / "taken").write_text("a file")
    assert_answered_and_said(call, tmp_path / "taken" / "inside")


def assert_answered_and_said(call, folder):
    answer = call(save_images=True, override_settings={"outdir_img2img_samples": str(folder)})
    assert drawn(answer).shape == (64, 64, 3)
    [note] = [note for note in json.loads(answer.json()["info"])["notes"] if str(folder) in note]
    assert 20 < len(note) < 600
