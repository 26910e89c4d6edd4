"""A real server in a process of its own, and a real browser that looks at it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


class Program:
    """The program in a process of its own, over a data folder; it can be killed and started again."""

    def __init__(self, folder: Path, checkpoints: Path) -> None:
        self.folder = folder
        self._checkpoints = checkpoints
        self._port = _free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        flags = ["--data-dir", self.folder, "--ckpt-dir", self._checkpoints, "--port", self._port]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "COMMANDLINE_ARGS": ""}
        command = [sys.executable, "-c", START, *map(str, flags)]
        with (self.folder / "server.log").open("ab") as output:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        self._wait_until_it_answers()

    def kill(self) -> None:
        """End it as a crash does."""
        assert self._process
        self._process.kill()
        self._process.wait(30)

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        assert self._process
        self._process.terminate()
        self._process.wait(60)

    def _wait_until_it_answers(self) -> None:
        assert self._process
        log = self.folder / "server.log"
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            assert self._process.poll() is None, log.read_text()
            try:
                with urllib.request.urlopen(f"{self.address}/internal/ping", timeout=2):
                    return
            except OSError:
                time.sleep(0.3)
        raise AssertionError(f"The server did not answer:\n{log.read_text()}")


@pytest.fixture(scope="session")
def make_program(tmp_path_factory, parity_models) -> Iterator[Callable[..., Program]]:
    """Starts programs with their own data folders and these settings; all are ended at the end."""
    made = []

    def make(checkpoints: Path = parity_models, **settings: Any) -> Program:
        folder = tmp_path_factory.mktemp("user")
        chosen = {"sd_model_checkpoint": "tiny-sd1.safetensors", **settings}
        (folder / "config.json").write_text(json.dumps(chosen))
        program = Program(folder, checkpoints)
        made.append(program)
        program.start()
        return program

    yield make
    for program in made:
        program.stop()


@pytest.fixture(scope="session")
def program(make_program) -> Program:
    """The one that most tests share."""
    return make_program()


@pytest.fixture(scope="session")
def user_folder(program) -> Path:
    return program.folder


@pytest.fixture(scope="session")
def server(program) -> str:
    return program.address


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET_BROWSER)
        yield browser
        browser.close()


# What Gradio says when its page is left while it listens to the server, and what the browser says about an answer
# that refuses something, which the page shows in a sentence.
NO_ERRORS = (
    "AbortError: signal is aborted",
    "Connection errored out",
    "responded with a status of 409",
    "responded with a status of 422",
)
# What browsers and Gradio say, whatever a page does, when nobody answers it.
AWAY = ("net::ERR_", "Failed to fetch")


class Watch:
    """Opens pages; at the end none may have logged an error or asked another machine for anything."""

    def __init__(self, chromium: Any, address: str, tolerated: tuple[str, ...] = ()) -> None:
        self._chromium, self._address, self._tolerated = chromium, address, (*NO_ERRORS, *tolerated)
        self._contexts: list[Any] = []
        self.complaints: list[str] = []

    def __call__(self, **settings: Any) -> Any:
        context = self._chromium.new_context(**{"viewport": {"width": 1440, "height": 1000}, **settings})
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note_request)
        page.goto(self._address)
        page.wait_for_function(
            "typeof formIsRecalled !== 'undefined' && formIsRecalled && 'jpeg_quality' in opts"
        )
        return page

    def _note_message(self, message: Any) -> None:
        if message.type == "error" and not any(said in message.text for said in self._tolerated):
            self.complaints.append(message.text)

    def _note_request(self, request: Any) -> None:
        if not request.url.startswith((self._address, "data:", "blob:")):
            self.complaints.append(request.url)

    def close(self) -> None:
        """Close the pages and hear the complaints."""
        for context in self._contexts:
            context.close()
        assert not self.complaints


@pytest.fixture
def watched(chromium, server) -> Iterator[Watch]:
    watch = Watch(chromium, server)
    yield watch
    watch.close()


@pytest.fixture
def open_page(chromium):
    """Opens a page of a program that may go away."""
    watches = []

    def open_page(program):
        watches.append(Watch(chromium, program.address, AWAY))
        return watches[-1]()

    yield open_page
    for watch in watches:
        watch.close()


@pytest.fixture
def page(watched):
    page = watched()
    yield page
    page.evaluate("fetch('sdapi/v1/interrupt', {method: 'POST'})")
