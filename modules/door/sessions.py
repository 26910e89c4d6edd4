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

    def new_token(self) -> str:
        """A token for LIFETIME seconds."""
        ends = f"{int(self._clock()) + LIFETIME}.{secrets.token_hex(8)}"
        return f"{ends}.{self._signature(ends)}"

    def is_valid(self, token: str) -> bool:
        """Whether `token` was made here and has not run out."""
        ends, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(ends).encode()):
            return False
        moment = ends.partition(".")[0]
        return moment.isdecimal() and int(moment) > self._clock()

    def _signature(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), "sha256").hex()


def session_key(file: Path, fingerprint: bytes) -> bytes:
    """The key of the sessions for users with this fingerprint: from `file`, which only its owner may read,
    made when it is not there. Where it cannot be kept, sessions last as long as the program.
    """
    secret = secrets.token_bytes(KEY_BYTES)
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as new:
                new.write(secret)
        kept = file.read_bytes()
        secret = kept if len(kept) == KEY_BYTES else secret
    return hmac.digest(secret, fingerprint, "sha256")
