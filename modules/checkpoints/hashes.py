"""Hashes of model files: sha256, remembered on disk, and the field's old short hash."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from modules.atomic import replace_file
from modules.copies import keep_copy
from modules.foreign_json import JsonBounds, JsonNotRead, read_json

__all__ = ["FileStamp", "HashCache", "file_stamp", "files_of", "old_hash"]

log = logging.getLogger(__name__)

OLD_HASH_OFFSET = 0x100000
OLD_HASH_LENGTH = 0x10000
OLD_HASH_DIGITS = 8
READ_BYTES = 1 << 22
STORE_BOUNDS = JsonBounds(bytes=64 << 20, nodes=1_000_000)
FOLDER_ENDINGS = {".safetensors", ".bin", ".json"}
"""Of the files that make up a model in diffusers' layout."""


def old_hash(path: Path) -> str:
    """The 8 hex digits of early versions; "NOFILE" for a missing file.

    sha256 over 0x10000 bytes at offset 0x100000.
    """
    try:
        with path.open("rb") as file:
            file.seek(OLD_HASH_OFFSET)
            return hashlib.sha256(file.read(OLD_HASH_LENGTH)).hexdigest()[:OLD_HASH_DIGITS]
    except OSError:
        return "NOFILE"


class FileStamp(NamedTuple):
    """What changes when a file is written anew or another one takes its place, without reading it."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class _Entry:
    size: int
    mtime_ns: int
    sha256: str
    inode: int = 0
    """0: not known, as in the files that were written first."""

    def is_of(self, state: FileStamp) -> bool:
        """Whether it was computed of the file in this state."""
        same = (self.size, self.mtime_ns) == (state.size, state.mtime_ns)
        return same and self.inode in (0, state.inode)


class HashCache:
    """sha256 of files, computed when first asked for, kept in the JSON file `store`.

    An entry counts while the file's path and `FileStamp` are the same. Safe to use from several
    threads; several programs may share the file. Not `enabled` (`--no-hashing`), nothing is computed and
    every hash is unknown.
    """

    def __init__(self, store: Path, *, enabled: bool = True) -> None:
        self._store = store
        self.enabled = enabled
        self._lock = threading.Lock()
        self._file_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._entries = _read_entries(store)
        self._background = threading.Lock()

    def known(self, path: Path) -> str | None:
        """The sha256 of the file as it is now, if it was computed before; reads no contents."""
        if not self.enabled:
            return None
        state = file_stamp(path)
        with self._lock:
            entry = self._entries.get(str(path))
        return entry.sha256 if entry and state and entry.is_of(state) else None

    def sha256(self, path: Path) -> str | None:
        """The sha256, computed now if unknown; None for a missing file or when hashing is off."""
        if not self.enabled:
            return None
        with self._lock:
            file_lock = self._file_locks[str(path)]
        with file_lock:
            known, state = self.known(path), file_stamp(path)
            if known is not None or state is None:
                return known
            return self._compute(path, state)

    def learn(self, path: Path, sha256: str) -> None:
        """Remember the sha256 of a file that whoever wrote it has computed on the way."""
        state = file_stamp(path)
        if self.enabled and state is not None:
            self._remember(path, state, sha256)

    def compute_later(self, path: Path) -> threading.Thread | None:
        """Compute the hash on a thread of its own, one file at a time; None if it is known.

        The thread ends with the program, whether it is done or not.
        """
        if not self.enabled or self.known(path) is not None:
            return None
        thread = threading.Thread(
            target=self._in_turn, args=(path,), name=f"hashing {path.name}", daemon=True
        )
        thread.start()
        return thread

    def _in_turn(self, path: Path) -> None:
        with self._background:
            self.sha256(path)

    def _compute(self, path: Path, state: FileStamp) -> str | None:
        try:
            digest = _digest(path)
        except OSError as error:
            log.warning("no hash of %s: %s", path.name, error)
            return None
        self._remember(path, state, digest)
        return digest

    def _remember(self, path: Path, state: FileStamp, digest: str) -> None:
        with self._lock:
            self._entries[str(path)] = _Entry(state.size, state.mtime_ns, digest, state.inode)
            # What another program wrote meanwhile is kept.
            self._entries = {**_read_entries(self._store), **self._entries}
            _write_entries(self._store, self._entries)


def file_stamp(path: Path) -> FileStamp | None:
    """The state of the file as it is now, of a folder that of all of its files together; None if it is
    gone.
    """
    try:
        states = [file.stat() for file in files_of(path)]
    except OSError:
        return None
    return FileStamp(
        sum(state.st_size for state in states),
        max((state.st_mtime_ns for state in states), default=0),
        sum(state.st_ino for state in states),
    )


def files_of(path: Path) -> list[Path]:
    """The file itself, or in a fixed order the files of a model in diffusers' layout."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in FOLDER_ENDINGS and file.is_file())


def _digest(path: Path) -> str:
    """Of a folder, of its files one after another, each behind its place and its size."""
    digest = hashlib.sha256()
    for part in files_of(path):
        if part != path:
            digest.update(f"{part.relative_to(path).as_posix()}\0{part.stat().st_size}\0".encode())
        with part.open("rb") as file:
            while block := file.read(READ_BYTES):
                digest.update(block)
    return digest.hexdigest()


def _read_entries(store: Path) -> dict[str, _Entry]:
    """The entries on disk; what cannot be read of them is left out, since all can be computed again. A file
    that is no such list is kept in a copy, for it is written over.
    """
    try:
        tree = read_json(store, bounds=STORE_BOUNDS)
    except JsonNotRead as error:
        tree = error
    except OSError:
        return {}
    if not isinstance(tree, dict):
        with contextlib.suppress(OSError):
            kept = keep_copy(store, store.read_bytes(), "broken")
            log.warning("%s holds no list of hashes: it was kept as %s.", store, kept.name)
        return {}
    return {path: entry for path, row in tree.items() if (entry := _entry_of(row))}


def _entry_of(row: Any) -> _Entry | None:
    try:
        return _Entry(int(row["size"]), int(row["mtime_ns"]), str(row["sha256"]), int(row.get("inode", 0)))
    except (ValueError, OverflowError, TypeError, KeyError, AttributeError):
        return None


def _write_entries(store: Path, entries: Mapping[str, _Entry]) -> None:
    text = json.dumps({path: asdict(entry) for path, entry in entries.items()}, indent=1)
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        replace_file(store, text.encode())
    except OSError as error:
        log.warning("hashes are not kept, %s cannot be written: %s", store, error)
