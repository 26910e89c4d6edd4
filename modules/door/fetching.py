"""Pictures named by their address: fetched only where that is allowed, and from the public internet alone.

A caller could otherwise reach through the program what only this machine reaches (server-side request
forgery). So a name is looked up once, every address of it is judged, and the connection goes to a judged
address itself: a name that points elsewhere a moment later gains nothing.
"""

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from modules.door.addresses import is_public
from modules.door.connecting import PORTS, Connection, Target
from modules.door.lookup import LookUpTooLong, Resolver, look_up, look_up_within
from modules.errors import EaselError, InvalidRequest
from modules.flags import Flags
from modules.settings import Options

__all__ = ["FetchRules", "TooManyFetches", "fetch_picture"]

MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
LOOK_UP_SECONDS = 10.0
RETRY_SECONDS = 5
CHUNK = 2**16
LONGEST_SHOWN = 100


@dataclass(frozen=True)
class FetchRules:
    """What may be fetched and from where; bounds in bytes and in seconds for all of it."""

    enabled: bool = True
    public_only: bool = True
    user_agent: str = "Easel"
    verify_tls: bool = True
    most_bytes: int = 100 * 2**20
    seconds: float = 60.0
    look_up: Resolver = look_up

    @classmethod
    def of(cls, options: Options, flags: Flags) -> "FetchRules":
        """As the settings and the command line say."""
        return cls(
            enabled=options.api_enable_requests,
            public_only=options.api_forbid_local_requests,
            user_agent=options.api_useragent or cls.user_agent,
            verify_tls=flags.disable_tls_verify is not False,
        )

    def within(self, most_bytes: int, seconds: float) -> "FetchRules":
        """The same with what is left of a larger bound, if that is less."""
        return replace(
            self, most_bytes=min(self.most_bytes, most_bytes), seconds=min(self.seconds, max(seconds, 0.0))
        )


class TooManyFetches(EaselError):
    """Others are fetched already; in `retry_after` seconds there may be a place."""

    retry_after = RETRY_SECONDS

    def __init__(self) -> None:
        super().__init__(
            "Too many pictures are being fetched by their addresses at the moment. Try again in a few "
            "seconds, or send the picture itself in base64."
        )


class _Refused(Exception):
    """Why nothing is fetched, as the end of a sentence that begins with the host."""


def fetch_picture(field: str, url: str, rules: FetchRules) -> bytes:
    """The file at `url`. Blocks for up to `rules.seconds`; no proxy, cookie or password is used.

    Raises InvalidRequest for `field`, with the host and the reason and nothing else of the address.
    """
    if not rules.enabled:
        raise InvalidRequest(
            field,
            f"{field} is an address, and fetching is switched off; send the file itself in base64, or switch "
            "on the setting api_enable_requests.",
        )
    deadline = time.monotonic() + rules.seconds
    host = "The address"
    try:
        for _ in range(MOST_REDIRECTS + 1):
            target = _target(url)
            host = ascii(target.host[:LONGEST_SHOWN])[1:-1]
            found = _asked(target, rules, deadline)
            if isinstance(found, bytes):
                return found
            url = urljoin(url, found)
        raise _Refused(f"redirects more than {MOST_REDIRECTS} times")
    except _Refused as refused:
        reason = str(refused)
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = time.monotonic() >= deadline
        reason = f"took longer than {rules.seconds:g} seconds" if late else _failure(error)
    raise InvalidRequest(field, f"{field} was not fetched: {host} {reason}. Send the file itself in base64.")


def _target(url: str) -> Target:
    """Raises _Refused for what is no address that is fetched."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "")
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError:
        raise _Refused("cannot be understood") from None
    if parts.scheme not in PORTS:
        raise _Refused("leads to something that is neither http:// nor https://")
    if "@" in parts.netloc:
        raise _Refused("holds a name or password, and none is sent")
    if not host or port == 0:
        raise _Refused("names no host")
    return Target(parts.scheme, host, port or PORTS[parts.scheme], _path(parts))


def _path(parts: SplitResult) -> str:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return quote(path, safe="/%:?@!$&'()*+,;=-._~[]|")


def _asked(target: Target, rules: FetchRules, deadline: float) -> bytes | str:
    """The file, or where the answer redirects to. Raises _Refused, OSError, HTTPException, ValueError."""
    seconds = min(LOOK_UP_SECONDS, deadline - time.monotonic())
    addresses = look_up_within(seconds, rules.look_up, target.host, target.port)
    if rules.public_only and not all(is_public(address) for address in addresses):
        raise _Refused("has an address that is not of the public internet, and such are not asked")
    with contextlib.ExitStack() as stack:
        context = _context(rules) if target.scheme == "https" else None
        connection = Connection(target, addresses, context, deadline)
        stack.callback(connection.end)
        headers = {"User-Agent": rules.user_agent, "Accept": "image/*,*/*;q=0.5", "Connection": "close"}
        connection.request("GET", target.path, headers=headers)
        response = connection.getresponse()
        location = response.getheader("Location")
        if response.status in REDIRECTS and location:
            return location
        if response.status != 200:
            raise _Refused(f"answered with status {response.status}")
        return _body(response, rules, deadline)


def _body(response: http.client.HTTPResponse, rules: FetchRules, deadline: float) -> bytes:
    told, data = response.length, bytearray()
    too_large = _Refused(f"sends more than the {rules.most_bytes / 2**20:g} MB that are fetched")
    if told is not None and told > rules.most_bytes:
        raise too_large
    for chunk in _chunks(response):
        data += chunk
        if len(data) > rules.most_bytes:
            raise too_large
    if time.monotonic() >= deadline:
        raise TimeoutError
    if told is not None and len(data) < told:
        raise _Refused("ended its answer early")
    return bytes(data)


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while chunk := response.read1(CHUNK):
        yield chunk


def _context(rules: FetchRules) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not rules.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _failure(error: Exception) -> str:
    """The rest of the sentence; nothing of the answer is in it."""
    if isinstance(error, LookUpTooLong):
        return "was not found in time"
    if isinstance(error, socket.gaierror):
        return "is not known"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that is not valid: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "does not answer"
    if isinstance(error, OSError):
        return "cannot be reached"
    if isinstance(error, http.client.HTTPException):
        return "broke off, or gave an answer that is not HTTP"
    return "cannot be asked: the address or the user agent holds characters that cannot be sent"
