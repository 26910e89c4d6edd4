"""Talking to a server that may be dead the next moment."""

import http.client
import json
import socket
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["PROGRAM", "ask", "free_port", "until"]

PROGRAM = Path(__file__).resolve().parents[2]
QUIET = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(
    port: int, route: str, values: Any = None, headers: Mapping[str, str] | None = None, timeout: float = 300
) -> Any:
    """The JSON that a server on this machine answers; with `values` they are posted.

    Raises urllib.error.HTTPError for a refusal, another OSError where nobody answers.
    """
    data = None if values is None else json.dumps(values).encode()
    headers = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{route}", data, headers)
    try:
        with QUIET.open(request, timeout=timeout) as answer:
            return json.load(answer)
    except http.client.HTTPException as error:
        raise ConnectionError(f"The answer of {route} broke off.") from error


def until(condition: Callable[[], Any], seconds: float = 300, every: float = 0.02) -> Any:
    """The first true value of `condition`. Raises AssertionError when none came in time."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(every)
    return value
