"""Enlarging finished pictures over the API."""

import base64
import importlib.util
import io
import json
import zlib
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

PARITY = Path(__file__).parents[1] / "parity"
spec = importlib.util.spec_from_file_location("check", PARITY / "check.py")
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)


def encoded(picture: Image.Image, **arguments) -> str:
    file = io.BytesIO()
    picture.save(file, "png", **arguments)
    return base64.b64encode(file.getvalue()).decode()


def opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


PICTURE = encoded(Image.linear_gradient("L").resize((64, 48)).convert("RGB"))
CALL = {"image": PICTURE, "upscaler_1": "Lanczos"}


@pytest.mark.parametrize("name", ["extra-blend", "extra-size-crop"])
def test_a_recorded_picture_is_enlarged_as_recorded(client, name):
    case = json.loads((PARITY / "cases" / f"{name}.json").read_text())
    answer = client.post(case["route"], json=case["request"])
    assert answer.status_code == 200, answer.text
    assert check.judge(case, PARITY / "cases", {"images": [answer.json()["image"]]}, save=None) == ""


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ({"upscaling_resize": 1.5}, (96, 72)),
        ({"upscaling_resize": 4, "upscaler_1": "Nearest"}, (256, 192)),
        ({"resize_mode": 1, "upscaling_resize_w": 100, "upscaling_resize_h": 100}, (100, 100)),
        (
            {
                "resize_mode": 1,
                "upscaling_resize_w": 100,
                "upscaling_resize_h": 100,
                "upscaling_crop": False,
            },
            (133, 100),
        ),
        ({"upscaler_1": "None"}, (64, 48)),
        ({"upscaler_2": "Nearest", "extras_upscaler_2_visibility": 0.5}, (128, 96)),
    ],
)
def test_a_picture_is_brought_to_the_asked_size(client, values, size):
    answer = client.post("/sdapi/v1/extra-single-image", json={**CALL, **values})
    assert answer.status_code == 200, answer.text
    assert opened(answer.json()["image"]).size == size


def test_the_generation_text_stays_and_what_was_done_is_told(client):
    texts = PngInfo()
    texts.add_text("parameters", "a cat\nSteps: 1, Sampler: Euler, Seed: 1")
    image = encoded(Image.new("RGB", (16, 16)), pnginfo=texts)
    answer = client.post("/sdapi/v1/extra-single-image", json={**CALL, "image": image}).json()
    picture = opened(answer["image"])
    assert picture.info["parameters"].startswith("a cat")
    assert picture.info["postprocessing"] == "Postprocess upscale by: 2, Postprocess upscaler: Lanczos"
    assert answer["html_info"] == f"<p>{picture.info['postprocessing']}</p>"


def test_several_pictures_are_enlarged_in_their_order(client):
    sizes = [(16, 16), (32, 24), (8, 40)]
    pictures = [{"data": encoded(Image.new("RGB", size)), "name": f"{size}.png"} for size in sizes]
    call = {"imageList": pictures, "upscaler_1": "Nearest"}
    answer = client.post("/sdapi/v1/extra-batch-images", json=call)
    assert [opened(text).size for text in answer.json()["images"]] == [(2 * w, 2 * h) for w, h in sizes]
    silent = client.post("/sdapi/v1/extra-batch-images", json={**call, "show_extras_results": False})
    assert silent.json()["images"] == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"image": ""}, "image"),
        ({"image": PICTURE[: len(PICTURE) // 2]}, "image"),
        ({"upscaler_1": "Magic"}, "upscaler_1"),
        ({"upscaler_2": "Magic", "extras_upscaler_2_visibility": 0.1}, "upscaler_2"),
        ({"upscaling_resize": 9}, "upscaling_resize"),
        ({"upscaling_resize": float("nan")}, "upscaling_resize"),
        ({"resize_mode": 2}, "resize_mode"),
        ({"gfpgan_visibility": 0.5}, "gfpgan_visibility"),
        ({"codeformer_visibility": 1}, "codeformer_visibility"),
        ({"resize_mode": 1, "upscaling_resize_w": 65_536, "upscaling_resize_h": 1}, "upscaling_resize_w"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(client, wrong, field):
    content = json.dumps({**CALL, **wrong})
    answer = client.post(
        "/sdapi/v1/extra-single-image", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == field
    assert len(answer.json()["detail"]) > 20


def test_one_wrong_picture_among_several_is_named(client):
    call = {"imageList": [{"data": PICTURE, "name": "a"}, {"data": "no picture", "name": "b"}]}
    answer = client.post("/sdapi/v1/extra-batch-images", json=call)
    assert answer.status_code == 422
    assert answer.json()["field"] == "imageList.1.data"


def bomb(side: int) -> str:
    """A PNG whose header claims side x side pixels, with next to nothing behind it."""
    whole = bytearray(base64.b64decode(encoded(Image.new("L", (1, 1)))))
    whole[16:24] = side.to_bytes(4, "big") * 2
    whole[29:33] = zlib.crc32(whole[12:29]).to_bytes(4, "big")
    return base64.b64encode(whole).decode()


@pytest.mark.parametrize("side", [10_001, 12_000, 32_000, 100_000])
@pytest.mark.parametrize("route", ["extra-single-image", "png-info"])
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(client, route, side):
    answer = client.post(f"/sdapi/v1/{route}", json={"image": bomb(side), "upscaler_1": "Lanczos"})
    assert answer.status_code == 422
    assert "megapixels" in answer.json()["detail"]


def test_kinds_that_would_start_another_program_are_not_opened(client):
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    answer = client.post("/sdapi/v1/png-info", json={"image": base64.b64encode(eps).decode()})
    assert answer.status_code == 422
    assert "PNG" in answer.json()["detail"]
