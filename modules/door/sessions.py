"""Sessions of people who have logged in: a signed cookie, so that a restart logs nobody out."""

import contextlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["COOKIE", "Sessions", "session_key"]

COOKIE = "easel-session"
LIFETIME = 30 * 24 * 3600
KEY_BYTES = 32


class Sessions:
    """Makes and checks the tokens. `key` signs them; another key makes all of them void."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = key, clock
        self._ended: set[str] = set()

    def new_token(self) -> str:
        """A token for LIFETIME seconds."""
        ends = f"{int(self._clock()) + LIFETIME}.{secrets.token_hex(8)}"
        return f"{ends}.{self._signature(ends)}"

    def end(self, token: str) -> None:
        """Make `token` void, as long as the program runs; its cookie is gone anyway."""
        if self.is_valid(token):
            self._ended.add(token)

    def is_valid(self, token: str) -> bool:
        """Whether `token` was made here and has neither run out nor been ended."""
        ends, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(ends).encode()):
            return False
        moment = ends.partition(".")[0]
        return moment.isdecimal() and int(moment) > self._clock() and token not in self._ended

    def _signature(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), "sha256").hex()


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
