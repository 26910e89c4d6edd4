"""What files say, kept on the disk: each is opened once for as long as sizes and times stay the same.

What there is no time for is read on a thread, so that a folder of thousands on a slow disk is listed at once,
by names, and what the files say follows.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from modules.atomic import replace_file
from modules.extra_networks.facts import FileFacts, read_facts
from modules.extra_networks.kinds import NetworkKind
from modules.extra_networks.sidecar import Sidecar, read_sidecar, read_text
from modules.foreign_json import JsonBounds, JsonNotRead, read_json

__all__ = ["IndexedFile", "NetworkIndex", "Said"]

log = logging.getLogger(__name__)

STORE_BOUNDS = JsonBounds(bytes=256 << 20, nodes=20_000_000)
"""Of the file on the disk, which holds what thousands of networks say."""
FORM = 1
"""Of the file on the disk; what is in another form is read anew."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a network's file, its `NAME.json` and its `NAME.txt` say."""

    facts: FileFacts = field(default_factory=FileFacts)
    sidecar: Sidecar = field(default_factory=Sidecar)
    text: str | None = None


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """A network's file and those beside it as they are now. stamp: their sizes and times of change."""

    kind: NetworkKind
    path: Path
    sidecar: Path | None
    text: Path | None
    stamp: tuple[int, ...]

    def read(self) -> Said:
        """What they say; what cannot be read says nothing."""
        return Said(
            read_facts(self.kind, self.path),
            read_sidecar(self.sidecar) if self.sidecar else Sidecar(),
            read_text(self.text) if self.text else None,
        )


class NetworkIndex:
    """What files say, by path and stamp, in the JSON file `store`. For several threads."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._said = _read_store(store)
        self._waiting: dict[IndexedFile, None] = {}
        self._thread: threading.Thread | None = None

    def known(self, file: IndexedFile) -> Said | None:
        """What the file as it is now was found to say, if it was read before."""
        stamp, said = self._said.get(str(file.path), ((), None))
        return said if stamp == file.stamp else None

    def read(self, file: IndexedFile) -> Said:
        """What the file says, read now; it is on the disk with the next `read_later`."""
        said = file.read()
        self._said[str(file.path)] = (file.stamp, said)
        return said

    def read_later(self, files: Iterable[IndexedFile]) -> None:
        """Read `files` on a thread, then write everything to the disk."""
        with self._lock:
            self._waiting |= dict.fromkeys(files)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="reading networks", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while (file := self._next()) is not None:
            if self.known(file) is None:
                self.read(file)
        self._write()

    def _next(self) -> IndexedFile | None:
        with self._lock:
            file = next(iter(self._waiting), None)
            if file is None:
                self._thread = None
            else:
                del self._waiting[file]
            return file

    def _write(self) -> None:
        kept = {path: entry for path, entry in dict(self._said).items() if Path(path).exists()}
        tree = {path: [stamp, _as_tree(said)] for path, (stamp, said) in kept.items()}
        try:
            self._store.parent.mkdir(parents=True, exist_ok=True)
            replace_file(
                self._store, json.dumps({"form": FORM, "files": tree}).encode("utf-8", "surrogatepass")
            )
        except OSError as error:
            log.warning("what networks say is not kept, %s cannot be written: %s", self._store, error)


def _as_tree(said: Said) -> dict[str, Any]:
    """Only what differs from files that say nothing."""
    empty = asdict(Said())
    return {
        name: {key: value for key, value in part.items() if value != empty[name][key]}
        if isinstance(part, dict)
        else part
        for name, part in asdict(said).items()
        if part != empty[name]
    }


def _read_store(store: Path) -> dict[str, tuple[tuple[int, ...], Said]]:
    """What is on the disk; a file that cannot be read counts as empty, since all can be read again."""
    try:
        tree = read_json(store, bounds=STORE_BOUNDS)
        if tree["form"] != FORM:
            return {}
        return {path: (tuple(stamp), _said(said)) for path, (stamp, said) in tree["files"].items()}
    except (OSError, JsonNotRead, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _said(tree: Any) -> Said:
    return Said(
        FileFacts.from_tree(tree.get("facts", {})), Sidecar(**tree.get("sidecar", {})), tree.get("text")
    )
