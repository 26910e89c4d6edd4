"""Making pictures over the API."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from modules.imaging import png_info

TINY = {
    "prompt": "a cat",
    "steps": 2,
    "width": 64,
    "height": 64,
    "seed": 7,
    "sampler_name": "Euler",
    "scheduler": "Uniform",
    "override_settings": {"sd_model_checkpoint": "tiny-sd1"},
}


def pictures(answer) -> list[Image.Image]:
    assert answer.status_code == 200, answer.text
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in answer.json()["images"]]


def pixels(answer) -> list[np.ndarray]:
    return [np.asarray(picture, dtype=int) for picture in pictures(answer)]


def test_a_picture_carries_the_text_that_makes_it_again(client):
    answer = client.post("/sdapi/v1/txt2img", json={**TINY, "seed": -1})
    text = png_info(pictures(answer)[0]).info
    assert text == json.loads(answer.json()["info"])["infotexts"][0]
    again = client.post("/sdapi/v1/txt2img", json={"infotext": text, **_without_prompt_and_numbers()})
    assert np.array_equal(pixels(answer)[0], pixels(again)[0])


def _without_prompt_and_numbers() -> dict:
    return {"override_settings": TINY["override_settings"]}


def test_picture_k_of_a_batch_is_the_picture_made_alone(client):
    batch = pixels(client.post("/sdapi/v1/txt2img", json={**TINY, "batch_size": 3}))
    alone = pixels(client.post("/sdapi/v1/txt2img", json={**TINY, "seed": 9}))
    assert len(batch) == 3
    assert np.abs(batch[2] - alone[0]).max() <= 1


def test_settings_of_one_request_do_not_leak_into_the_next(client):
    before = pixels(client.post("/sdapi/v1/txt2img", json=TINY))[0]
    loud = {**TINY, "override_settings": {**TINY["override_settings"], "CLIP_stop_at_last_layers": 3}}
    other = pixels(client.post("/sdapi/v1/txt2img", json={**loud, "tiling": True}))[0]
    after = pixels(client.post("/sdapi/v1/txt2img", json=TINY))[0]
    assert not np.array_equal(before, other)
    assert np.array_equal(before, after)


def test_guidance_of_one_equals_what_the_formula_gives_for_one(client):
    """Guidance 1 skips the negative prompt; a scale next to 1 does not, and must give nearly the same."""
    skipped = pixels(client.post("/sdapi/v1/txt2img", json={**TINY, "cfg_scale": 1}))[0]
    mixed = pixels(client.post("/sdapi/v1/txt2img", json={**TINY, "cfg_scale": 1.00001}))[0]
    assert np.abs(skipped - mixed).max() <= 1


def test_saved_pictures_are_where_the_field_has_them(client, house):
    answer = client.post("/sdapi/v1/txt2img", json={**TINY, "save_images": True, "batch_size": 2})
    assert len(pictures(answer)) == 3
    assert json.loads(answer.json()["info"])["index_of_first_image"] == 1
    saved = sorted((house.folders.outputs / "txt2img-images").rglob("*.png"))
    assert [path.name for path in saved[-2:]] == ["00000-7.png", "00001-8.png"]
    assert png_info(Image.open(saved[-1])).info.endswith(
        json.loads(answer.json()["info"])["infotexts"][2][-40:]
    )
    assert [path.name for path in (house.folders.outputs / "txt2img-grids").rglob("*.png")] == [
        "grid-0000.png"
    ]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"width": 13}, "width cannot be 13"),
        ({"height": 100_000}, "height cannot be 100000"),
        ({"steps": 0}, "steps cannot be 0"),
        ({"sampler_name": "Oiler"}, "Euler"),
        ({"scheduler": "Kerras"}, "Karras"),
        ({"batch_size": 10**6}, "batch_size cannot be 1000000"),
        ({"prompt": "x" * 10**5}, "30000"),
        ({"enable_hr": True, "hr_upscaler": "Magic"}, "Magic"),
        ({"override_settings": {"CLIP_stop_at_last_layers": 99}}, "CLIP_stop_at_last_layers"),
        ({"override_settings": {"sd_model_checkpoint": "missing-model"}}, "missing-model"),
        ({"styles": ["no such style"]}, "no such style"),
    ],
)
def test_a_wrong_request_answers_a_sentence_and_makes_nothing(client, house, wrong, words):
    jobs = len(house.queue.jobs())
    answer = client.post("/sdapi/v1/txt2img", json={**TINY, **wrong})
    assert answer.status_code in (404, 422)
    assert words in answer.json()["detail"]
    assert len(house.queue.jobs()) == jobs


def test_a_body_that_is_no_json_answers_a_sentence(client):
    answer = client.post(
        "/sdapi/v1/txt2img", content=b"{not json", headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert "JSON" in answer.json()["detail"]
    assert set(answer.json()) == {"error", "detail", "errors", "field"}


def test_pictures_are_left_out_of_the_answer_when_asked(client):
    assert client.post("/sdapi/v1/txt2img", json={**TINY, "send_images": False}).json()["images"] == []
