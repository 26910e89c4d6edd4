"""Whatever goes wrong inside, the answer has its status and the one shape."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from modules.checkpoints.opening import open_tensors
from modules.errors import EaselError, InvalidRequest, NotFound, UnusableFile
from modules.jobs import QueueClosed, QueueFull, StoreUnavailable, WrongState
from modules.rest.errors import install_error_answers, status_of

FAILURES = [
    (InvalidRequest("width", "width cannot be that."), 422),
    (NotFound("There is no such picture."), 404),
    (WrongState("The job has ended."), 409),
    (QueueFull("Too many jobs wait.", 7), 429),
    (StoreUnavailable("The database is locked.", is_full=False), 503),
    (StoreUnavailable("The disk is full.", is_full=True), 507),
    (EaselError("It failed, and this is why."), 500),
    (ZeroDivisionError("division by zero"), 500),
    (QueueClosed(), 503),
]


@pytest.fixture(scope="module")
def client():
    app = FastAPI()
    install_error_answers(app)

    @app.get("/fail/{number}")
    def fail(number: int) -> None:
        raise FAILURES[number][0]

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(("number", "status"), [(n, status) for n, (_, status) in enumerate(FAILURES)])
def test_an_error_has_its_status_and_says_why(client, number, status):
    error = FAILURES[number][0]
    answer = client.get(f"/fail/{number}")
    assert answer.status_code == status
    body = answer.json()
    assert set(body) == {"error", "detail", "errors", "field"}
    assert body["error"] == type(error).__name__
    assert str(error) in body["detail"]
    assert "Traceback" not in answer.text
    assert body["field"] == getattr(error, "field", None)


def test_a_full_queue_says_when_to_come_again(client):
    assert client.get("/fail/3").headers["retry-after"] == "7"
    assert "retry-after" not in client.get("/fail/1").headers


def test_an_error_that_nobody_expected_is_in_the_log_with_its_trace(client, caplog):
    client.get("/fail/7")
    assert "ZeroDivisionError" in caplog.text and "Traceback" in caplog.text


UNREADABLE = {
    "empty.safetensors": b"",
    "noise.safetensors": b"\xff" * 500,
    "page.ckpt": b"<html>404</html>",
    "cut.ckpt": b"PK\x03\x04" + b"\0" * 50,
    "cut.pt": b"\x80\x02}q\0",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_of_a_model_that_cannot_be_read_is_the_callers_to_mend(tmp_path, name):
    (tmp_path / name).write_bytes(UNREADABLE[name])
    with pytest.raises(UnusableFile) as refused:
        open_tensors(tmp_path / name)
    assert status_of(refused.value) == 422
    assert name in str(refused.value)
