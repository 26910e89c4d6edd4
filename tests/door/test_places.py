"""Names in addresses and bodies that try to lead out of the folders that the program serves."""

import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from modules.flags import parse_flags
from modules.house import make_house
from modules.server import create_app

SECRET = "the secret of the neighbour"
PATHS = (
    "/gradio_api/file={}",
    "/file={}",
    "/static/{}",
    "/assets/{}",
    "/svelte/{}",
    "/pwa_icon/{}",
    "/internal/web/static/{}",
    "/internal/web/jobs?tab={}",
    "/internal/web/shown?task={}",
    "/easel/v1/jobs/{}",
    "/easel/v1/jobs/{}/pictures",
    "/easel/v1/jobs/{}/pictures/0",
    "/easel/v1/jobs?before={}",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory, parity_models):
    """A folder with a secret, and beside it the data folder of a program that serves others too."""
    place = tmp_path_factory.mktemp("place")
    (place / "secret.txt").write_text(SECRET)
    data = place / "user"
    (data / "outputs").mkdir(parents=True)
    (data / "config.json").write_text(
        json.dumps({"sd_model_checkpoint": "tiny-sd1.safetensors", "note": SECRET})
    )
    (data / "outputs" / "link.txt").symlink_to(place / "secret.txt")
    (data / "outputs" / "seen.txt").write_text("may be seen")
    return place


@pytest.fixture(scope="module")
def client(place, parity_models):
    flags = ["--data-dir", str(place / "user"), "--ckpt-dir", str(parity_models), "--listen"]
    house = make_house(parse_flags(flags, environment={}))
    yield TestClient(
        create_app(house), "http://127.0.0.1", raise_server_exceptions=False, follow_redirects=False
    )
    house.close()


def attacks(place: Path) -> list[str]:
    secret, config = place / "secret.txt", place / "user" / "config.json"
    outputs = place / "user" / "outputs"
    climbing = [f"{'../' * n}secret.txt" for n in range(1, 8)] + [
        f"{'..%2f' * n}secret.txt" for n in range(1, 4)
    ]
    return [
        str(secret), str(config), f"{outputs}/../../secret.txt", f"{outputs}/../config.json", f"{outputs}/link.txt",
        f"file://{secret}", f"/{secret}", f"//{secret}", *climbing, "....//....//secret.txt", "..\\..\\secret.txt",
        "%2e%2e%2fsecret.txt", "%252e%252e%252fsecret.txt", "..%c0%afsecret.txt", "\\\\host\\share\\secret.txt",
        "//host/share/secret.txt", "C:\\secret.txt", "C:secret.txt", "CON", "NUL.png", "aux", "/dev/zero", "/dev/stdin",
        "/proc/self/environ", "/etc/passwd", "secret.txt\0.png", "%00", "~/secret.txt", "．．/secret.txt", "x" * 5000,
    ]  # fmt: skip


def listing(place: Path) -> set[str]:
    """Every path below `place` but the program's own caches."""
    own = ("cache", "easel.sqlite3", "easel.lock")
    found = (path.relative_to(place).as_posix() for path in place.rglob("*"))
    return {name for name in found if not name.removeprefix("user/").startswith(own)}


@pytest.mark.parametrize("template", PATHS)
def test_no_address_leads_out_of_the_folders_that_are_served(client, place, template):
    before = listing(place)
    for attack in attacks(place):
        for text in (attack, quote(attack, safe=""), quote(attack)):
            if not text.isascii() or not text.isprintable():
                continue  # No client can send this as it is.
            answer = client.get(template.format(text))
            assert SECRET not in answer.text, (template, text)
            assert "root:" not in answer.text, (template, text)
            assert answer.status_code < 500, (template, text, answer.text[:200])
    assert listing(place) == before


def test_a_picture_among_the_outputs_is_served(client, place):
    answer = client.get(f"/gradio_api/file={place}/user/outputs/seen.txt")
    assert answer.text == "may be seen"


@pytest.mark.parametrize("form", ["/gradio_api/file={}", "/gradio_api/file/{}"])
@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x.png", "https://a.example/x.png"])
def test_no_address_elsewhere_is_fetched_for_who_asks_for_a_file(client, form, address):
    """Gradio by itself would fetch it."""
    answer = client.get(form.format(address))
    assert answer.status_code in (404, 422)
    if form.startswith("/gradio_api/file="):
        assert "is an address" in answer.json()["detail"]


@pytest.mark.parametrize(
    "values",
    [
        {"outdir_samples": "../../elsewhere"},
        {"outdir_txt2img_samples": "/tmp/elsewhere"},
        {"outdir_grids": "\\\\host\\share"},
        {"directories_filename_pattern": "../../[seed]"},
        {"samples_filename_pattern": "../../[seed]"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_no_request_of_others_saves_elsewhere(client, place, values):
    before = listing(place)
    request = {
        "prompt": "a cat",
        "steps": 1,
        "width": 64,
        "height": 64,
        "save_images": True,
        "override_settings": values,
    }
    answer = client.post("/sdapi/v1/txt2img", json=request)
    if answer.status_code == 200:
        assert all(name.startswith("user/outputs/") for name in listing(place) - before)
    else:
        assert answer.status_code == 422
        assert next(iter(values)) in answer.json()["detail"]
        assert listing(place) == before


@pytest.mark.parametrize("field", ["sd_model_checkpoint", "sd_vae"])
def test_no_name_of_a_model_is_a_path(client, place, field):
    for attack in attacks(place):
        if not attack.strip("x"):
            continue
        body = {
            "prompt": "a cat",
            "steps": 1,
            "width": 64,
            "height": 64,
            "override_settings": {field: attack},
        }
        answer = client.post("/sdapi/v1/txt2img", json=body)
        assert answer.status_code in (404, 422), (attack, answer.text[:200])
        assert SECRET not in answer.text


def test_what_is_uploaded_stays_where_uploads_go(client, place):
    before = listing(place)
    for name in ("../../../escaped.txt", "/tmp/escaped.txt", "..\\escaped.txt", "CON", "a\0b"):
        answer = client.post("/gradio_api/upload", files={"files": (name, b"text")})
        assert answer.status_code < 500
        for path in answer.json() if answer.status_code == 200 else []:
            assert (
                Path(path).resolve().is_relative_to(Path(os.environ.get("GRADIO_TEMP_DIR", "/tmp")).resolve())
            )
    assert listing(place) == before
