"""How many connections there may be, and how long they may say nothing: at a running server."""

import asyncio
import socket
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn

from modules.door import connections
from modules.door.connections import Connections, backlog_for, bound_for, protocol_for


async def answering(scope, receive, send):
    """Answers at once; at /slow it says one half, and the other much later."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    if scope["path"] == "/slow":
        await send({"type": "http.response.body", "body": b"o", "more_body": True})
        await asyncio.sleep(30)
    await send({"type": "http.response.body", "body": b"ok"[scope["path"] == "/slow" :]})


@contextmanager
def served(bounds):
    config = uvicorn.Config(
        answering, "127.0.0.1", 0, log_level="critical", lifespan="off", http=protocol_for(bounds),
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


def connected(port, sent=b""):
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(sent)
    return connection


def answer_of(connection):
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    return connection.recv(100)


def is_ended(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_past_the_bound_the_longest_silent_makes_room_and_a_working_one_does_not():
    with ExitStack() as opened, served(Connections(4)) as port:
        working = opened.enter_context(connected(port, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"))
        assert b"200 OK" in working.recv(1000)
        silent = [opened.enter_context(connected(port)) for _ in range(20)]
        new = opened.enter_context(connected(port))
        assert b"200 OK" in answer_of(new)
        assert all(is_ended(each) for each in silent[:16])
        working.settimeout(0.1)
        with pytest.raises(TimeoutError):
            while working.recv(1) in (b"o", b"\r", b"\n"):
                pass


def test_who_says_nothing_or_a_part_of_his_request_is_ended(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(connections, "SWEEP_SECONDS", 0.05)
    bounds = Connections(10)
    with ExitStack() as opened, served(bounds) as port:
        protocol = protocol_for(bounds)
        assert protocol.bounds is bounds
        monkeypatch.setattr(connections.BoundProtocol, "is_stale", quick_stale)
        for sent in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX: "):
            assert is_ended(opened.enter_context(connected(port, sent)))


def quick_stale(connection, now):
    """As it is, but for the time that a connection is kept after an answer."""
    return connection.is_idle and now - connection.since > connections.HEAD_SECONDS


def test_one_address_has_its_own_bound_and_this_machine_has_none():
    class Silent:
        is_idle, since = False, 0.0

        def __init__(self, address):
            self.address = address

    bounds = Connections(most=1000, of_one=3)
    others = [bounds.enter(Silent("203.0.113.9"), "203.0.113.9") for _ in range(5)]
    assert others == [True, True, True, False, False]
    assert all(bounds.enter(Silent("127.0.0.1"), "127.0.0.1") for _ in range(50))
    assert bounds.enter(Silent("203.0.113.10"), "203.0.113.10")
    leaving = Silent("203.0.113.11")
    bounds.enter(leaving, leaving.address)
    bounds.leave(leaving, leaving.address)
    bounds.leave(leaving, leaving.address)
    assert "203.0.113.11" not in bounds.by_address


@pytest.mark.parametrize("available", [64, 128, 256, 1024, 4096, 1_000_000])
def test_a_part_of_the_descriptors_is_kept_for_the_programs_own_files(available):
    taken = bound_for(available) + backlog_for(available)
    assert available - taken >= min(512, available // 2)
    assert bound_for(available) >= available // 4 or bound_for(available) == 2000


def test_where_the_system_does_not_say_the_bound_is_fixed():
    assert bound_for(None) == 512
