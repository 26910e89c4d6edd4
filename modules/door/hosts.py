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
    if bracketed := re.fullmatch(r"\[([0-9a-f:.]*)\](:\d*)?", text):
        return bracketed[1]
    host = text.rpartition(":")[0] if re.fullmatch(r"[^:]*:\d*", text) else text
    return host.rstrip(".")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


@dataclass(frozen=True)
class Callers:
    """Who may call. `hosts` are names besides addresses and localhost; of these `proxied` may be the page's
    own name while the request came under another. `origins` are other pages' origins.
    """

    hosts: frozenset[str]
    origins: frozenset[str]
    proxied: frozenset[str] = frozenset()
    origin_pattern: re.Pattern[str] | None = None
    relayed: bool = False

    @classmethod
    def from_flags(cls, flags: Flags) -> "Callers":
        """As the command line says. Raises InvalidRequest for a pattern that is none."""
        proxied = frozenset(_words(flags.allowed_hosts))
        names = set(proxied)
        if flags.server_name:
            names.add(host_of(flags.server_name))
        if flags.listen or flags.server_name:
            own = socket.gethostname().lower()
            names |= {own, own.partition(".")[0], f"{own.partition('.')[0]}.local", socket.getfqdn().lower()}
        return cls(
            frozenset(names),
            frozenset(_words(flags.cors_allow_origins)),
            proxied,
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
        """Whether a page may have sent this. Foreign ones may lead a person here, and nothing else.

        `method` is "WEBSOCKET" for one. Programs that are no browser send none of the headers.
        """
        origin = headers.get("origin")
        if origin is not None and (self._is_own(origin, headers) or self.is_invited(origin)):
            return True
        is_ours = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        if method in HARMLESS_METHODS:
            return is_ours or headers.get("sec-fetch-mode") == "navigate"
        return is_ours and origin is None

    def is_invited(self, origin: str) -> bool:
        """Whether the command line lets pages of this origin call."""
        invited = ANY in self.origins or origin in self.origins
        return invited or bool(self.origin_pattern and self.origin_pattern.fullmatch(origin))

    @property
    def invites_anybody(self) -> bool:
        """Whether pages of any other origin may call."""
        return bool(self.origins or self.origin_pattern)

    def _is_own(self, origin: str, headers: Mapping[str, str]) -> bool:
        """Whether `origin` is where the request went to, by itself or through a proxy."""
        scheme, _, netloc = origin.lower().partition("://")
        if scheme not in ("http", "https"):
            return False
        # Foreign pages cannot set this header without being asked about first, which they are refused.
        ours = {headers.get("host", "").lower(), headers.get("x-forwarded-host", "").lower()}
        return netloc in ours or host_of(netloc) in self.proxied


def _words(text: str | None) -> list[str]:
    return [word.strip().lower() for word in (text or "").split(",") if word.strip()]


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise InvalidRequest(
            "cors_allow_origins_regex", f"--cors-allow-origins-regex is no regular expression: {error}."
        ) from error
