"""The routes that list, tell and set."""

import base64
import io
import json

import pytest
from PIL import Image


@pytest.mark.parametrize(
    "route",
    ["samplers", "schedulers", "sd-models", "sd-vae", "prompt-styles", "upscalers", "latent-upscale-modes", "memory",
     "cmd-flags", "options", "progress"],
)  # fmt: skip
def test_every_route_of_the_field_answers(client, route):
    answer = client.get(f"/sdapi/v1/{route}")
    assert answer.status_code == 200, answer.text
    assert answer.json() or route in ("prompt-styles", "sd-vae")


def test_the_routes_answer_with_the_recorded_fields(client, parity_reference):
    document = json.loads((parity_reference / "openapi.json").read_text())
    schemas = document["components"]["schemas"]
    for route, name in (
        ("samplers", "SamplerItem"),
        ("sd-models", "SDModelItem"),
        ("upscalers", "UpscalerItem"),
    ):
        items = client.get(f"/sdapi/v1/{route}").json()
        assert set(schemas[name]["properties"]) <= set(items[0]), route


def test_every_recorded_field_of_a_request_is_known_or_left_to_later_work(client, parity_reference):
    document = json.loads((parity_reference / "openapi.json").read_text())
    recorded = set(document["components"]["schemas"]["StableDiffusionProcessingTxt2Img"]["properties"])
    ours = set(client.get("/openapi.json").json()["components"]["schemas"]["Txt2ImgRequest"]["properties"])
    later = {"refiner_checkpoint", "refiner_switch_at", "disable_extra_networks", "firstpass_image", "comments",
             "firstphase_width", "firstphase_height", "script_name", "script_args", "alwayson_scripts"}  # fmt: skip
    assert recorded - ours <= later


def test_checkpoints_have_titles_with_their_hash(client):
    from_list = {item["model_name"]: item for item in client.get("/sdapi/v1/sd-models").json()}
    assert "tiny-sd1" in from_list


def test_options_are_changed_and_a_wrong_one_changes_nothing(client):
    assert client.post("/sdapi/v1/options", json={"jpeg_quality": 71}).status_code == 200
    wrong = client.post("/sdapi/v1/options", json={"jpeg_quality": 72, "CLIP_stop_at_last_layers": "much"})
    assert wrong.status_code == 422
    assert "CLIP_stop_at_last_layers" in wrong.json()["detail"]
    assert client.get("/sdapi/v1/options").json()["jpeg_quality"] == 71


def test_unknown_options_of_later_programs_are_kept(client):
    assert client.post("/sdapi/v1/options", json={"some_extension_setting": [1, 2]}).status_code == 200
    assert client.get("/sdapi/v1/options").json()["some_extension_setting"] == [1, 2]


def test_png_info_agrees_with_the_recorded_answers(client):
    picture = Image.new("RGB", (8, 8))
    buffer = io.BytesIO()
    picture.save(buffer, "png")
    answer = client.post("/sdapi/v1/png-info", json={"image": base64.b64encode(buffer.getvalue()).decode()})
    assert answer.status_code == 200
    assert answer.json()["info"] == ""


@pytest.mark.parametrize("image", ["", "not a picture", "data:image/png;base64,AAAA", "e" * 1000])
def test_what_is_no_picture_is_refused_with_a_sentence(client, image):
    answer = client.post("/sdapi/v1/png-info", json={"image": image})
    assert answer.status_code == 422
    assert "image" in answer.json()["detail"]


def test_an_idle_program_says_so(client):
    progress = client.get("/sdapi/v1/progress").json()
    assert progress["progress"] == 0
    assert progress["state"]["job_count"] == 0
    task = client.post("/internal/progress", json={"id_task": "task(unknown)"}).json()
    assert (task["active"], task["queued"], task["completed"]) == (False, False, False)


def test_interrupting_nothing_is_no_error(client):
    assert client.post("/sdapi/v1/interrupt").status_code == 200
    assert client.post("/sdapi/v1/skip").status_code == 200


def test_an_unknown_route_answers_in_the_one_shape(client):
    answer = client.get("/sdapi/v1/nothing-here")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "detail", "errors", "field"}
