"""Stop, restart and kill over the API, at a real server in a process of its own."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from modules.flags import choose_port

PROGRAM = Path(__file__).parents[2]
LONG = {"prompt": "a cat", "steps": 10, "n_iter": 1000, "width": 64, "height": 64, "seed": 1, "save_images": True,
        "do_not_save_grid": True, "override_settings": {"sd_model_checkpoint": "tiny-sd1"}}  # fmt: skip


@pytest.fixture
def server(tmp_path, parity_models):
    """A server that may be ended over the API: its process, and a client for it."""
    port = choose_port("127.0.0.1", None)
    words = ["--nowebui", "--api-server-stop", "--skip-load-model-at-start", "--port", str(port)]
    words += ["--data-dir", str(tmp_path), "--ckpt-dir", str(parity_models)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COMMANDLINE_ARGS": ""}
    with (tmp_path / "server.log").open("w") as log, httpx.Client(base_url=f"http://127.0.0.1:{port}") as api:
        process = subprocess.Popen([sys.executable, "webui.py", *words], cwd=PROGRAM, env=environment, stdout=log, stderr=log)  # fmt: skip
        try:
            until(lambda: answers(api), process)
            yield process, api
        finally:
            process.kill()
            process.wait()


def answers(api) -> bool:
    try:
        return api.get("/internal/ping").status_code == 200
    except httpx.TransportError:
        return False


def until(condition, process, seconds: float = 180):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert process.poll() is None, "the server ended before its time"
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
    return found


def job_with_a_picture(process, api) -> str:
    url = api.post("/easel/v1/jobs", json={"request": LONG}).json()["url"]
    until(lambda: api.get(url).json()["pictures"], process)
    return url


@pytest.mark.slow
def test_a_restarted_server_goes_on_with_its_work(server, tmp_path):
    process, api = server
    url = job_with_a_picture(process, api)
    made = [picture["path"] for picture in api.get(url).json()["pictures"]]
    began = psutil.Process(process.pid).create_time()
    assert api.post("/sdapi/v1/server-restart").status_code == 200
    until(lambda: "Starting anew." in (tmp_path / "server.log").read_text(), process)
    until(lambda: answers(api), process)
    until(lambda: len(api.get(url).json()["pictures"]) > len(made), process)
    after = api.get(url).json()
    assert [picture["path"] for picture in after["pictures"]][: len(made)] == made
    assert after["state"] == "running"
    assert psutil.Process(process.pid).create_time() == began, "the same process, so that a console keeps it"
    assert api.post("/sdapi/v1/server-stop").status_code == 200
    assert process.wait(60) == 0
    assert "Traceback" not in (tmp_path / "server.log").read_text()


@pytest.mark.slow
def test_a_killed_server_has_answered(server):
    process, api = server
    job_with_a_picture(process, api)
    assert api.post("/sdapi/v1/server-kill").status_code == 200
    assert process.wait(30) == 0
