"""Names to network addresses, within a time."""

import queue
import socket
import threading
from collections.abc import Callable, Sequence

__all__ = ["LookUpTooLong", "Resolver", "look_up", "look_up_within"]

Resolver = Callable[[str, int], Sequence[str]]
"""Name and port to addresses. Raises OSError for a name that has none."""


class LookUpTooLong(OSError):
    """The system did not find the name in time."""


def look_up(host: str, port: int) -> list[str]:
    """The addresses of `host` as the system knows them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def look_up_within(seconds: float, resolver: Resolver, host: str, port: int) -> Sequence[str]:
    """What `resolver` finds. Raises what it raises, and LookUpTooLong.

    The system's own look-up knows no time limit and cannot be ended: one that takes too long is left behind
    in a thread of its own until the system gives it up.
    """
    answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolver(host, port))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        found = answers.get(timeout=max(seconds, 0))
    except queue.Empty:
        raise LookUpTooLong(host) from None
    if isinstance(found, Exception):
        raise found
    return found
