"""Which names the program answers to, and which pages may call it: pure rules over headers.

A page of a stranger can let its name point to this machine (DNS rebinding), and can send requests to it from
the browser of a person who has the program running (cross-site request forgery). The first is seen in the
header Host, the second in Origin and Sec-Fetch-Site (Fetch Metadata, W3C).
"""

import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from modules.errors import InvalidRequest
from modules.flags import Flags

__all__ = ["Callers", "host_of"]

ANY = "*"
RELAYS = (".gradio.live", ".gradio.app")
HARMLESS_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def host_of(netloc: str) -> str:
    """The host of `host:port`, in small letters, without the brackets of an IPv6 address and a last dot."""
    text = netloc.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host = text.rpartition(":")[0] if re.fullmatch(r"[^:]*:\d*", text) else text
    return host.rstrip(".")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Callers:
    """Who may call. `hosts` are names besides addresses and localhost; `origins` are other pages' origins."""

    hosts: frozenset[str]
    origins: frozenset[str]
    origin_pattern: re.Pattern[str] | None = None
    relayed: bool = False

    @classmethod
    def from_flags(cls, flags: Flags) -> "Callers":
        """As the command line says. Raises InvalidRequest for a pattern that is none."""
        names = set(_words(flags.allowed_hosts))
        if flags.server_name:
            names.add(host_of(flags.server_name))
        if flags.listen or flags.server_name:
            own = socket.gethostname().lower()
            names |= {own, own.partition(".")[0], f"{own.partition('.')[0]}.local", socket.getfqdn().lower()}
        return cls(
            frozenset(names),
            frozenset(_words(flags.cors_allow_origins)),
            _pattern(flags.cors_allow_origins_regex),
            flags.share,
        )

    def answers_to(self, netloc: str) -> bool:
        """Whether a request that was sent to `netloc` (the header Host) is meant for this program.

        An address cannot be made to point elsewhere, so every address is one.
        """
        host = host_of(netloc)
        if host == "localhost" or host.endswith(".localhost") or _is_address(host) or ANY in self.hosts:
            return True
        return host in self.hosts or (self.relayed and host.endswith(RELAYS))

    def may_send(self, method: str, headers: Mapping[str, str]) -> bool:
        """Whether a page may have sent this: any may read what it is then not shown, only our own may change.

        `method` is "WEBSOCKET" for one. Programs that are no browser send neither header.
        """
        if method in HARMLESS_METHODS:
            return True
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        return self._is_own(origin, headers) or self.is_invited(origin)

    def is_invited(self, origin: str) -> bool:
        """Whether the command line lets pages of this origin call."""
        invited = ANY in self.origins or origin in self.origins
        return invited or bool(self.origin_pattern and self.origin_pattern.fullmatch(origin))

    def _is_own(self, origin: str, headers: Mapping[str, str]) -> bool:
        """Whether `origin` is where the request went to, by itself or through a proxy."""
        scheme, _, netloc = origin.lower().partition("://")
        if scheme not in ("http", "https"):
            return False
        # Foreign pages cannot set this header without being asked about first, which they are refused.
        ours = {headers.get("host", "").lower(), headers.get("x-forwarded-host", "").lower()}
        return netloc in ours or host_of(netloc) in self.hosts


def _words(text: str | None) -> list[str]:
    return [word.strip().lower() for word in (text or "").split(",") if word.strip()]


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise InvalidRequest(
            "cors_allow_origins_regex", f"--cors-allow-origins-regex is no regular expression: {error}."
        ) from error
