"""Names and passwords of the command line, kept as keyed digests and compared in constant time."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path

from modules.errors import InvalidRequest

__all__ = ["Users", "read_users"]

SALT = b"easel sessions"
"""The fingerprint is mixed with a random key before it is used; here it only has to be slow to guess from."""


class Users:
    """Who may come in. Holds no password: only digests under a key that lives as long as the program."""

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._key = secrets.token_bytes(32)
        self._digests = {name: self._digest(name, password) for name, password in passwords.items()}
        # Passwords are part of what sessions are signed with, so that a new password ends the old sessions.
        text = "\n".join(f"{name}:{password}" for name, password in sorted(passwords.items()))
        self.fingerprint = hashlib.scrypt(text.encode(), salt=SALT, n=2**14, r=8, p=1)

    def __bool__(self) -> bool:
        return bool(self._digests)

    def knows(self, name: str, password: str) -> bool:
        """Whether this is one of them; as quick for a name that does not exist as for a wrong password."""
        expected = self._digests.get(name, self._key)
        return hmac.compare_digest(expected, self._digest(name, password)) and name in self._digests

    def _digest(self, name: str, password: str) -> bytes:
        # The length keeps "a" + ":b" from being "a:" + "b".
        return hmac.digest(self._key, f"{len(name)}:{name}:{password}".encode(), "sha256")


def read_users(flag: str, text: str | None, file: Path | None = None) -> Users:
    """The users of `name:password,name:password` and of a file with the same, by lines or commas.

    Raises InvalidRequest for what is none, naming the flag and never what it held.
    """
    entries = _entries(text or "") + _entries(_contents(flag, file))
    passwords: dict[str, str] = {}
    for number, entry in enumerate(entries, 1):
        name, colon, password = entry.partition(":")
        if not (name and colon and password):
            option = f"--{flag.replace('_', '-')}"
            raise InvalidRequest(flag, f"{option}: entry {number} is not of the form name:password.")
        passwords[name] = password
    return Users(passwords)


def _entries(text: str) -> list[str]:
    return [entry.strip() for line in text.splitlines() for entry in line.split(",") if entry.strip()]


def _contents(flag: str, file: Path | None) -> str:
    if file is None:
        return ""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            flag, f"The file of names and passwords, {file}, cannot be read: {error}."
        ) from error
    if not _entries(text):
        raise InvalidRequest(flag, f"The file of names and passwords, {file}, holds none.")
    return text
