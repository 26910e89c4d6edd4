"""The routes of the Batch sub-tab: what the form and the sub-tab say becomes a plan, or is refused in a sentence."""

import io
import time

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from modules.flags import parse_flags
from modules.house import make_house
from modules.server import create_app

FORM = {
    "prompt": "a cat", "steps": 1, "width": 64, "height": 64, "sampler_name": "Euler", "denoising_strength": 0.5,
    "seed": 3, "size_mode": 0,
}  # fmt: skip


def picture(size=(64, 64)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def program(tmp_path_factory, parity_models):
    """A program with a data folder of its own, and its routes."""
    words = ["--data-dir", str(tmp_path_factory.mktemp("batches")), "--ckpt-dir", str(parity_models)]
    house = make_house(parse_flags(words, environment={}))
    house.store.change({"sd_model_checkpoint": "tiny-sd1"})
    yield house, TestClient(create_app(house), "http://127.0.0.1", raise_server_exceptions=False)
    house.close()


def ended(client: TestClient) -> dict:
    """The only batch, once it is at rest."""
    end = time.monotonic() + 60
    while (batch := client.get("/internal/web/batches").json()[0])["state"] not in ("done", "stopped"):
        assert time.monotonic() < end
        time.sleep(0.02)
    return batch


def test_pictures_are_sent_one_by_one_and_resized_by_a_factor_each(program):
    house, client = program
    sent = {"tab": "img2img", "is_sent": True, "batch": {"output_folder": "out"}}
    sent["values"] = {**FORM, "size_mode": 1, "scale_by": 2}
    batch = client.post("/internal/web/batches", json=sent).json()
    place = f"/internal/web/batches/{batch['id']}"
    for name, data in (("a.png", picture()), ("b.png", picture((72, 40))), ("c.png", b"broken")):
        assert client.post(f"{place}/pictures", files={"picture": (name, data)}).json() == {"name": name}
    refused = client.post(f"{place}/pictures", files={"picture": ("d.txt", b"")})
    assert refused.status_code == 422 and "no ending of a picture" in refused.json()["detail"]
    assert client.post(f"{place}/begin").json()["total"] == 3
    found = ended(client)
    assert (found["done"], found["failed_count"], list(found["failed"])) == (3, 1, ["c.png"])
    sizes = {path.name: Image.open(path).size for path in (house.folders.data / "out").iterdir()}
    assert sizes == {"a.png": (128, 128), "b.png": (144, 80)}
    assert client.delete(place).status_code == 204
    assert client.get("/internal/web/batches").json() == []


@pytest.mark.parametrize(
    ("values", "batch", "field"),
    [
        ({}, {}, "input_folder"),
        ({"steps": 0}, {"input_folder": "in"}, "steps"),
        ({"sampler_name": "Dream"}, {"input_folder": "in"}, "sampler"),
        ({"size_mode": 1, "scale_by": -1}, {"input_folder": "in"}, "scale_by"),
        ({}, {"input_folder": "in", "mask_folder": "nowhere"}, "mask_folder"),
    ],
)
def test_what_cannot_be_is_refused_for_its_field(program, values, batch, field):
    house, client = program
    (house.folders.data / "in").mkdir(exist_ok=True)
    (house.folders.data / "in" / "a.png").write_bytes(picture())
    answer = client.post(
        "/internal/web/batches", json={"tab": "img2img", "values": FORM | values, "batch": batch}
    )
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["field"]
    assert client.get("/internal/web/batches").json() == []


@pytest.mark.parametrize("action", ["begin", "stop", "continue"])
def test_a_batch_that_is_not_there_is_said(program, action):
    answer = program[1].post(f"/internal/web/batches/none/{action}")
    assert answer.status_code == 404 and "no batch" in answer.json()["detail"]
