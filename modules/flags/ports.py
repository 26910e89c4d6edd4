"""The port that the server gets."""

import errno
import socket

from modules.errors import EaselError

__all__ = ["DEFAULT_PORT", "choose_port"]

DEFAULT_PORT = 7860
TRIES = 100


def choose_port(host: str, asked: int | None) -> int:
    """A free TCP port of `host`: `asked` itself, or without it 7860 or the next free one above.

    Raises EaselError when the port that was asked for is taken or forbidden, when `host` is no address of
    this machine, or when none of the hundred ports from 7860 on is free.
    """
    if asked is not None:
        if not 1 <= asked <= 65535:
            raise EaselError(f"--port {asked} is no port: give a number from 1 to 65535.")
        _try_port(host, asked)
        return asked
    for port in range(DEFAULT_PORT, DEFAULT_PORT + TRIES):
        try:
            _try_port(host, port)
        except _PortTakenError:
            continue
        return port
    last = DEFAULT_PORT + TRIES - 1
    raise EaselError(
        f"All ports from {DEFAULT_PORT} to {last} are taken: end another program, or give --port."
    )


class _PortTakenError(EaselError):
    """Another program listens there."""


def _try_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            # Windows otherwise lets two programs listen at one port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise _reason(host, port, error) from error


def _reason(host: str, port: int, error: OSError) -> EaselError:
    if isinstance(error, PermissionError) and port < 1024:
        return EaselError(f"Port {port} needs administrator's rights: give --port a number from 1024 on.")
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return EaselError(
            f"{host} is not an address of this machine: give another --server-name, or leave it out."
        )
    return _PortTakenError(
        f"Port {port} is taken by another program: end that program, give another --port, "
        "or leave --port out to use the next free one."
    )
