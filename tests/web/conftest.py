"""A real server in a process of its own, and a real browser that looks at it."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
QUIET_BROWSER = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
START = """
import sys
from modules.flags import parse_flags
from modules.server import serve
serve(parse_flags(sys.argv[1:]))
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_it_answers(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/internal/ping", timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"The server did not answer:\n{log.read_text()}")


@pytest.fixture(scope="session")
def user_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("user")
    (folder / "config.json").write_text('{"sd_model_checkpoint": "tiny-sd1.safetensors"}')
    return folder


@pytest.fixture(scope="session")
def server(user_folder, parity_models) -> Iterator[str]:
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    log = user_folder / "server.log"
    flags = ["--data-dir", str(user_folder), "--ckpt-dir", str(parity_models), "--port", str(port)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "COMMANDLINE_ARGS": ""}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", START, *flags], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        _wait_until_it_answers(address, process, log)
        yield address
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET_BROWSER)
        yield browser
        browser.close()


@pytest.fixture
def watched(chromium, server):
    """Opens pages; at the end none may have logged an error or asked another machine for anything."""
    complaints: list[str] = []
    contexts = []

    def open_page(**settings):
        context = chromium.new_context(**{"viewport": {"width": 1440, "height": 1000}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: _is_error(message) and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda request: _is_foreign(request.url, server) and complaints.append(request.url)
        )
        page.goto(server)
        page.wait_for_function(
            "typeof formIsRecalled !== 'undefined' && formIsRecalled && 'jpeg_quality' in opts"
        )
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


# What Gradio says when its page is left while it listens to the server, and what the browser says about an answer
# that refuses a value, which the page shows in a sentence.
NO_ERRORS = ("AbortError: signal is aborted", "Connection errored out", "responded with a status of 422")


def _is_error(message) -> bool:
    return message.type == "error" and not any(said in message.text for said in NO_ERRORS)


def _is_foreign(address: str, server: str) -> bool:
    return not address.startswith((server, "data:", "blob:"))


@pytest.fixture
def page(watched):
    page = watched()
    yield page
    page.evaluate("fetch('sdapi/v1/interrupt', {method: 'POST'})")
