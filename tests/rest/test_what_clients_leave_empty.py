"""Empty names and bodies of clients, other spellings of base64, and what is said of names that are unknown."""

import base64
import io
import json

import pytest
from PIL import Image

from modules.generation import parse_txt2img
from modules.imaging.incoming import picture_file

BASE = {
    "steps": 1,
    "width": 64,
    "height": 64,
    "seed": 1,
    "override_settings": {"sd_model_checkpoint": "tiny-sd1"},
}
EMPTY = {
    "styles": ["", "None", None],
    "sampler_name": "",
    "sampler_index": "",
    "scheduler": "",
    "script_name": "None",
    "script_args": {},
    "refiner_checkpoint": "None",
    "alwayson_scripts": [],
    "comments": "",
    "firstpass_image": "",
    "force_task_id": "",
    "infotext": "",
    "eta": "",
    "subseed": "",
    "hr_upscaler": "",
    "hr_checkpoint_name": "",
    "hr_sampler_name": "None",
    "hr_scheduler": "",
    "mask": "",
    "latent_mask": "None",
}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def picture() -> str:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 90).convert("RGB").save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def drawn(client, path: str, **values: object) -> str:
    answer = client.post(f"/sdapi/v1/{path}", json={**BASE, **values})
    assert answer.status_code == 200, answer.text
    return answer.json()["images"][0]


def test_what_is_empty_is_none(client):
    assert drawn(client, "txt2img", **EMPTY) == drawn(client, "txt2img")
    sent = picture()
    plain = drawn(client, "img2img", init_images=[sent])
    assert drawn(client, "img2img", init_images=["", sent, None], **EMPTY) == plain


@pytest.mark.parametrize("value", ["", "None", None, [], {}, ["None"], [None, ""]])
def test_no_style_has_many_spellings(value):
    assert parse_txt2img({"styles": value}).styles == ()


@pytest.mark.parametrize("value", [[], [""], [None], None])
def test_a_picture_is_still_wanted(client, value):
    answer = client.post("/sdapi/v1/img2img", json={**BASE, "init_images": value})
    assert answer.status_code == 422
    assert "there is no picture to start from" in answer.json()["detail"]


def test_a_prompt_may_be_empty(client):
    text = "a dog\nSteps: 1, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 64x64"
    answer = client.post("/sdapi/v1/txt2img", json={**BASE, "prompt": "", "infotext": text})
    assert json.loads(answer.json()["info"])["prompt"] == ""


@pytest.mark.parametrize("length", [766, 767, 768])
def test_base64_of_addresses_is_read(length):
    wanted = (bytes(range(256)) * 3)[:length]
    plain, of_address = base64.b64encode(wanted).decode(), base64.urlsafe_b64encode(wanted).decode()
    escaped = plain.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    for coded in (plain, plain.rstrip("="), of_address, of_address.rstrip("="), escaped):
        assert picture_file(coded) == wanted
        assert picture_file(f"data:image/png;base64,{coded}") == wanted
    assert picture_file("\n".join(plain[at : at + 76] for at in range(0, len(plain), 76))) == wanted


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("dpmpp_2m", "DPM++ 2M"),
        ("dpmpp_2m_sde", "DPM++ 2M SDE"),
        ("dpmpp_2m_karras", "DPM++ 2M Karras"),
        ("euler_ancestral", "Euler a"),
        ("dpm_2_ancestral", "DPM2 a"),
        ("dpmpp_2s_ancestral", "DPM++ 2S a"),
        ("uni_pc", "UniPC"),
        ("dpmpp-3m-sde", "DPM++ 3M SDE"),
        ("DPM++ 2m Karas", "DPM++ 2M Karras"),
    ],
)
def test_the_name_that_was_meant_is_suggested(client, asked, meant):
    answer = client.post("/sdapi/v1/txt2img", json={**BASE, "sampler_name": asked})
    assert answer.status_code == 422
    assert f"Did you mean {meant!r}?" in answer.json()["detail"]


@pytest.mark.parametrize(
    "field", ["cfg_scale", "s_churn", "s_noise", "s_tmin", "s_tmax", "s_min_uncond", "eta"]
)
@pytest.mark.parametrize("value", [1e30, -1e30])
def test_numbers_that_no_picture_can_be_computed_with_are_refused(client, field, value):
    answer = client.post("/sdapi/v1/txt2img", json={**BASE, field: value})
    assert answer.status_code == 422
    assert answer.json()["field"] == field


@pytest.mark.parametrize("path", ["/sdapi/v1/txt2img", "/sdapi/v1/img2img", "/easel/v1/jobs"])
@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        (b"", {}, "The body is empty."),
        (b"", JSON, "The body is empty."),
        (b"null", JSON, "The body is empty."),
        (b"[]", JSON, "The body is a JSON list."),
        (b'"a cat"', JSON, "The body is a JSON text."),
        (b"7", JSON, "The body is a JSON number."),
        (b'{"prompt": "a cat"}', {}, "Content-Type: application/json"),
        (b'{"prompt": "a cat"}', FORM, "Content-Type: application/json"),
    ],
)
def test_a_body_that_is_no_object_is_told_what_it_is(client, path, body, headers, said):
    answer = client.post(path, content=body, headers=headers)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
