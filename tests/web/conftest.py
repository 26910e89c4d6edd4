"""A real server in a process of its own, and a real browser that looks at it."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.trials.asking import ask, free_port, until
from tests.trials.lives import Nursery

CHROMIUM = "/usr/bin/chromium"
QUIET_BROWSER = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Program:
    """The program in a process of its own, over a data folder; it can be killed and started again."""

    def __init__(self, nursery: Nursery, folder: Path, checkpoints: Path) -> None:
        self.folder = folder
        self._nursery = nursery
        self._checkpoints = checkpoints
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self._process = 0

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = ["--data-dir", self.folder, "--ckpt-dir", self._checkpoints, "--port", self._port]
        self._process = self._nursery.run([*map(str, words)], self._log)
        until(lambda: self._is_over() or self._answers(), every=0.1)
        assert not self._is_over(), self._log.read_text()

    def kill(self) -> None:
        """End it as a crash does."""
        self._nursery.tell({"kill": self._process})

    def stop(self) -> None:
        """End it as the system does when it shuts down."""
        if not self._is_over():
            os.kill(self._process, signal.SIGTERM)
            until(self._is_over, 60, every=0.05)

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    def _is_over(self) -> bool:
        return self._nursery.tell({"poll": self._process}) is not None

    def _answers(self) -> bool:
        try:
            return ask(self._port, "/internal/ping") == {}
        except OSError:
            return False


@pytest.fixture(scope="session")
def nursery(tmp_path_factory) -> Iterator[Nursery]:
    """Starts programs quickly."""
    with Nursery(tmp_path_factory.mktemp("nursery") / "nursery.log") as nursery:
        yield nursery


@pytest.fixture(scope="session")
def make_program(nursery, tmp_path_factory, parity_models) -> Iterator[Callable[..., Program]]:
    """Starts programs with their own data folders and these settings; all are ended at the end."""
    made = []

    def make(checkpoints: Path = parity_models, **settings: Any) -> Program:
        folder = tmp_path_factory.mktemp("user")
        chosen = {"sd_model_checkpoint": "tiny-sd1.safetensors", **settings}
        (folder / "config.json").write_text(json.dumps(chosen))
        program = Program(nursery, folder, checkpoints)
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
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("request", self._note_request)
        page.goto(self._address)
        page.wait_for_function(
            "typeof formIsRecalled !== 'undefined' && formIsRecalled && 'jpeg_quality' in opts"
        )
        return page

    def _note_message(self, message: Any) -> None:
        if message.type == "error":
            self._note(f"{message.text} {message.location['url']}")

    def _note(self, said: str) -> None:
        if not any(tolerated in said for tolerated in self._tolerated):
            self.complaints.append(said)

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


@pytest.fixture(scope="module")
def kept_page(chromium, server):
    """A page that stays open from test to test, for what shows the server's state and keeps none of its own."""
    watch = Watch(chromium, server)
    yield watch()
    watch.close()
