"""Every route with a part to fill in is tried with names that try to lead out: new ones by themselves."""

import json
import re
import time
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from modules.flags import parse_flags
from modules.house import make_house
from modules.server import create_app
from tests.door.conftest import NEVER_ENDING, PART, places

SECRET = "the secret of the neighbour"
LEAKED = re.compile(f"{SECRET}|root:x:|SQLite format")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a secret, and beside it the data folder of a program that serves others too."""
    place = tmp_path_factory.mktemp("place")
    (place / "far").mkdir()
    (place / "far" / "secret.png").write_text(SECRET)
    outputs = place / "user" / "outputs"
    outputs.mkdir(parents=True)
    (place / "user" / "config.json").write_text(json.dumps({"note": SECRET}))
    (place / "user" / "log").mkdir()
    (place / "user" / "log" / "link.png").symlink_to(place / "far" / "secret.png")
    (outputs / "linked").symlink_to(place / "far")
    return place


@pytest.fixture(scope="module")
def app(place, parity_models):
    flags = ["--data-dir", str(place / "user"), "--ckpt-dir", str(parity_models), "--listen"]
    house = make_house(parse_flags(flags, environment={}))
    yield create_app(house)
    house.close()


@pytest.fixture(scope="module")
def client(app):
    return TestClient(app, "http://127.0.0.1", raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture(scope="module")
def job(client):
    """The id of a job that has a picture, so that names below it are looked for."""
    model = {"override_settings": {"sd_model_checkpoint": "tiny-sd1"}}
    request = {"prompt": "a cat", "steps": 1, "width": 64, "height": 64, **model}
    job = client.post("/easel/v1/jobs", json={"request": request}).json()["id"]
    latest = time.monotonic() + 120
    while client.get(f"/easel/v1/jobs/{job}").json()["state"] in ("waiting", "running"):
        assert time.monotonic() < latest
        time.sleep(0.05)
    assert client.get(f"/easel/v1/jobs/{job}").json()["state"] == "done"
    return job


def attacks(place) -> list[str]:
    user = place / "user"
    texts = [
        str(place / "far/secret.png"), str(user / "config.json"), str(user / "outputs/linked/secret.png"),
        str(user / "log/link.png"), str(user / "easel.sqlite3"), f"{user}/outputs/../config.json",
        "../" * 9 + "etc/passwd", "..\\..\\config.json", "....//config.json", f"file://{user}/config.json",
        "\\\\host\\share\\x", "C:\\x", "CON", "NUL.png", "/dev/zero", "/dev/stdin", "/proc/self/environ",
        "a\0b", "．．/config.json", "x" * 5000, "-1", "1e999", "{}",
    ]  # fmt: skip
    return [
        *(quote(text, safe="") for text in texts),
        "%252e%252e%252fconfig.json",
        "%c0%ae%c0%ae/config.json",
    ]


def listing(place) -> set[str]:
    """What lies below `place`, but what the program keeps for itself and the pictures of the job."""
    own = ("user/cache", "user/easel", "user/outputs/")
    found = (path.relative_to(place).as_posix() for path in place.rglob("*"))
    return {name for name in found if not name.startswith(own)}


def addresses(path: str, attack: str, job: str) -> set[str]:
    """`path` with the attack in every part, and, below a job, with the job's id in the place of its own."""
    everywhere = PART.sub(lambda _: attack, path)
    below_a_job = PART.sub(lambda _: attack, path.replace("{job_id}", job))
    return {everywhere, below_a_job} if path.count("{") > 1 else {everywhere}


def test_no_route_with_a_part_to_fill_in_leads_out(app, client, place, job):
    tried = {
        (method, path) for method, path in places(app.routes) if "{" in path and path not in NEVER_ENDING
    }
    before = listing(place)
    for method, path in sorted(tried):
        for attack in attacks(place):
            for address in addresses(path, attack, job):
                answer = client.request(method, address, json={} if method in ("POST", "PUT") else None)
                assert answer.status_code < 500, (method, address, answer.text[:200])
                assert not LEAKED.search(answer.text), (method, address)
    assert listing(place) == before


def test_the_routes_that_are_tried_are_those_of_all_parts(app):
    paths = {path for _, path in places(app.routes)}
    known = {
        "/gradio_api/file={path_or_url:path}", "/gradio_api/file/{path:path}", "/static/{path:path}",
        "/internal/web/static/{path:path}", "/easel/v1/jobs/{job_id}/pictures/{name}",
        "/gradio_api/custom_component/{id}/{environment}/{type}/{file_name}",
    }  # fmt: skip
    assert known <= paths
    assert paths >= NEVER_ENDING


@pytest.mark.parametrize("path", ["shown?task", "jobs?tab"])
def test_no_question_of_the_page_leads_out(client, place, path):
    for attack in attacks(place):
        answer = client.get(f"/internal/web/{path}={attack}")
        assert answer.status_code in (200, 404), (path, attack, answer.text[:200])
        assert SECRET not in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "file=https://192.0.2.1/x",
        "file/http://192.0.2.1/x",
        "file=http:%2F%2Fx/",
        "proxy=https://192.0.2.1/x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_address_is_fetched_for_a_caller(client, method, address):
    answer = client.request(method, f"/gradio_api/{address}")
    assert answer.status_code == 422
    assert method == "HEAD" or "is an address" in answer.json()["detail"]
