"""The one place that holds the current settings, and changes them."""

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from modules.errors import InvalidRequest
from modules.flags import Flags
from modules.settings.file import SettingsFile
from modules.settings.freeze import frozen_keys
from modules.settings.options import Options
from modules.settings.reading import read_options
from modules.settings.unknown import check_unknown

__all__ = ["Listener", "SettingsStore"]

log = logging.getLogger(__name__)

Listener = Callable[[Options, Options], None]


class SettingsStore:
    """The settings of a running program, kept in a file.

    Safe to use from several threads: `options` is a snapshot that never changes; changes come one at a time.
    """

    def __init__(self, path: Path, flags: Flags) -> None:
        self._file = SettingsFile(path)
        self._frozen = frozen_keys(flags)
        self._lock = threading.RLock()
        self._listeners: list[Listener] = []
        self._options, self._refused = self._read()

    @property
    def options(self) -> Options:
        """The current settings."""
        return self._options

    def change(self, values: Mapping[str, Any]) -> Options:
        """Check `values`, write the file, make them current, tell the listeners; the new snapshot.

        All or nothing: raises InvalidRequest for a value that cannot be and for a setting that the command
        line has frozen, EaselError for a file that cannot be written; then everything stays as it was.
        """
        with self._lock:
            before = self._options
            check_unknown(values, before)
            after = before.overridden(values)
            old, new = before.model_dump(), after.model_dump()
            changed = {key for key in values if key not in old or old[key] != new[key]}
            self._refuse_frozen(changed)
            refused = {key: raw for key, raw in self._refused.items() if key not in values}
            if changed or refused != self._refused:
                self._file.write(after.model_dump(mode="json", exclude_unset=True) | refused)
            self._options, self._refused = after, refused
            listeners = tuple(self._listeners) if changed else ()
        for listener in listeners:
            listener(before, after)
        return after

    def begin_with(self, values: Mapping[str, Any]) -> None:
        """Lay values over those of the file, as flags do that set what is a setting; nothing is written.

        Raises InvalidRequest for a value that cannot be.
        """
        with self._lock:
            self._options = self._options.overridden(values)

    def for_request(self, values: Mapping[str, Any]) -> Options:
        """The current settings with `values` laid over them, for one request alone; nothing is kept.

        Raises InvalidRequest for a value that cannot be, and for a place on the disk where the command line
        keeps these from strangers.
        """
        check_unknown(values, self._options)
        options = self._options.overridden(values)
        given = options.model_dump()
        for key in sorted(values):
            if key in self._frozen.places and given[key] != getattr(self._options, key):
                raise self._refusal(key, self._frozen.places[key])
        return options

    @staticmethod
    def _refusal(key: str, reason: str) -> InvalidRequest:
        return InvalidRequest(key, f"The setting {key} cannot be changed: {reason}.")

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(before, after)` after every change, in its thread; the result takes it off again."""
        with self._lock:
            self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _refuse_frozen(self, changed: set[str]) -> None:
        for key in sorted(changed):
            if reason := self._frozen.reason(key):
                raise self._refusal(key, reason)

    def _read(self) -> tuple[Options, dict[str, Any]]:
        reading = read_options(self._file.read())
        for sentence in reading.complaints:
            log.warning("%s: %s The default is used instead.", self._file.path, sentence)
        return reading.options, reading.refused
