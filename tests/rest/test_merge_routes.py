"""Merges and conversions over the API: planned, written in the background, refused, ended."""

import hashlib
import threading
import time
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from modules.flags import parse_flags
from modules.house import make_house
from modules.merging import MergeStopped, bench
from modules.rest import create_api

MODEL = "tiny-sd1"
MERGES, CONVERSIONS = "/easel/v1/merges", "/easel/v1/conversions"


def client_of(house):
    app = FastAPI()
    create_api(app, house)
    return TestClient(app, raise_server_exceptions=False)


def house_of(data, parity_models, *flags):
    """A house over a data folder whose checkpoints are its own: new ones are written beside them."""
    models = data / "models" / "Stable-diffusion"
    models.mkdir(parents=True)
    for name in (f"{MODEL}.safetensors", f"{MODEL}.yaml"):
        (models / name).symlink_to(parity_models / name)
    return make_house(parse_flags(["--data-dir", str(data), "--nowebui", *flags], environment={}))


@pytest.fixture(scope="module")
def merging_house(tmp_path_factory, parity_models):
    house = house_of(tmp_path_factory.mktemp("merging"), parity_models)
    yield house
    house.close()


@pytest.fixture(scope="module")
def api(merging_house):
    return client_of(merging_house)


@pytest.fixture
def merge(api):
    """Asks for a merge of a model with itself; gives the answer."""
    return lambda **values: api.post(MERGES, json={"primary": MODEL, "secondary": MODEL, **values})


@pytest.fixture
def held(monkeypatch):
    """Merges begin to run and write nothing until they are stopped."""
    begun = threading.Event()

    def run_merge(plan, watcher):
        watcher.on_progress("Writing", 1, 4)
        begun.set()
        while not watcher.should_stop():
            time.sleep(0.01)
        raise MergeStopped

    monkeypatch.setattr(bench, "run_merge", run_merge)
    return begun


def ended(api, answer):
    """The task that `answer` began, once it has ended."""
    assert answer.status_code == 202, answer.text
    for _ in range(600):
        task = api.get(answer.headers["location"]).json()
        if task["state"] not in ("waiting", "running"):
            return task
        time.sleep(0.05)
    raise AssertionError("it does not end")


def files_of(house):
    return sorted(path.name for path in house.folders.checkpoints[0].iterdir())


def test_a_dry_run_tells_what_would_be_written_and_writes_nothing(merge, merging_house):
    before = files_of(merging_house)
    answer = merge(custom_name="planned", dry_run=True)
    assert answer.status_code == 200
    planned = answer.json()
    assert planned["name"] == "planned.safetensors"
    assert 26_000_000 < planned["size"] < 27_000_000
    assert (planned["mismatched_count"], planned["refusal"], planned["replaces"]) == (0, None, False)
    assert planned["merged"] > 600
    assert files_of(merging_house) == before


def test_a_merge_is_written_in_the_background_and_stands_in_the_list_of_checkpoints_at_once(
    api, merge, merging_house
):
    task = ended(api, merge(custom_name="half", multiplier=0.5))
    assert (task["state"], task["error"], task["checkpoint"]) == ("done", None, "half.safetensors")
    listed = {model["model_name"]: model for model in api.get("/sdapi/v1/sd-models").json()}
    written = Path(listed["half"]["filename"])
    assert written.stat().st_size == task["planned"]["size"]
    assert hashlib.sha256(written.read_bytes()).hexdigest() == task["sha256"] == listed["half"]["sha256"]
    assert api.get(MERGES).json()["merges"][0]["id"] == task["id"]


def test_a_file_is_replaced_only_by_wish(api, merge):
    first = ended(api, merge(custom_name="twice"))
    refused = merge(custom_name="twice", multiplier=0.9)
    assert refused.status_code == 409
    assert "twice.safetensors" in refused.json()["detail"]
    second = ended(api, merge(custom_name="twice", multiplier=0.9, overwrite=True))
    assert (first["state"], second["state"]) == ("done", "done")


@pytest.mark.parametrize(
    ("values", "status", "field"),
    [
        ({"interp_method": "Formula", "formula": "A*0.5 + "}, 422, "formula"),
        ({"interp_method": "Formula", "formula": "A*0.5 + Q*0.5"}, 422, "formula"),
        ({"primary": "no such model"}, 404, None),
        ({"multiplier": "much"}, 422, "multiplier"),
        ({"custom_name": "../../escaped"}, 422, "custom_name"),
        ({"discard_weights": "("}, 422, "discard_weights"),
        ({"metadata_json": "[1]"}, 422, "metadata_json"),
        ({"mutliplier": 0.5}, 422, "mutliplier"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_before_anything_is_begun(
    api, merge, merging_house, values, status, field
):
    tasks, files = len(api.get(MERGES).json()["merges"]), files_of(merging_house)
    answer = merge(**values)
    assert answer.status_code == status, answer.text
    assert answer.json()["field"] == field
    assert len(answer.json()["detail"]) > 20
    assert (len(api.get(MERGES).json()["merges"]), files_of(merging_house)) == (tasks, files)


def test_a_conversion_is_followed_as_a_merge_is(api):
    answer = api.post(
        CONVERSIONS, json={"checkpoint": MODEL, "checkpoint_format": "ckpt", "custom_name": "old"}
    )
    task = ended(api, answer)
    assert (task["state"], task["checkpoint"]) == ("done", "old.ckpt")
    assert "old" in {model["model_name"] for model in api.get("/sdapi/v1/sd-models").json()}


def test_one_is_written_at_a_time_and_what_is_interrupted_leaves_no_file(api, merge, merging_house, held):
    before = files_of(merging_house)
    running, waiting = merge(custom_name="running"), merge(custom_name="waiting")
    assert held.wait(10)
    states = [api.get(answer.headers["location"]).json() for answer in (running, waiting)]
    assert [task["state"] for task in states] == ["running", "waiting"]
    assert (states[0]["stage"], states[0]["progress"]) == ("Writing", 0.25)
    assert merge(custom_name="waiting").status_code == 409
    for answer in (waiting, running):
        api.post(f"{answer.headers['location']}/interrupt")
    assert [ended(api, answer)["state"] for answer in (running, waiting)] == ["interrupted"] * 2
    assert files_of(merging_house) == before


def test_an_error_while_it_is_written_is_told_and_the_next_one_goes_on(api, merge, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(bench, "run_merge", lambda plan, watcher: 1 / 0)
        task = ended(api, merge(custom_name="broken"))
    assert task["state"] == "failed"
    assert "division by zero" in task["error"]["detail"]
    assert ended(api, merge(custom_name="broken"))["state"] == "done"


def test_a_merge_that_is_not_there_is_a_404(api):
    assert api.get(f"{MERGES}/nothing").status_code == 404
    assert api.post(f"{MERGES}/nothing/interrupt").status_code == 404


@pytest.mark.parametrize(("flags", "status"), [([], 403), (["--enable-insecure-folder-access"], 202)])
def test_strangers_write_no_checkpoints_unless_a_flag_lets_them(tmp_path, parity_models, flags, status):
    house = house_of(tmp_path, parity_models, "--listen", *flags)
    try:
        api = client_of(house)
        body = {"checkpoint": MODEL, "custom_name": "mine"}
        answer = api.post(CONVERSIONS, json=body)
        assert answer.status_code == status
        if status == 403:
            assert "--listen" in answer.json()["detail"]
            assert api.post(CONVERSIONS, json={**body, "dry_run": True}).status_code == 200
            assert files_of(house) == [f"{MODEL}.safetensors", f"{MODEL}.yaml"]
        else:
            assert ended(api, answer)["state"] == "done"
    finally:
        house.close()


def test_closing_the_program_ends_what_is_written_and_takes_no_more(tmp_path, parity_models, held):
    house = house_of(tmp_path, parity_models)
    api = client_of(house)
    body = {"primary": MODEL, "interp_method": "No interpolation", "custom_name": "late"}
    task = api.post(MERGES, json=body)
    assert held.wait(10)
    house.close()
    assert api.get(task.headers["location"]).json()["state"] == "interrupted"
    assert "closed" in api.post(MERGES, json={**body, "custom_name": "later"}).json()["detail"]
