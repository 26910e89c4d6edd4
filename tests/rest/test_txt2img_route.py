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
    """In a folder of the day, numbered on from what other tests have saved there."""
    singles, grids = house.folders.outputs / "txt2img-images", house.folders.outputs / "txt2img-grids"
    before = {*singles.rglob("*.png"), *grids.rglob("*.png")}
    answer = client.post("/sdapi/v1/txt2img", json={**TINY, "save_images": True, "batch_size": 2})
    assert len(pictures(answer)) == 3
    assert json.loads(answer.json()["info"])["index_of_first_image"] == 1
    saved = sorted({*singles.rglob("*.png")} - before)
    first = sum(path.parent == saved[0].parent for path in before)
    assert [path.name for path in saved] == [f"{first:05}-7.png", f"{first + 1:05}-8.png"]
    assert png_info(Image.open(saved[-1])).info.endswith(
        json.loads(answer.json()["info"])["infotexts"][2][-40:]
    )
    grid = sorted({*grids.rglob("*.png")} - before)
    first = sum(path.parent == grid[0].parent for path in before)
    assert [path.name for path in grid] == [f"grid-{first:04}.png"]


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


@pytest.mark.parametrize(
    "scripts",
    [
        {},
        {"ControlNet": {"args": []}},
        {"ControlNet": {"args": [{"enabled": False, "model": "x"}, {"enabled": False}]}},
        {"ADetailer": {"args": [False, {"ad_model": "face"}]}},
        {"Refiner": {"args": [False, "", 0.8]}},
        {"seed": {}},
        {"seed": None},
    ],
    ids=str,
)
def test_scripts_that_are_switched_off_change_nothing(client, scripts):
    plain = pixels(client.post("/sdapi/v1/txt2img", json=TINY))[0]
    with_them = client.post("/sdapi/v1/txt2img", json={**TINY, "alwayson_scripts": scripts})
    assert np.array_equal(pixels(with_them)[0], plain)


@pytest.mark.parametrize(
    "scripts",
    [
        {"ControlNet": {"args": [{"enabled": True}]}},
        {"ControlNet": {"args": [{"model": "canny"}]}},
        {"off": {"args": []}, "ADetailer": {"args": [True]}},
        {"ControlNet": {"args": [{"enabled": False}, {"enabled": True}]}},
        {"": {"args": [1]}},
        {"odd": 7},
    ],
    ids=str,
)
def test_a_script_that_would_act_is_refused_by_name(client, scripts):
    answer = client.post("/sdapi/v1/txt2img", json={**TINY, "alwayson_scripts": scripts})
    assert answer.status_code == 422
    assert answer.json()["field"] == "alwayson_scripts"
    assert repr(list(scripts)[-1]) in answer.json()["detail"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"script_name": "x/y/z plot", "script_args": [1]}, "script_name"),
        ({"firstpass_image": "iVBOR"}, "firstpass_image"),
        ({"firstphase_width": 64}, "firstphase_width"),
        ({"alwayson_scripts": [1]}, "alwayson_scripts"),
    ],
)
def test_what_this_version_does_not_have_is_refused_where_it_would_act(client, values, field):
    answer = client.post("/sdapi/v1/txt2img", json={**TINY, **values})
    assert answer.status_code == 422
    assert answer.json()["field"] == field


def test_what_would_not_act_is_accepted_and_told_back(client):
    idle = {"script_name": None, "script_args": [], "disable_extra_networks": True,
            "comments": {"a": 1}, "firstphase_width": 0, "firstphase_height": 0}  # fmt: skip
    page = {"Seed": {"args": [-1, False, -1, 0, 0, 0]}, "Refiner": {"args": [False, "", 0.8]}}
    answer = client.post("/sdapi/v1/txt2img", json={**TINY, **idle, "alwayson_scripts": page})
    assert answer.status_code == 200, answer.text
    parameters = answer.json()["parameters"]
    assert {name: parameters[name] for name in idle} == idle
    assert parameters["prompt"] == "a cat" and parameters["cfg_scale"] == 7.0


def test_the_older_names_of_the_first_size_mean_a_hires_pass_to_the_size(client):
    hires = {"enable_hr": True, "hr_upscaler": "Latent", "denoising_strength": 0.5}
    older = {**TINY, **hires, "width": 128, "height": 96, "firstphase_width": 64, "firstphase_height": 64}
    newer = {**TINY, **hires, "hr_resize_x": 128, "hr_resize_y": 96}
    one, other = (client.post("/sdapi/v1/txt2img", json=call) for call in (older, newer))
    assert pictures(one)[0].size == (128, 96)
    assert np.array_equal(pixels(one)[0], pixels(other)[0])


def test_settings_of_a_request_stay_when_it_says_so(client):
    before = client.get("/sdapi/v1/options").json()["eta_noise_seed_delta"]
    call = {**TINY, "override_settings": {"eta_noise_seed_delta": 5, "sd_model_checkpoint": "tiny-sd1"}}
    client.post("/sdapi/v1/txt2img", json=call)
    assert client.get("/sdapi/v1/options").json()["eta_noise_seed_delta"] == before
    client.post("/sdapi/v1/txt2img", json={**call, "override_settings_restore_afterwards": False})
    after = client.get("/sdapi/v1/options").json()
    client.post("/sdapi/v1/options", json={"eta_noise_seed_delta": before})
    assert after["eta_noise_seed_delta"] == 5 and after["sd_model_checkpoint"].startswith("tiny-sd1")


def test_the_same_task_id_is_the_same_job(client, house):
    call = {**TINY, "seed": -1, "force_task_id": "task(once)"}
    first, second = (client.post("/sdapi/v1/txt2img", json=call).json() for _ in range(2))
    assert first["images"] == second["images"] and first["info"] == second["info"]
    assert house.queue.get("task(once)").state == "done"
