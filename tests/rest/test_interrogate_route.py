"""The field's Interrogate: pictures put into words over the API."""

import base64
import io
import threading

import numpy as np
import pytest
from PIL import Image

from tests.interrogation.onnx_files import write_tagger


def encoded(image, kind="png"):
    file = io.BytesIO()
    image.save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


GREY = encoded(Image.new("RGB", (20, 30), "gray"))


def ask(client, **call):
    return client.post("/sdapi/v1/interrogate", json={"image": GREY, **call})


@pytest.fixture(scope="module")
def sure_tagger(house):
    """A tagger in the user's folder that gives two tags to every picture."""
    home = house.folders.models / "Interrogators" / "sure"
    write_tagger(home / "model.onnx", [1, 16, 16, 3], scores=[0.9, 0.1, 0.7])
    (home / "tags.txt").write_text("long_hair\nhat\nsky")
    return "sure"


def test_models_that_can_be_asked_are_listed(client, sure_tagger):
    listed = {
        each["name"]: each["gives"] for each in client.get("/easel/v1/interrogators").json()["interrogators"]
    }
    assert listed == {"sure": ["tags"], "easel-emoji": ["tags", "caption"]}


@pytest.mark.parametrize("model", ["sure", "SURE", "deepdanbooru", "deepbooru"])
def test_a_tagger_is_asked_by_its_name_or_the_fields(client, sure_tagger, model):
    answer = ask(client, model=model).json()
    assert (answer["caption"], answer["model"]) == ("long hair, sky", "sure")


def test_settings_have_effect_on_the_next_call(client, sure_tagger):
    client.post("/sdapi/v1/options", json={"deepbooru_use_spaces": False, "interrogate_return_ranks": True})
    try:
        assert ask(client, model="sure").json()["caption"] == "(long_hair:0.900), (sky:0.700)"
    finally:
        client.post(
            "/sdapi/v1/options", json={"deepbooru_use_spaces": True, "interrogate_return_ranks": False}
        )


def test_an_empty_name_asks_the_usual_model(client):
    assert ask(client, model="").json() == ask(client).json()


def test_a_picture_in_which_nothing_is_recognised_gets_an_empty_caption_and_a_sentence(client):
    answer = ask(client).json()
    assert answer["caption"] == ""
    assert "put a captioning model" in answer["note"]


@pytest.mark.parametrize(
    ("call", "status", "field", "words"),
    [
        ({"model": "nothing"}, 404, None, "Choose one of clip, deepdanbooru"),
        ({"image": ""}, 422, "image", "not a picture"),
        ({"image": "no picture"}, 422, "image", "not a picture"),
        ({"image": GREY[:60]}, 422, "image", "image"),
        ({"image": 3}, 422, "image", "image"),
        ({"model": "x" * 300}, 422, "model", "model"),
    ],
)
def test_what_is_wrong_is_said(client, call, status, field, words):
    answer = ask(client, **call)
    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    "image",
    [
        Image.new("1", (1, 1)),
        Image.new("RGBA", (300, 2), (0, 0, 0, 0)),
        Image.new("P", (9, 9)),
        Image.fromarray(np.full((7, 7), 60_000, np.uint16)),
    ],
    ids=lambda image: image.mode,
)
def test_pictures_of_any_mode_and_shape_are_described(client, sure_tagger, image):
    assert ask(client, image=encoded(image)).status_code == 200
    assert ask(client, image=encoded(image), model="sure").json()["caption"] == "long hair, sky"


def test_on_a_processor_a_large_model_and_what_is_drawn_do_not_wait_for_each_other(
    client, house, sure_tagger
):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask(client, model="sure"))) for _ in range(3)]
    with house.engine.turn():
        for thread in threads:
            thread.start()
        assert client.get("/internal/ping").status_code == 200
        assert ask(client, model="easel-emoji").status_code == 200
        for thread in threads:
            thread.join(120)
        assert [answer.json()["caption"] for answer in answers] == ["long hair, sky"] * 3
