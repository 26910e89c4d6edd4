"""config.json: read with recovery, written so that a crash or a full disk leaves the old one."""

import contextlib
import json
import logging
from pathlib import Path
from typing import Any

from modules.atomic import replace_file
from modules.copies import keep_copy, kept_name
from modules.errors import EaselError
from modules.foreign_json import JsonBounds, JsonNotRead, parse_json
from modules.foreign_text import decode_foreign, without_escapes
from modules.settings.salvage import salvaged_members

__all__ = ["SettingsFile"]

log = logging.getLogger(__name__)

BOUNDS = JsonBounds()


class SettingsFile:
    """A JSON object in a file, with a copy of the last good one beside it (`config.json.bak`).

    What a person or another program wrote into the file, and this program would not write again as it is,
    is kept in a copy before the file is changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.backup = path.with_name(path.name + ".bak")
        self._seen: bytes | None = None
        """The file's bytes of which everything is known."""
        self._is_readable = True

    def read(self) -> dict[str, Any]:
        """What the file holds; {} where there is none. Never fails.

        A broken file is kept aside under a name with the date; what can be read of it is laid over the
        backup, and the log says so. One that cannot be opened is left alone.
        """
        try:
            data = self._bytes(self.path)
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._is_readable = False
            values, source = self._of_backup()
            log.warning("%s cannot be read (%s): %s.", self.path, error.strerror or error, source)
            return values
        try:
            values = _parsed(data, self.path.name)
        except JsonNotRead as error:
            return self._recover(data, error)
        if data.decode("utf-8", "replace") == _text_of(values):
            self._seen = data
        elif decode_foreign(data).has_bad_bytes:
            log.warning(
                "%s: some of it is no UTF-8; that was read as the older encoding of this machine.", self.path
            )
        return values

    def write(self, values: dict[str, Any]) -> None:
        """Replace the file in one moment; what it held before becomes the backup.

        Raises EaselError when it cannot be written; then the old file is still there.
        """
        text = _text_of(values)
        try:
            # A symbolic link stays one: the file that it points at is replaced.
            target = self.path.resolve()
            target.parent.mkdir(parents=True, exist_ok=True)
            if not self._is_readable and target.exists():
                self._set_aside(target)
            if target.exists():
                before = self._bytes(target)
                if before != self._seen:
                    keep_copy(target, before)
                replace_file(self.backup, before)
            replace_file(target, text.encode())
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise EaselError(
                f"The settings could not be saved in {self.path}: {reason}. Nothing was changed."
            ) from error
        self._seen, self._is_readable = text.encode(), True

    def _recover(self, data: bytes, error: JsonNotRead) -> dict[str, Any]:
        values, source = self._of_backup()
        if rescued := salvaged_members(without_escapes(decode_foreign(data).text), BOUNDS):
            source = f"{len(rescued)} settings of it could be read; for the others {source}"
            values = {**values, **rescued}
        try:
            kept = keep_copy(self.path, data, "broken")
        except OSError:
            # It stays where it is, and a change of the settings keeps a copy first or is refused.
            log.warning("%s is broken (%s): %s.", self.path, error, source)
            return values
        log.warning("%s is broken (%s): it was kept as %s, and %s.", self.path, error, kept.name, source)
        with contextlib.suppress(OSError):
            replace_file(self.path.resolve(), _text_of(values).encode())
            self._seen = _text_of(values).encode()
        return values

    def _of_backup(self) -> tuple[dict[str, Any], str]:
        """The settings of the backup, and a clause that says what is used."""
        try:
            values = _parsed(self._bytes(self.backup), self.backup.name)
        except (OSError, JsonNotRead):
            return {}, "the defaults are used"
        return values, f"the settings of {self.backup.name} are used"

    @staticmethod
    def _bytes(path: Path) -> bytes:
        """The file, or a little more than is read of one that is too large. Raises OSError."""
        with path.open("rb") as file:
            return file.read(4 * BOUNDS.bytes + 1)

    def _set_aside(self, target: Path) -> None:
        """Give a file that cannot be read another name. Raises OSError."""
        if not target.is_file():
            raise OSError(f"{target} is no file")
        kept = kept_name(target, "unread")
        target.rename(kept)
        log.warning("%s cannot be read: it was kept as %s.", target, kept.name)


def _parsed(data: bytes, name: str) -> dict[str, Any]:
    """The object in `data`. Raises JsonNotRead."""
    values = parse_json(without_escapes(decode_foreign(data).text), name, BOUNDS)
    if not isinstance(values, dict):
        raise JsonNotRead(f"{name} does not hold a JSON object.")
    return values


def _text_of(values: dict[str, Any]) -> str:
    return json.dumps(values, indent=4, ensure_ascii=False)
