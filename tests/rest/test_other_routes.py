"""The routes that list, tell and set."""

import base64
import io
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from modules.flags import parse_flags
from modules.house import make_house
from modules.rest import Ending, ServerControl, create_api


@pytest.mark.parametrize(
    "route",
    ["samplers", "schedulers", "sd-models", "upscalers", "latent-upscale-modes", "memory", "cmd-flags", "options",
     "progress", "scripts", "embeddings"],
)  # fmt: skip
def test_every_list_of_the_field_has_something_in_it(client, route):
    answer = client.get(f"/sdapi/v1/{route}")
    assert answer.status_code == 200, answer.text
    assert answer.json()


@pytest.mark.parametrize("route", ["face-restorers", "realesrgan-models", "extensions"])
def test_what_this_version_has_none_of_is_an_empty_list(client, route):
    assert client.get(f"/sdapi/v1/{route}").json() == []


def test_scripts_are_described_as_the_field_describes_them(client, parity_reference):
    """The recorded program's answer, but for the words of its note."""

    def by_name(scripts: list[dict]) -> dict:
        return {
            script["name"]: [
                {key: value for key, value in argument.items() if key != "value" or argument["label"]}
                for argument in script["args"]
            ]
            for script in scripts
            if script["is_img2img"] and not script["is_alwayson"]
        }

    ours = by_name(client.get("/sdapi/v1/script-info").json())
    recorded = by_name(json.loads((parity_reference / "script-info.json").read_text()))
    assert list(ours) == client.get("/sdapi/v1/scripts").json()["img2img"]
    assert len(ours) >= 2
    assert ours == {name: recorded[name] for name in ours}


def test_checkpoints_have_titles_with_their_hash(client):
    from_list = {item["model_name"]: item for item in client.get("/sdapi/v1/sd-models").json()}
    assert "tiny-sd1" in from_list
    assert from_list["embeddings_tiny-emb2"]["filename"].endswith("tiny-emb2.safetensors")


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


@pytest.mark.parametrize(
    "image",
    [
        "",
        "not a picture",
        "data:image/png;base64,AAAA",
        "e" * 1000,
        "http://127.0.0.1/x.png",
        "HTTPS://x.y/z",
    ],
)
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


def test_a_method_that_a_route_does_not_take_is_refused_with_those_it_takes(client):
    answer = client.delete("/sdapi/v1/options")
    assert answer.status_code == 405
    assert "GET" in answer.json()["detail"] or "POST" in answer.json()["detail"]
    assert answer.headers["allow"]


def test_network_files_are_listed_with_what_their_headers_tell(house, client, parity_models):
    folders = [(house.folders.loras[0], "Lora"), (house.folders.embeddings[0], "embeddings"),
               (house.folders.hypernetworks[0], "hypernetworks")]  # fmt: skip
    for folder, name in folders:
        shutil.copytree(parity_models / name, folder / "below", dirs_exist_ok=True)
    (house.folders.embeddings[0] / "below" / "tiny-emb.preview.png").write_bytes(b"")
    loras = {item["name"]: item for item in client.get("/sdapi/v1/loras").json()}
    assert loras["tiny-lora"]["alias"] == "tiny-lora"
    assert loras["tiny-lora"]["metadata"]["ss_network_module"] == "networks.lora"
    assert loras["tiny-lora"]["path"].endswith("tiny-lora.safetensors")
    # The one in the sub-folder has the name of another: it is called by its place.
    names = [item["name"] for item in client.get("/sdapi/v1/hypernetworks").json()]
    assert names == ["below/tiny-hyper", "tiny-hyper"]
    torch.save({"string_to_param": {"*": torch.zeros(1, 768)}}, house.folders.embeddings[0] / "wide.pt")
    house.engine.preload(house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1"}))
    embeddings = client.get("/sdapi/v1/embeddings").json()
    names = {"tiny-emb", "tiny-emb2", "below/tiny-emb", "below/tiny-emb2"}
    assert set(embeddings["loaded"]) == names
    emb = embeddings["loaded"]["tiny-emb"]
    assert (emb["shape"], emb["vectors"], emb["step"]) == (64, 3, 10)
    assert (embeddings["skipped"]["wide"]["shape"], set(embeddings["skipped"])) == (768, {"wide"})
    house.engine.unload()
    assert set(client.get("/sdapi/v1/embeddings").json()["skipped"]) == names | {"wide"}
    for kind in ("loras", "embeddings", "vae", "checkpoints"):
        assert client.post(f"/sdapi/v1/refresh-{kind}").status_code == 200


def test_a_checkpoint_is_let_go_and_brought_back(house, client):
    assert client.post("/sdapi/v1/options", json={"sd_model_checkpoint": "tiny-sd1"}).status_code == 200
    assert client.post("/sdapi/v1/reload-checkpoint").status_code == 200
    assert house.engine.model.checkpoint.stem == "tiny-sd1"
    assert client.post("/sdapi/v1/unload-checkpoint").status_code == 200
    assert house.engine.model is None


def test_the_program_tells_what_it_is(client):
    assert client.get("/internal/ping").json() == {}
    hints = {hint["name"]: hint["label"] for hint in client.get("/internal/quicksettings-hint").json()}
    assert hints["CLIP_stop_at_last_layers"]
    startup = client.get("/internal/profile-startup").json()
    assert 0 < startup["total"] < 3600 and startup["records"]


def test_the_report_for_bug_reports_holds_no_secret(all_parity_models, tmp_path):
    flags = [
        "--data-dir",
        str(tmp_path),
        "--api-auth",
        "name:hidden-word",
        "--ckpt-dir",
        str(all_parity_models),
    ]
    (tmp_path / "config.json").write_text('{"samples_format": "webp", "extension_api_key": "hidden-word"}')
    house = make_house(parse_flags(flags, environment={}))
    app = FastAPI()
    create_api(app, house)
    with TestClient(app) as client:
        report = client.get("/internal/sysinfo")
        file = client.get("/internal/sysinfo-download")
        flags = client.get("/sdapi/v1/cmd-flags")
    house.close()
    assert "hidden-word" not in report.text + file.text + flags.text
    assert report.json()["Config"]["samples_format"] == "webp"
    assert any("--api-auth" in line for line in report.json()["Commandline"])
    assert any(line.startswith("torch==") for line in report.json()["Packages"])
    assert "attachment" in file.headers["content-disposition"]
    assert "content-disposition" not in report.headers


def test_routes_that_end_the_server_need_their_flag(house, client):
    for name in ("stop", "restart", "kill"):
        assert client.post(f"/sdapi/v1/server-{name}").status_code == 404


def test_with_their_flag_they_ask_the_server_to_end(house):
    asked = []
    control = ServerControl()
    control.on_ask = asked.append
    app = FastAPI()
    create_api(app, replace(house, flags=replace(house.flags, api_server_stop=True)), control)
    for name in ("stop", "restart", "kill"):
        assert TestClient(app).post(f"/sdapi/v1/server-{name}").status_code == 200
    assert asked == [Ending.STOP, Ending.RESTART, Ending.KILL]
    assert control.asked is Ending.KILL


@pytest.mark.skipif(os.name == "nt", reason="file names are text there")
@pytest.mark.parametrize("route", ["sd-models", "sd-vae", "loras", "hypernetworks", "embeddings"])
def test_a_file_name_that_is_no_text_does_not_cost_the_list(own_house, route):
    folders = own_house.folders
    folder = {"sd-models": folders.checkpoints, "sd-vae": folders.vae, "loras": folders.loras,
              "hypernetworks": folders.hypernetworks, "embeddings": folders.embeddings}[route][0]  # fmt: skip
    paths = [os.fsencode(folder) + b"/odd-\xff" + end for end in (b".safetensors", b".pt")]
    for path in paths:
        Path(os.fsdecode(path)).write_bytes(b"only words")
    even = Path(folder, "even.safetensors" if route != "hypernetworks" else "even.pt")
    even.write_bytes(b"only words")
    own_house.engine.shelf.refresh()
    own_house.engine.vae_shelf.refresh()
    app = FastAPI()
    create_api(app, own_house)
    answer = TestClient(app).get(f"/sdapi/v1/{route}")
    for path in paths:
        Path(os.fsdecode(path)).unlink()
    even.unlink()
    assert answer.status_code == 200
    assert "odd-" not in answer.text, "it is passed over: nothing could name it"
    assert "even" in answer.text


def test_what_a_trainer_wrote_that_is_no_text_does_not_cost_the_list(own_house):
    header = b'{"__metadata__": {"ss_tag_frequency": "{\\"a\\": {\\"b\\": 1}}", "odd": "\\ud800"}}'
    path = own_house.folders.loras[0] / "odd.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    app = FastAPI()
    create_api(app, own_house)
    lora = TestClient(app).get("/sdapi/v1/loras").json()[0]
    assert lora["metadata"] == {"ss_tag_frequency": {"a": {"b": 1}}, "odd": "?"}
