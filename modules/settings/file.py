"""config.json: read with recovery, written so that a crash or a full disk leaves the old one."""

import contextlib
import json
import logging
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from modules.atomic import replace_file
from modules.errors import EaselError

__all__ = ["SettingsFile"]

log = logging.getLogger(__name__)


class SettingsFile:
    """A JSON object in a file, with a copy of the last good one beside it (`config.json.bak`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.backup = path.with_name(path.name + ".bak")

    def read(self) -> dict[str, Any]:
        """What the file holds; {} where there is none.

        A broken file is kept aside under a name with the date, the backup is read in its place, and the log
        says so. Raises EaselError when the file is there and cannot be opened.
        """
        try:
            return _load(self.path)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise EaselError(
                f"The settings in {self.path} cannot be read: {error.strerror or error}."
            ) from error
        except ValueError as error:
            return self._recover(error)

    def write(self, values: dict[str, Any]) -> None:
        """Replace the file in one moment; what it held before becomes the backup.

        Raises EaselError when it cannot be written; then the old file is still there.
        """
        text = json.dumps(values, indent=4, ensure_ascii=False)
        try:
            # A symbolic link stays one: the file that it points at is replaced.
            target = self.path.resolve()
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                replace_file(self.backup, target.read_bytes())
            replace_file(target, text.encode())
        except OSError as error:
            raise EaselError(
                f"The settings could not be saved in {self.path}: {error.strerror or error}. "
                "Nothing was changed."
            ) from error

    def _recover(self, error: ValueError) -> dict[str, Any]:
        kept = self.path.with_name(f"{self.path.name}.broken-{datetime.now():%Y%m%d-%H%M%S}")
        with contextlib.suppress(OSError):
            shutil.copy2(self.path, kept)
        try:
            values = _load(self.backup)
        except (OSError, ValueError):
            values, source = {}, "the defaults are used"
        else:
            source = f"the settings of {self.backup.name} are used"
        log.warning("%s is broken (%s): it was kept as %s, and %s.", self.path, error, kept.name, source)
        with contextlib.suppress(EaselError, OSError):
            self.path.unlink()
            self.write(values)
        return values


def _load(path: Path) -> dict[str, Any]:
    values = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(values, dict):
        raise ValueError("it does not hold a JSON object")
    return values
