"""Connections have bounds: how many there are, in all and of one address, and how long they may say nothing.

Each takes a file descriptor, and the program needs some for its own files: for the pictures of a running job,
for the database. So a part of them is kept back. Where the bound is met, a connection that waits for nothing
makes room for the new one.
"""

import asyncio
import ipaddress
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Connections", "backlog_for", "bound_for", "descriptors", "protocol_for"]

MOST = 2000
WITHOUT_LIMITS = 512
"""Where the system does not say how many descriptors there are, as on Windows."""
RESERVE = 512
"""Descriptors for the program's own files, where there are many; else a half of them."""
BACKLOG = 128
"""Connections that the system keeps waiting. Those are taken at once, before any of them can be refused."""
OF_ONE_ADDRESS = 128
HEAD_SECONDS = 20.0
"""How long a connection may take to say what it wants."""
UNREAD_SECONDS = 120.0
"""How long an answer may wait for its reader to take more of it."""
SWEEP_SECONDS = 2.0


def descriptors() -> int | None:
    """How many files and connections this process may have open, made as many as the system lets it; None
    where the system has no such bound.
    """
    try:
        import resource
    except ImportError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * (MOST + RESERVE)
    most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return None if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):
        return soft
    return most


def bound_for(available: int | None) -> int:
    """How many connections there may be with so many descriptors."""
    if available is None:
        return WITHOUT_LIMITS
    kept = min(RESERVE, available // 2)
    return max(min(MOST, available - kept - backlog_for(available)), 4)


def backlog_for(available: int | None) -> int:
    """How many may wait to be taken, with so many descriptors."""
    return BACKLOG if available is None or available >= 8 * BACKLOG else max(available // 8, 4)


@dataclass
class Connections:
    """Those that are open. `most` in all, `of_one` of each address but this machine's own, from where a proxy
    may bring many visitors.
    """

    most: int
    of_one: int = OF_ONE_ADDRESS
    open: dict["BoundProtocol", None] = field(default_factory=dict)
    by_address: Counter[str] = field(default_factory=Counter)

    def enter(self, connection: "BoundProtocol", address: str) -> bool:
        """Whether there is room for a new one, if need be in the place of one that waits for nothing."""
        alone = not _is_here(address) and self.by_address[address] >= self.of_one
        if (alone or len(self.open) >= self.most) and not self._make_room(address if alone else None):
            return False
        self.open[connection] = None
        self.by_address[address] += 1
        return True

    def leave(self, connection: "BoundProtocol", address: str) -> None:
        """A connection has ended."""
        if self.open.pop(connection, connection) is None:
            self.by_address[address] -= 1
            if self.by_address[address] <= 0:
                del self.by_address[address]

    def _make_room(self, address: str | None) -> bool:
        """End the connection that has waited for nothing the longest; of `address`, if one is named."""
        idle = [each for each in self.open if each.is_idle and address in (None, each.address)]
        if not idle:
            return False
        min(idle, key=lambda each: each.since).end()
        return True


def _is_here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True


class BoundProtocol(H11Protocol):
    """A connection of HTTP that is counted, and ended when it is silent where it should speak."""

    bounds: Connections
    _sweeping: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn has it; where there is no room the connection ends at once."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self.since = time.monotonic()
        self._unread: float | None = None
        if not self.bounds.enter(self, self.address):
            self.end()
            return
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn has it."""
        self.bounds.leave(self, self.address)
        if self._sweeping:
            self._sweeping.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """As uvicorn has it; from now on it waits for its next request."""
        self.since = time.monotonic()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """As uvicorn has it: the other side does not take what it asked for."""
        self._unread = time.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        """As uvicorn has it."""
        self._unread = None
        super().resume_writing()

    @property
    def is_idle(self) -> bool:
        """Whether no request is being worked on here."""
        return self.cycle is None or self.cycle.response_complete

    def is_stale(self, now: float) -> bool:
        """Whether it was silent for too long, before its request or while it should take the answer."""
        if self._unread is not None:
            return now - self._unread > UNREAD_SECONDS
        return self.is_idle and now - self.since > max(HEAD_SECONDS, self.timeout_keep_alive)

    def end(self) -> None:
        """End it at once."""
        self.bounds.leave(self, self.address)
        self.transport.abort()

    def _watch(self) -> None:
        if self.is_stale(time.monotonic()):
            self.end()
        else:
            self._sweeping = self.loop.call_later(SWEEP_SECONDS, self._watch)


def protocol_for(bounds: Connections) -> Any:
    """The protocol class of a server with these bounds, as uvicorn's setting `http` wants it."""
    return type("CountedProtocol", (BoundProtocol,), {"bounds": bounds})
