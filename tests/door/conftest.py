"""A running server that serves others too, and ways to its routes and to the events of its page."""

import json
import re
import threading
import time
from collections.abc import Iterator, Sequence

import httpx
import pytest
import uvicorn
from starlette.routing import BaseRoute, Mount

from modules.flags import parse_flags
from modules.house import make_house
from modules.server import create_app

PART = re.compile(r"{(\w+)(:\w+)?}")
NEVER_ENDING = frozenset(
    {"/gradio_api/heartbeat/{session_hash}", "/easel/v1/events", "/gradio_api/queue/data"}
)
"""Streams that stay open as long as the caller."""


def places(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Method and path of every route, those of routers and mounted applications too."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from places(inner.routes, prefix + route.include_context.prefix)
        elif isinstance(route, Mount):
            below = prefix + route.path
            yield from places(route.routes, below) if route.routes else [("GET", below + "/{path:path}")]
        else:
            # A kind of route without a path or methods is one that this test does not know yet: it fails.
            yield from ((method, prefix + route.path) for method in route.methods)


class Page:
    """The page of a running server, for whoever calls its events as Gradio's own client does."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.config = client.get("/config").json()

    def component(self, elem_id: str) -> int:
        """The number of a component."""
        found = (each["id"] for each in self.config["components"] if each["props"].get("elem_id") == elem_id)
        return next(found)

    def events(self) -> list[dict]:
        """Those that the server works on."""
        return [each for each in self.config["dependencies"] if each["backend_fn"]]

    def event(self, number: int, data: object, headers: dict | None = None) -> tuple[bool, str]:
        """Whether the event went well, and all that it told."""
        session = f"s{time.monotonic_ns()}"
        body = json.dumps({"fn_index": number, "session_hash": session, "data": data})
        joined = self.client.post(
            "/gradio_api/queue/join",
            content=body,
            headers={"content-type": "application/json", **(headers or {})},
        )
        if joined.status_code != 200:
            assert joined.status_code < 500, joined.text
            return False, joined.text
        with self.client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as lines:
            for line in lines.iter_lines():
                if "process_completed" in line:
                    return json.loads(line.removeprefix("data:"))["success"], line
        raise AssertionError("the event never ended")


@pytest.fixture(scope="session")
def serve_page(tmp_path_factory, parity_models):
    """A function from words of the command line to the application and a client of it, served."""
    running = []

    def serve(*words: str, files: dict[str, str] | None = None):
        data = tmp_path_factory.mktemp("page")
        for name, text in (files or {}).items():
            (data / name).write_text(text)
        flags = ["--data-dir", str(data), "--ckpt-dir", str(parity_models), *words]
        house = make_house(parse_flags(flags, environment={}))
        app = create_app(house)
        server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="critical"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        latest = time.monotonic() + 60
        while not server.started:
            assert thread.is_alive() and time.monotonic() < latest
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        running.append((server, thread, client, house))
        return app, client, house

    yield serve
    for server, thread, client, house in running:
        client.close()
        server.should_exit = True
        thread.join(30)
        house.close()


@pytest.fixture(scope="session")
def open_to_others(serve_page):
    """The application with --listen, a client of it, and what stands behind it."""
    return serve_page("--listen")


@pytest.fixture(scope="session")
def page(open_to_others):
    """A client of the running server that serves others too."""
    return open_to_others[1]
