"""Whatever is sent, the answer is a sentence in the one shape, and the next request is served."""

import base64
import io
import json
import os
import threading

import numpy as np
import psutil
import pytest
from PIL import Image

TINY = {
    "prompt": "a cat",
    "steps": 1,
    "width": 64,
    "height": 64,
    "seed": 7,
    "override_settings": {"sd_model_checkpoint": "tiny-sd1"},
}
SHAPE = {"error", "detail", "errors", "field"}


def post(client, values):
    """Sends JSON as Python writes it: with NaN, Infinity and lone surrogates."""
    return client.post(
        "/sdapi/v1/txt2img", content=json.dumps(values), headers={"Content-Type": "application/json"}
    )


def settings(**values):
    return {"override_settings": {**TINY["override_settings"], **values}}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"width": -1}, "width"),
        ({"width": 100_000}, "width"),
        ({"height": 10**400}, "height"),
        ({"width": 64.5}, "width"),
        ({"width": "wide"}, "width"),
        ({"width": [64]}, "width"),
        ({"steps": 10**9}, "steps"),
        ({"steps": -3}, "steps"),
        ({"n_iter": 10**6}, "n_iter"),
        ({"batch_size": 0}, "batch_size"),
        ({"cfg_scale": float("nan")}, "cfg_scale"),
        ({"cfg_scale": float("inf")}, "cfg_scale"),
        ({"s_min_uncond": float("inf")}, "s_min_uncond"),
        ({"denoising_strength": float("nan"), "enable_hr": True}, "denoising_strength"),
        ({"subseed_strength": -0.1}, "subseed_strength"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": {"a": "cat"}}, "prompt"),
        ({"prompt": "x" * 10**5}, "prompt"),
        ({"negative_prompt": "x" * 10**6}, "negative_prompt"),
        ({"prompt": "a \ud800 cat"}, "prompt"),
        ({"sampler_name": "Oiler"}, "sampler_name"),
        ({"sampler_name": "\ud800"}, "sampler_name"),
        ({"scheduler": "Kerras"}, "scheduler"),
        ({"styles": "not a list"}, "styles"),
        ({"styles": ["no such style"]}, None),
        ({"enable_hr": True, "hr_scale": 100}, "hr_scale"),
        ({"enable_hr": True, "hr_resize_x": 1, "hr_resize_y": 1}, "hr_resize_x"),
        ({"enable_hr": True, "hr_upscaler": "Magic"}, "hr_upscaler"),
        ({"enable_hr": True, "hr_checkpoint_name": "missing-model"}, None),
        ({"enable_hr": True, "hr_sampler_name": "Oiler"}, None),
        ({"infotext": "a cat\nSteps: 0, Sampler: Euler, Seed: 1, Size: 64x64", "steps": None}, "steps"),
        (settings(sd_model_checkpoint="missing-model"), None),
        (settings(sd_vae="missing-vae"), "sd_vae"),
        (settings(CLIP_stop_at_last_layers="much"), "CLIP_stop_at_last_layers"),
        (settings(eta_ancestral=float("nan")), "eta_ancestral"),
        (settings(randn_source="TPU"), "randn_source"),
        (settings(a_key_of_an_extension="\ud800"), "a_key_of_an_extension"),
        ({"override_settings": [1]}, "override_settings"),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_a_wrong_value_is_refused_in_a_sentence_that_names_it(client, house, wrong, field):
    jobs = len(house.queue.jobs())
    answer = post(client, {**TINY, **wrong})
    assert answer.status_code in (404, 422), answer.text[:500]
    body = answer.json()
    assert set(body) == SHAPE
    assert field is None or body["field"] == field
    assert 10 < len(body["detail"]) < 600
    assert "Traceback" not in body["detail"]
    assert len(house.queue.jobs()) == jobs


def test_more_open_brackets_than_anybody_types_are_refused(client):
    answer = post(client, {**TINY, "prompt": "(" * 1001})
    assert answer.status_code == 422
    assert answer.json()["field"] == "prompt"
    assert "1000" in answer.json()["detail"]


@pytest.mark.parametrize(
    "values",
    [
        {"a_key": "\ud800"},
        {"\ud800": 1},
        {"a_key": {"deep": ["\ud800"]}},
        {"a_key": float("nan")},
        {"jpeg_quality": float("nan")},
        {"": 1},
        [1],
        None,
    ],
)
def test_settings_that_cannot_be_kept_are_no_bare_failure(client, values):
    answer = client.post(
        "/sdapi/v1/options", content=json.dumps(values), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (200, 422), answer.text
    assert client.get("/sdapi/v1/options").status_code == 200


@pytest.mark.parametrize(
    "unusual",
    [
        {"prompt": ""},
        {"prompt": "\x00null\x00bytes\x00"},
        {"prompt": "[[[(((" + "]" * 20},
        {"prompt": "[a:b:0.5]" * 200},
        {"prompt": "👩‍👩‍👧‍👦 مرحبا 日本語 \u202e reversed"},
        {"prompt": "a:0 AND b:-1 AND :"},
        {"prompt": "x " * 5_000},
        {"negative_prompt": ", " * 10_000},
        {"seed": 10**30},
        {"seed": -(2**63)},
        {"seed": "words"},
        {"seed": 5.0},
        {"cfg_scale": 0},
        {"cfg_scale": -7},
        {"width": "64"},
        {"styles": []},
        {"unknown_field": {"deep": [1, 2]}},
        {"script_args": [], "alwayson_scripts": {}},
        settings(a_key_of_an_extension=[1, {"deep": None}]),
        settings(a_key_of_an_extension=float("nan")),
        {"infotext": "no text of a picture at all"},
        {"infotext": "a\nSteps: many, Sampler: , Size: 0x, Seed: -"},
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_what_is_only_unusual_is_drawn(client, unusual):
    answer = post(client, {**TINY, **unusual})
    assert answer.status_code == 200, answer.text[:500]
    assert len(answer.json()["images"]) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"7", b'"text"', b"{not json", b"\xff\xfe\x00", b'{"steps": ' + b"9" * 5000 + b"}", b"[" * 100_000],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_a_body_that_is_no_request_answers_in_the_one_shape(client, body):
    answer = client.post("/sdapi/v1/txt2img", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text[:300]
    assert set(answer.json()) == SHAPE


@pytest.mark.parametrize("kind", ["text", "command"])
def test_a_checkpoint_that_cannot_be_loaded_answers_422_and_the_next_picture_is_the_same(
    client, house, all_parity_models, tmp_path, kind
):
    before = post(client, TINY).json()["images"]
    proof = tmp_path / "it-ran"
    path = all_parity_models / f"hostile-{kind}.ckpt"
    path.write_bytes(b"only words\n" if kind == "text" else f"cos\nsystem\n(S'touch {proof}'\ntR.".encode())
    try:
        assert client.post("/sdapi/v1/refresh-checkpoints").status_code == 200
        answer = post(client, {**TINY, **settings(sd_model_checkpoint=path.name)})
    finally:
        path.unlink()
        house.engine.shelf.refresh()
    assert answer.status_code == 422
    assert answer.json()["field"] == "sd_model_checkpoint"
    assert path.name in answer.json()["detail"]
    assert not proof.exists()
    assert post(client, TINY).json()["images"] == before


def test_a_wrong_setting_that_is_to_stay_changes_nothing(client, house):
    before = house.store.options
    answer = post(
        client,
        {**TINY, "override_settings": {"jpeg_quality": 10**9}, "override_settings_restore_afterwards": False},
    )
    assert answer.status_code == 422
    assert house.store.options == before


def test_a_picture_that_cannot_be_saved_is_answered_with_a_note(client, house, monkeypatch):
    from modules.imaging import writing

    def no_room(_):
        raise OSError(28, os.strerror(28))

    exact = post(client, TINY).json()
    monkeypatch.setattr(writing.os, "fsync", no_room)
    answer = post(client, {**TINY, "save_images": True})
    assert answer.status_code == 200
    assert answer.json()["images"] == exact["images"]
    assert "No space left" in json.loads(answer.json()["info"])["notes"][0]
    blind = post(client, {**TINY, "save_images": True, "send_images": False})
    assert blind.status_code == 500
    assert "No space left" in blind.json()["detail"]


def test_many_requests_leave_no_threads_and_no_open_files(client, tmp_path):
    saved = {"save_images": True, **settings(outdir_samples=str(tmp_path))}

    def open_things():
        process = psutil.Process()
        return threading.active_count(), process.num_fds()

    for _ in range(3):
        post(client, TINY)
    threads, files = open_things()
    for seed in range(20):
        assert post(client, {**TINY, "seed": seed, **saved}).status_code == 200
    after = open_things()
    assert after[0] <= threads + 2
    assert after[1] <= files + 2


def test_an_interrupt_over_the_api_answers_what_was_made(client, house):
    answers = []
    slow = {**TINY, "steps": 60, "n_iter": 20, "force_task_id": "task(long)"}
    waiting = threading.Thread(target=lambda: answers.append(post(client, slow)))
    waiting.start()
    seen = []
    while not seen or (seen[-1]["progress"] or 0) < 0.02:
        seen.append(
            client.post("/internal/progress", json={"id_task": "task(long)", "live_preview": True}).json()
        )
        assert waiting.is_alive() and len(seen) < 3000
    client.post("/sdapi/v1/interrupt")
    waiting.join(30)
    assert answers[0].status_code == 200
    pictures = [Image.open(io.BytesIO(base64.b64decode(text))) for text in answers[0].json()["images"]]
    assert 1 <= len(pictures) < 20
    assert np.asarray(pictures[0]).std() > 0
    shares = [answer["progress"] or 0 for answer in seen]
    assert shares == sorted(shares)
    assert all(answer["eta"] is None or answer["eta"] > 0 for answer in seen)
    ended = client.post("/internal/progress", json={"id_task": "task(long)"}).json()
    assert ended["completed"] and not ended["active"]
