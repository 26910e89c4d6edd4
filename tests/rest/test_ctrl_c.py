"""Ctrl-C in the middle of a picture, at a real server in a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

PROGRAM = Path(__file__).parents[2]
LONG = {
    "prompt": "a cat",
    "steps": 10,
    "n_iter": 1000,
    "width": 64,
    "height": 64,
    "seed": 1,
    "save_images": True,
    "override_settings": {"sd_model_checkpoint": "tiny-sd1", "grid_save": False, "return_grid": False},
}


def call(port: int, route: str, values: dict | None = None, timeout: float = 120):
    data = None if values is None else json.dumps(values).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{route}", data, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.load(answer)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def server(tmp_path, parity_models):
    """A server without the page, ready: the process and its port. What it writes goes to `server.log`."""
    port = free_port()
    command = [
        sys.executable,
        "webui.py",
        "--nowebui",
        "--api",
        "--port",
        str(port),
        "--data-dir",
        str(tmp_path),
    ]
    command += ["--ckpt-dir", str(parity_models), "--skip-load-model-at-start"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COMMANDLINE_ARGS": ""}
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=PROGRAM, env=environment, stdout=log, stderr=log)
        try:
            until(lambda: "Running on local URL" in (tmp_path / "server.log").read_text(), process)
            until(lambda: answers(port), process)
            yield process, port
        finally:
            process.kill()
            process.wait()


def answers(port: int) -> bool:
    try:
        return call(port, "/internal/ping") == {}
    except OSError:
        return False


def until(condition, process: subprocess.Popen, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the server ended before its time"
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.skipif(os.name == "nt", reason="signals are another matter on Windows")
def test_ctrl_c_ends_the_server_in_seconds_and_everybody_gets_an_answer(server, tmp_path):
    process, port = server
    got = {}

    def ask(name: str, values: dict) -> None:
        try:
            got[name] = call(port, "/sdapi/v1/txt2img", values)
        except urllib.error.HTTPError as error:
            got[name] = json.load(error)

    running = threading.Thread(target=ask, args=("running", LONG))
    waiting = threading.Thread(target=ask, args=("waiting", {**LONG, "n_iter": 1}))
    running.start()
    until(lambda: len(list(tmp_path.rglob("*.png"))) >= 2, process)
    waiting.start()
    until(lambda: call(port, "/internal/pending-tasks")["size"] == 1, process)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert process.wait(20) in (0, 130)
    assert time.monotonic() - began < 10
    running.join(5)
    waiting.join(5)
    log = (tmp_path / "server.log").read_text()
    assert "Traceback" not in log and "Error" not in log, log

    saved = sorted(tmp_path.rglob("*.png"))
    for path in saved:
        Image.open(path).load()
    assert not list(tmp_path.rglob("*.tmp"))
    assert len(got["running"]["images"]) in (len(saved), len(saved) + 1)
    assert "stopped before it began" in got["waiting"]["detail"]
