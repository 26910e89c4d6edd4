"""Connections to addresses that were judged, ended when their time is up."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["PORTS", "Connection", "Target"]

PORTS = {"http": 80, "https": 443}
CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Target:
    """Where a request goes: `path` with its query, `host` in ASCII."""

    scheme: str
    host: str
    port: int
    path: str


class Connection(http.client.HTTPConnection):
    """A connection to the first of `addresses` that answers, under the name of `target`; context: of HTTPS,
    None for HTTP. Whatever goes on over it ends at `deadline` (`time.monotonic`).
    """

    def __init__(
        self, target: Target, addresses: Sequence[str], context: ssl.SSLContext | None, deadline: float
    ) -> None:
        super().__init__(target.host, target.port)
        # Decides whether the header Host names the port.
        self.default_port = PORTS[target.scheme]
        self._target, self._addresses, self._context, self._deadline = target, addresses, context, deadline
        self._guard: threading.Timer | None = None
        self._double: socket.socket | None = None

    def connect(self) -> None:
        """Raises OSError."""
        plain = self._reached()
        # TLS takes the socket over; its double still ends it when time is up, whatever is going on.
        self._double = plain.dup()
        self._guard = threading.Timer(max(self._deadline - time.monotonic(), 0), _end, (self._double,))
        self._guard.daemon = True
        self._guard.start()
        self.sock = plain
        if self._context:
            self.sock = self._context.wrap_socket(plain, server_hostname=self._target.host)

    def end(self) -> None:
        """Close it and end the watch over its time; `close` alone comes before the body is read."""
        self.close()
        if self._guard and self._double:
            self._guard.cancel()
            _end(self._double)

    def _reached(self) -> socket.socket:
        failure = OSError("it has no address")
        for address in self._addresses:
            left = self._deadline - time.monotonic()
            if left <= 0:
                break
            try:
                return socket.create_connection(
                    (address, self._target.port), timeout=min(CONNECT_SECONDS, left)
                )
            except OSError as error:
                failure = error
        raise failure


def _end(double: socket.socket) -> None:
    with contextlib.suppress(OSError):
        double.shutdown(socket.SHUT_RDWR)
    double.close()
