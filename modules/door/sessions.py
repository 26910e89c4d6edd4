"""Sessions of people who have logged in: a signed cookie, so that a restart logs nobody out."""

import contextlib
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

__all__ = ["COOKIE", "EndedSessions", "Sessions", "session_key"]

COOKIE = "easel-session"
LIFETIME = 30 * 24 * 3600
KEY_BYTES = 32


class EndedSessions(Protocol):
    """Keeps which sessions were ended before their time: digests of their tokens, and until when."""

    def load(self, now: float) -> dict[str, float] | None:
        """The digests that are kept, with the moment when each session would have run out by itself; None
        when they cannot be read now.
        """
        ...

    def add(self, digest: str, until: float) -> None:
        """Keep one more."""
        ...


class _InMemory:
    """For an application without a database: what was ended is known as long as the program runs."""

    def load(self, now: float) -> dict[str, float]:
        return {}

    def add(self, digest: str, until: float) -> None:
        pass


class Sessions:
    """Makes and checks the tokens. `key` signs them; another key makes all of them void.

    `ended` outlives the program, so that a token which was ended stays so after a restart.
    """

    def __init__(
        self, key: bytes, clock: Callable[[], float] = time.time, ended: EndedSessions | None = None
    ) -> None:
        self._key, self._clock = key, clock
        self._kept = _InMemory() if ended is None else ended
        self._known: dict[str, float] | None = None

    def new_token(self) -> str:
        """A token for LIFETIME seconds."""
        ends = f"{int(self._clock()) + LIFETIME}.{secrets.token_hex(8)}"
        return f"{ends}.{self._signature(ends)}"

    def end(self, token: str) -> None:
        """Make `token` void until it would have run out, also after a restart."""
        if not self.is_valid(token):
            return
        now, until = self._clock(), float(token.partition(".")[0])
        still = {digest: moment for digest, moment in self._ended().items() if moment > now}
        self._known = {**still, _digest(token): until}
        self._kept.add(_digest(token), until)

    def is_valid(self, token: str) -> bool:
        """Whether `token` was made here and has neither run out nor been ended."""
        ends, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), self._signature(ends).encode()):
            return False
        moment = ends.partition(".")[0]
        return moment.isdecimal() and int(moment) > self._clock() and _digest(token) not in self._ended()

    def _ended(self) -> dict[str, float]:
        if self._known is None:
            self._known = self._kept.load(self._clock())
        return {} if self._known is None else self._known

    def _signature(self, text: str) -> str:
        return hmac.digest(self._key, text.encode("utf-8", "replace"), "sha256").hex()


def _digest(token: str) -> str:
    """What is kept of a token that was ended: nobody can log in with it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def session_key(file: Path, fingerprint: bytes) -> bytes:
    """The key of the sessions for users with this fingerprint: from `file`, which only its owner may read,
    made when it is not there. Where it cannot be kept, sessions last as long as the program.
    """
    secret = secrets.token_bytes(KEY_BYTES)
    with contextlib.suppress(OSError):
        secret = _kept(file) or secret
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as new:
            new.write(secret)
    return hmac.digest(secret, fingerprint, "sha256")


def _kept(file: Path) -> bytes | None:
    """What a file holds that nobody else could read; another one's key is not to be trusted."""
    if not file.exists():
        return None
    kept = file.read_bytes()
    is_private = os.name == "nt" or not file.stat().st_mode & 0o077
    return kept if len(kept) == KEY_BYTES and is_private else None
