"""Settings that cannot be: refused when they are set, and drawn without where they stood in the file."""

import json

import pytest
from fastapi.testclient import TestClient

from modules.flags import parse_flags
from modules.house import make_house
from modules.server import create_app

BASE = {"steps": 1, "width": 64, "height": 64, "seed": 1}
GONE = {
    "sd_model_checkpoint": "v1-5-pruned-emaonly.safetensors [6ce0161689]",
    "sd_vae": "gone.pt",
    "cross_attention_optimization": "xformers",
    "upscaler_for_img2img": "R-ESRGAN 4x+",
    "outdir_samples": "a\0b",
    "img2img_background_color": "nocolor",
}


@pytest.fixture(scope="module")
def moved_in(tmp_path_factory, parity_models, parity_reference):
    """A program whose settings file is another program's, of another machine."""
    data = tmp_path_factory.mktemp("moved")
    values = json.loads((parity_reference / "options.json").read_text()) | GONE
    (data / "config.json").write_text(json.dumps(values))
    arguments = ["--data-dir", str(data), "--ckpt-dir", str(parity_models), "--nowebui"]
    house = make_house(parse_flags(arguments, environment={}))
    yield TestClient(create_app(house), "http://127.0.0.1", raise_server_exceptions=False)
    house.close()


def post(client, path: str, body: object):
    return client.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("img2img_background_color", "", "a colour as in CSS"),
        ("img2img_background_color", "nocolor", "a colour as in CSS"),
        ("img2img_background_color", "rgb(300,0,0)", "a colour as in CSS"),
        ("outdir_samples", "a\0b", "no path has the character"),
        ("outdir_grids", "a\nb", "no path has the character"),
        ("outdir_save", "x" * 256, "at most 255 bytes"),
        ("outdir_save", "x/" * 2000, "at most 3000 bytes"),
        ("outdir_txt2img_samples", "~nobody-of-this-name/x", "no such user"),
        ("outdir_samples", "\ud800", "surrogate"),
        ("samples_filename_pattern", "a\x07", "control character"),
        ("directories_filename_pattern", "x" * 10_001, "at most 10000 characters"),
        ("api_useragent", "a\r\nX: y", "of ASCII"),
        ("sd_vae", "not-here.pt", "No VAE is called"),
        ("sd_lora", "not-here", "No LoRA is called"),
        ("sd_hypernetwork", "not-here", "No hypernetwork is called"),
        ("upscaler_for_img2img", "not-here", "No upscaler is called"),
        ("cross_attention_optimization", "xformers", "not installed"),
        ("sigma_max", 1e30, "at most 1e+12"),
        ("eta_noise_seed_delta", 10**40, "at most 1e+12"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_set(own_house, key, value, said):
    client = TestClient(create_app(own_house), "http://127.0.0.1", raise_server_exceptions=False)
    before = own_house.store.options
    for path, body in (
        ("/sdapi/v1/options", {key: value}),
        ("/sdapi/v1/txt2img", {**BASE, "override_settings": {key: value}}),
    ):
        answer = post(client, path, body)
        assert answer.status_code == 422, answer.text
        assert said in answer.json()["detail"]
    assert own_house.store.options == before


def test_another_machines_settings_stop_no_picture_and_are_said(moved_in, caplog):
    answers = [post(moved_in, "/sdapi/v1/txt2img", BASE) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    for answer in answers:
        notes = " ".join(json.loads(answer.json()["info"])["notes"])
        assert "6ce0161689" in notes
        assert 'No VAE is called "gone.pt"' in notes
        assert "xformers" in notes
    assert sum('No VAE is called "gone.pt"' in record.message for record in caplog.records) <= 1


def test_what_the_settings_are_can_be_sent_back(moved_in):
    options = moved_in.get("/sdapi/v1/options").json()
    assert options["sd_vae"] == "gone.pt"
    assert post(moved_in, "/sdapi/v1/options", options).status_code == 200


def test_unknown_settings_of_callers_are_bounded(own_house):
    client = TestClient(create_app(own_house), "http://127.0.0.1", raise_server_exceptions=False)
    deep: object = 1
    for _ in range(260):
        deep = [deep]
    for values in (
        {f"k{number}": number for number in range(3000)},
        {"deep": deep},
        {"long": "x" * 100_000},
        {"n" * 1000: 1},
        {f"much{number}": "x" * 15_000 for number in range(100)},
    ):
        for path, body in (
            ("/sdapi/v1/options", values),
            ("/sdapi/v1/txt2img", {**BASE, "override_settings": values}),
        ):
            answer = post(client, path, body)
            # What is too deep is already no body for any route.
            assert answer.status_code == (400 if "deep" in values else 422), answer.text
    assert post(client, "/sdapi/v1/options", {"of_a_client": {"a": [1]}}).status_code == 200
    assert client.get("/sdapi/v1/options").json()["of_a_client"] == {"a": [1]}


def test_unknown_settings_are_not_copied_into_each_job(moved_in, own_house):
    from modules.generation import Txt2ImgRequest

    own_house.change_settings({f"more{number}": "x" * 1000 for number in range(100)})
    order = own_house.order(Txt2ImgRequest(**BASE))
    assert len(order.model_dump_json()) < 20_000
