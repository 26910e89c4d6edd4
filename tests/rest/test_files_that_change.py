"""Files of models as people leave them: odd names, gone, written over, in the wrong folder, two of one name."""

import base64
import io
import json
import os
import sys
import time

import pytest
import torch
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from safetensors.torch import save_file

from modules.flags import parse_flags
from modules.house import make_house
from modules.rest import create_api

MODULE = "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q"
DRAWN = {"steps": 1, "width": 64, "height": 64, "seed": 1}


def network(path, scale=0.3, **metadata):
    generator = torch.Generator().manual_seed(3)
    up, down = (torch.randn(shape, generator=generator) * scale for shape in ((32, 4), (4, 32)))
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({f"{MODULE}.lora_up.weight": up, f"{MODULE}.lora_down.weight": down}, path, metadata)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory, parity_models):
    data = tmp_path_factory.mktemp("changing")
    models = data / "models" / "Stable-diffusion"
    models.mkdir(parents=True)
    for name in ("a", "gone"):
        (models / f"{name}.safetensors").symlink_to(parity_models / "tiny-sd1.safetensors")
        (models / f"{name}.yaml").symlink_to(parity_models / "tiny-sd1.yaml")
    return data


@pytest.fixture(scope="module")
def api(data):
    house = make_house(parse_flags(["--data-dir", str(data), "--nowebui"], environment={}))
    app = FastAPI()
    create_api(app, house)
    yield TestClient(app, raise_server_exceptions=False)
    house.close()


@pytest.fixture
def draw(api):
    def draw(prompt, model="a.safetensors"):
        values = {**DRAWN, "prompt": prompt, "override_settings": {"sd_model_checkpoint": model}}
        answer = api.post("/sdapi/v1/txt2img", json=values)
        assert answer.status_code == 200, answer.text
        info = json.loads(answer.json()["info"])
        picture = Image.open(io.BytesIO(base64.b64decode(answer.json()["images"][0])))
        return picture.tobytes(), info.get("notes", []), info["infotexts"][0]

    return draw


@pytest.fixture
def loras(data):
    folder = data / "models" / "Lora"
    yield folder
    for path in folder.rglob("*.safetensors"):
        path.unlink()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names there are text")
def test_names_that_are_no_text_stop_nothing(api, draw, data):
    made = []
    for folder in ("embeddings", "models/Lora", "models/hypernetworks", "models/VAE", "models/Stable-diffusion",
                   "models/ESRGAN", "models/Interrogators", "outputs"):  # fmt: skip
        (data / folder).mkdir(parents=True, exist_ok=True)
        for name in (b"caf\xe9.safetensors", b"caf\xe9.pt", b"caf\xe9.png"):
            made.append(os.path.join(os.fsencode(data / folder), name))  # noqa: PTH118
            open(made[-1], "wb").close()  # noqa: PTH123
    try:
        for route in ("sd-models", "sd-vae", "loras", "hypernetworks", "embeddings", "upscalers", "options"):
            answer = api.get(f"/sdapi/v1/{route}")
            assert answer.status_code == 200 and "caf" not in answer.text
        for kind in ("lora", "checkpoints", "hypernetworks", "textual_inversion"):
            assert api.get("/easel/v1/networks", params={"kind": kind, "anew": True}).status_code == 200
        _, notes, _ = draw("a cat <lora:café:1>")
        assert "There is no LoRA called café" in notes[0] and "caf\\xe9.safetensors in" in notes[0]
    finally:
        for path in made:
            os.unlink(path)  # noqa: PTH108


@pytest.mark.parametrize("what", ["deleted", "a link to nothing", "a folder"])
def test_a_checkpoint_that_is_gone_is_not_found_and_no_longer_listed(api, draw, data, parity_models, what):
    path = data / "models" / "Stable-diffusion" / f"g-{what}.safetensors"
    target = data / "target.safetensors"
    target.unlink(missing_ok=True)
    target.symlink_to(parity_models / "tiny-sd1.safetensors")
    path.symlink_to(target)
    path.with_suffix(".yaml").symlink_to(parity_models / "tiny-sd1.yaml")
    draw("a cat", path.name)
    if what == "a link to nothing":
        target.unlink()
    else:
        path.unlink()
    if what == "a folder":
        path.mkdir()
    for route, values in (
        ("/sdapi/v1/txt2img", {**DRAWN, "override_settings": {"sd_model_checkpoint": path.name}}),
        ("/easel/v1/merges", {"primary": path.name, "secondary": "a", "dry_run": True}),
        ("/easel/v1/conversions", {"checkpoint": path.name, "dry_run": True}),
    ):
        answer = api.post(route, json=values)
        assert answer.status_code == 404 and path.name in answer.json()["detail"], answer.text
    assert path.name not in [each["title"] for each in api.get("/sdapi/v1/sd-models").json()]
    path.with_suffix(".yaml").unlink()


def test_a_network_that_is_gone_is_a_note_and_one_written_over_is_read_anew(api, draw, loras):
    plain = draw("a cat")[0]
    path = network(loras / "w.safetensors", ss_output_name="first")
    weak, notes, text = draw("a cat <lora:w:1>")
    assert weak != plain and notes == [] and draw("a cat <lora:first:1>")[0] == weak
    stamp = path.stat()
    network(path, scale=0.9, ss_output_name="other")
    assert path.stat().st_size == stamp.st_size
    strong, _, other_text = draw("a cat <lora:w:1>")
    assert strong not in (plain, weak) and draw("a cat <lora:other:1>")[0] == strong
    assert text.partition("Lora hashes")[2] != other_text.partition("Lora hashes")[2]
    (listed,) = api.get("/sdapi/v1/loras").json()
    assert (listed["alias"], listed["metadata"]["ss_output_name"]) == ("other", "other")
    path.unlink()
    drawn, notes, _ = draw("a cat <lora:w:1>")
    assert drawn == plain and notes == ["There is no LoRA called w; the picture is drawn without it."]


def test_a_new_embedding_is_known_without_a_refresh(draw, data):
    plain = draw("a zork")[0]
    save_file({"emb_params": torch.ones(1, 64)}, data / "embeddings" / "zork.safetensors")
    drawn, _, text = draw("a zork")
    assert drawn != plain and "TI hashes" in text
    (data / "embeddings" / "zork.safetensors").unlink()
    assert draw("a zork")[0] == plain


def test_the_second_of_two_files_of_one_name_has_a_name_and_a_note(api, draw, loras):
    network(loras / "one" / "twin.safetensors")
    network(loras / "two" / "twin.safetensors", scale=0.9)
    first, notes, _ = draw("a cat <lora:twin:1>")
    assert "two/twin" in notes[0]
    second, notes, _ = draw("a cat <lora:two/twin:1>")
    assert second != first and notes == []
    cards = api.get("/easel/v1/networks", params={"kind": "lora", "anew": True}).json()["cards"]
    notes = {card["prompt"]: card["remark"] for card in cards}
    assert notes["<lora:twin:1>"] == "" and "prompts call this one two/twin" in notes["<lora:two/twin:1>"]


def test_a_network_among_the_checkpoints_is_a_network(api, draw, data):
    path = network(data / "models" / "Stable-diffusion" / "stray.safetensors")
    try:
        assert "stray" not in str(api.get("/sdapi/v1/sd-models").json())
        cards = api.get("/easel/v1/networks", params={"kind": "lora", "anew": True}).json()["cards"]
        assert "among the checkpoints" in {card["name"]: card["remark"] for card in cards}["stray"]
        assert draw("a cat <lora:stray:1>")[0] != draw("a cat")[0]
        baked = {
            "primary": "a",
            "interp_method": "No interpolation",
            "loras": [{"name": "stray"}],
            "dry_run": True,
        }
        planned = api.post("/easel/v1/merges", json=baked).json()
        assert planned["with_loras"] == 1 and "among the checkpoints" in planned["notes"][0]
        chosen = api.post("/sdapi/v1/options", json={"sd_model_checkpoint": "stray"})
        assert chosen.status_code == 404 and "is a LoRA, not a checkpoint" in chosen.json()["detail"]
    finally:
        path.unlink()


@pytest.mark.parametrize("text", ["^(([a-z_.0-9])+)+!$", r"^((\w|\w\w)*\1)+!$"])
def test_an_expression_without_end_ends_within_a_second(api, text):
    started = time.monotonic()
    values = {"primary": "a", "secondary": "a", "dry_run": True, "discard_weights": text}
    answer = api.post("/easel/v1/merges", json=values)
    assert answer.status_code in (200, 422)
    assert answer.status_code == 200 or answer.json()["field"] == "discard_weights"
    assert time.monotonic() - started < 5
