"""Verifying over the API: a picture of a job, or one that is sent, is made again and compared."""

import base64
import io
import threading
import time

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from modules.server import create_app

TINY = {
    "prompt": "a cat",
    "steps": 2,
    "width": 64,
    "height": 64,
    "seed": 7,
    "sampler_name": "Euler a",
    "batch_size": 2,
}


@pytest.fixture(scope="module")
def easel(own_house):
    return TestClient(create_app(own_house), "http://127.0.0.1", raise_server_exceptions=False)


@pytest.fixture(scope="module")
def job(easel):
    answer = easel.post("/easel/v1/jobs", json={"request": TINY, "save": True}).json()
    end = time.monotonic() + 60
    while easel.get(answer["url"]).json()["state"] not in ("done", "failed"):
        assert time.monotonic() < end
        time.sleep(0.05)
    return answer


def verify(easel, **question):
    return easel.post("/easel/v1/verify", json=question)


@pytest.mark.parametrize("name", ["0", "1", "grid"])
def test_a_picture_of_a_job_is_made_again(easel, job, name):
    answer = verify(easel, job=job["id"], name=name)
    assert answer.status_code == 200
    assert answer.json()["kind"] == "same bits"
    assert answer.json()["pixels"] == {"largest": 0, "mean": 0.0, "box": None}
    assert answer.json()["differences"] == answer.json()["notes"] == []


def test_a_picture_that_is_sent_is_made_again_and_nothing_of_it_stays(easel, job, own_house):
    before = [each.id for each in own_house.queue.jobs()]
    saved = sorted(own_house.folders.outputs.rglob("*.*"))
    data = easel.get(f"{job['url']}/pictures/1").content
    assert verify(easel, picture=base64.b64encode(data).decode()).json()["kind"] == "same bits"
    assert [each.id for each in own_house.queue.jobs()] == before
    assert sorted(own_house.folders.outputs.rglob("*.*")) == saved


def test_an_answered_picture_of_the_fields_api_is_proved_too(easel):
    answer = easel.post("/sdapi/v1/txt2img", json={**TINY, "seed": 21}).json()
    verdicts = [verify(easel, picture=image).json() for image in answer["images"]]
    assert [verdict["kind"] for verdict in verdicts] == ["same bits"] * 2


def test_what_carries_nothing_is_a_verdict_and_no_error(easel):
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "PNG")
    answer = verify(easel, picture=base64.b64encode(file.getvalue()).decode())
    assert (answer.status_code, answer.json()["kind"]) == (200, "cannot")
    assert "neither a record nor a generation text" in answer.json()["sentence"]


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ({}, 422),
        ({"picture": "AAAA", "job": "x"}, 422),
        ({"picture": "AAAA"}, 422),
        ({"job": "task(none)"}, 404),
        ({"picture": "", "wait_seconds": 1e9}, 422),
    ],
)
def test_a_question_about_no_picture_is_refused(easel, question, status):
    answer = verify(easel, **question)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_a_picture_that_the_job_does_not_have_is_refused(easel, job):
    assert verify(easel, job=job["id"], name="9").status_code == 404


def test_it_waits_no_longer_than_it_was_told(easel, job, own_house):
    own_house.queue.pause()
    try:
        answer = verify(easel, job=job["id"], wait_seconds=0.1).json()
    finally:
        own_house.queue.resume()
    assert answer["kind"] == "cannot"
    assert "did not come to its end" in answer["sentence"]
    assert not own_house.queue.waiting()


def test_it_goes_before_the_jobs_that_wait_and_after_the_one_that_runs(easel, job, own_house):
    own_house.queue.pause()
    waiting = easel.post("/easel/v1/jobs", json={"request": {**TINY, "n_iter": 3}}).json()["id"]
    found: list[dict] = []
    asking = threading.Thread(target=lambda: found.append(verify(easel, job=job["id"]).json()))
    asking.start()
    end = time.monotonic() + 30
    while len(own_house.queue.waiting()) < 2:
        assert time.monotonic() < end
        time.sleep(0.02)
    first, second = own_house.queue.waiting()
    assert (first.source, second.id) == ("verify", waiting)
    own_house.queue.resume()
    asking.join(60)
    own_house.queue.wait(own_house.queue.get(waiting), 60)
    assert found[0]["kind"] == "same bits"


def test_a_verification_that_a_person_skips_is_no_verdict_about_the_picture(easel, own_house):
    image = easel.post("/sdapi/v1/txt2img", json={**TINY, "steps": 150, "batch_size": 1}).json()["images"][0]
    found: list[dict] = []
    asking = threading.Thread(target=lambda: found.append(verify(easel, picture=image).json()))
    asking.start()
    end = time.monotonic() + 30
    while not (running := own_house.queue.running()) or not running[0].progress:
        assert time.monotonic() < end
        time.sleep(0.005)
    own_house.queue.skip()
    asking.join(60)
    assert found[0]["kind"] == "cannot", found
