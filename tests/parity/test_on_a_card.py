"""Recorded pictures on a graphics card: the reference was recorded on a processor, the noise is asked from there."""

import base64

import numpy as np
import pytest
import torch
from test_recorded_pictures import CASES, HERE, check

pytestmark = pytest.mark.gpu
if not torch.cuda.is_available():
    pytest.skip("there is no CUDA device", allow_module_level=True)

FAMILIES = ("tiny-sd1",)
"""The checkpoints of which every case is drawn, where they are at hand."""
HALF_MEAN, HALF_PEAK = 4.0, 60
"""Of 255: what half precision may change of a picture of few steps; another picture differs by dozens."""


def on_card(*flags):
    """A house that draws there, with a client for its API."""
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from modules.flags import parse_flags
    from modules.house import make_house
    from modules.rest import create_api

    house, app = make_house(parse_flags(flags, environment={})), FastAPI()
    create_api(app, house)
    return house, TestClient(app, "http://127.0.0.1", raise_server_exceptions=False)


@pytest.fixture(scope="module", params=["--no-half", "--precision=autocast"])
def card(request, all_parity_models, tmp_path_factory):
    """The precision, and a client."""
    folders = {
        "ckpt": "",
        "vae": "",
        "lora": "Lora",
        "embeddings": "embeddings",
        "hypernetwork": "hypernetworks",
    }
    flags = [f"--{kind}-dir={all_parity_models / name}" for kind, name in folders.items()]
    house, client = on_card(request.param, f"--data-dir={tmp_path_factory.mktemp('card')}", *flags)
    assert house.engine.policy.device.type == "cuda"
    # The reference's float32 has all of its bits.
    with torch.backends.cudnn.flags(allow_tf32=False):
        yield request.param, client
    house.close()
    torch.cuda.empty_cache()


def is_drawn_here(case):
    values = case["request"]
    checkpoint = values.get("override_settings", {}).get("sd_model_checkpoint", "tiny-sd1")
    return checkpoint.startswith(FAMILIES)


def with_noise_of_processors(values):
    settings = values.get("override_settings", {})
    source = settings.get("randn_source", "GPU")
    return {**values, "override_settings": {**settings, "randn_source": "CPU" if source == "GPU" else source}}


def difference(case, answer):
    """The largest mean and the largest 99.9th percentile of the differences from what was recorded."""
    means, peaks = [0.0], [0.0]
    for name, data in zip(case["expect"]["images"], answer["images"], strict=True):
        apart = np.abs(
            check.pixels((HERE / "cases" / name).read_bytes()) - check.pixels(base64.b64decode(data))
        )
        means.append(float(apart.mean()))
        peaks.append(float(np.percentile(apart, 99.9)))
    return max(means), max(peaks)


@pytest.mark.parametrize("case", [case for case in CASES if is_drawn_here(case)], ids=lambda case: case["id"])
def test_a_recorded_case_comes_out_on_a_card(case, card):
    precision, client = card
    answer = client.post(case["route"], json=with_noise_of_processors(case["request"]))
    assert answer.status_code == 200, answer.text[:400]
    if precision == "--no-half":
        assert check.judge(case, HERE / "cases", answer.json(), save=None) == ""
    else:
        mean, peak = difference(case, answer.json())
        assert mean < HALF_MEAN and peak < HALF_PEAK, (mean, peak)
