"""What this process reads at each moment, on disk, so that a start knows what was being read when one died.

A file whose reading ended the program is left alone: it is read again when a person asks for it by name, or
has the folders looked through anew, and not by itself. One record a process, as a crash is one of the
process. Its file is kept open and written over: a reading costs some millionths of a second.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import platform
import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import psutil

from modules.atomic import replace_file
from modules.errors import UnusableFile
from modules.foreign_json import JsonNotRead, read_json

__all__ = ["READINGS", "LeftAlone", "LeftAloneFile", "Readings"]

log = logging.getLogger(__name__)

HASH = re.compile(r"\s*\[[0-9a-f]+\]\s*$")
LIST_NAME = "left-alone.json"
LARGE = 64 << 20
"""Bytes of a file from which the record is brought to the disk itself, for when the machine dies with it."""
FORGOTTEN_SECONDS = 3600.0
"""After which the record of a process on another machine counts as that of a dead one."""


class LeftAlone(UnusableFile):
    """A file is not read, since the program died when it was read last."""


@dataclass(frozen=True, slots=True)
class LeftAloneFile:
    """A file that was being read when the program died; another one in its place is no such file."""

    path: str
    size: int
    changed: int
    """Nanoseconds."""
    died: float
    """Seconds, when that was noticed."""

    @property
    def sentence(self) -> str:
        """For a person."""
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.died))
        return (
            f"{Path(self.path).name} was being read when the program died (noticed {when}), so it is left "
            "alone. To try it once more choose it again, ask for it by its name, or press the refresh button."
        )

    def is_still(self, path: Path) -> bool:
        """Whether `path` is that file, unchanged."""
        try:
            facts = path.stat()
        except OSError:
            return False
        return (facts.st_size, facts.st_mtime_ns) == (self.size, self.changed)


class Readings:
    """The record of a process in the folder that `open` names; before that nothing is recorded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._file: BinaryIO | None = None
        self._written = 0
        self._being_read: list[str] = []
        self._left: dict[str, LeftAloneFile] = {}
        self._left_at = 0
        self._process = f"{platform.node()}-{os.getpid()}-{_began(os.getpid())}"

    def open(self, folder: Path) -> None:
        """Begin a record in `folder`, and note there what processes that died were reading. What cannot be
        written is said in the log; then nothing is remembered.
        """
        self.close()
        with self._lock:
            self._folder, self._left, self._left_at = folder, {}, 0
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._collect(folder)
                self._file = (folder / f"{self._process}.reading").open("wb", buffering=0)
            except OSError as error:
                log.warning("What is read cannot be remembered in %s: %s", folder, error.strerror or error)
            atexit.register(self.close)
        for each in self.left_alone():
            log.warning("%s", each.sentence)

    def close(self) -> None:
        """End the record in good order: nothing was being read when the process ended."""
        with self._lock:
            file, self._file = self._file, None
            if file and self._folder:
                file.close()
                with suppress(OSError):
                    (self._folder / f"{self._process}.reading").unlink()
        atexit.unregister(self.close)

    @contextmanager
    def reading(self, path: Path) -> Iterator[None]:
        """Inside, `path` is being read. Raises LeftAlone for one that is left alone."""
        self.begin(path)
        try:
            yield
        finally:
            self.end(path)

    def begin(self, path: Path) -> None:
        """`path` is being read from now on. Raises LeftAlone for one that is left alone."""
        self.refuse(path)
        with self._lock:
            self._being_read.append(str(path))
            self._write()
            if self._file and _size(path) >= LARGE:
                threading.Thread(
                    target=_to_the_disk, args=(os.dup(self._file.fileno()),), daemon=True
                ).start()

    def end(self, path: Path) -> None:
        """`path` is not being read any more."""
        with self._lock, suppress(ValueError):
            self._being_read.remove(str(path))
            self._write()

    def refuse(self, path: Path) -> None:
        """Raises LeftAlone for a file that is left alone."""
        if self.is_left_alone(path):
            raise LeftAlone(self._left[str(path)].sentence)

    def is_left_alone(self, path: Path) -> bool:
        """Whether `path` was being read when the program died, and nobody has asked for it since."""
        self._look_again()
        found = self._left.get(str(path))
        return found is not None and found.is_still(path)

    def left_alone(self) -> list[LeftAloneFile]:
        """All such files, by path."""
        self._look_again()
        return sorted((each for each in self._left.values() if each.is_still(Path(each.path))), key=_path)

    def named_by(self, names: Iterable[str]) -> list[LeftAloneFile]:
        """Those of them that one of `names` means: with or without folder, ending and hash, in any case."""
        if not (left := self.left_alone()):
            return []
        wanted = {HASH.sub("", name).replace("\\", "/").rpartition("/")[2].casefold() for name in names}
        return [
            each
            for each in left
            if {Path(each.path).name.casefold(), Path(each.path).stem.casefold()} & wanted
        ]

    def ask_for(self, names: Iterable[str]) -> None:
        """A person has asked for `names`: the files that they mean may be read again."""
        if named := self.named_by(names):
            self._let_go({each.path for each in named})

    def ask_for_all(self) -> None:
        """A person has the folders looked through anew: everything may be read again."""
        if self._left:
            self._let_go(set(self._left))

    def _let_go(self, paths: set[str]) -> None:
        with self._lock:
            self._keep([each for each in self._left.values() if each.path not in paths])

    def _write(self) -> None:
        """Write over what stands in the record. The lock is held."""
        if self._file is None:
            return
        data = json.dumps(self._being_read).encode()
        try:
            self._file.seek(0)
            self._file.write(data.ljust(self._written))
        except OSError as error:
            log.warning("What is read cannot be remembered any more: %s", error.strerror or error)
            self._file = None
        self._written = max(len(data), self._written)

    def _collect(self, folder: Path) -> None:
        """Read and remove the records of processes that died."""
        found = list(_read_list(folder))
        for record in folder.glob("*.reading"):
            if record.stem != self._process and _is_dead(record):
                found += _left_by(record)
                record.unlink(missing_ok=True)
        if found:
            self._keep(found)

    def _keep(self, files: list[LeftAloneFile]) -> None:
        """Have exactly `files` left alone, for all processes. The lock is held."""
        self._left = {each.path: each for each in files}
        if self._folder is None:
            return
        text = json.dumps([asdict(each) for each in self._left.values()], indent=1)
        try:
            replace_file(self._folder / LIST_NAME, text.encode())
            self._left_at = (self._folder / LIST_NAME).stat().st_mtime_ns
        except OSError as error:
            log.warning("What is left alone cannot be remembered: %s", error.strerror or error)

    def _look_again(self) -> None:
        """Another process may have changed the list."""
        if self._folder is None:
            return
        try:
            changed = (self._folder / LIST_NAME).stat().st_mtime_ns
        except OSError:
            return
        if changed != self._left_at:
            with self._lock:
                self._left = {each.path: each for each in _read_list(self._folder)}
                self._left_at = changed


def _path(file: LeftAloneFile) -> str:
    return file.path


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _began(process: int) -> int:
    return round(psutil.Process(process).create_time())


def _is_dead(record: Path) -> bool:
    """Whether the process that wrote `record` has ended."""
    try:
        machine, process, began = record.stem.rsplit("-", 2)
        if machine != platform.node():
            return time.time() - record.stat().st_mtime > FORGOTTEN_SECONDS
        return abs(_began(int(process)) - int(began)) > 1
    except psutil.NoSuchProcess:
        return True
    except (ValueError, OSError, psutil.Error):
        return False


def _left_by(record: Path) -> Iterator[LeftAloneFile]:
    """The files that a dead process was reading and that are still there."""
    try:
        named = read_json(record)
    except (JsonNotRead, OSError):
        return
    for name in named if isinstance(named, list) else []:
        with suppress(OSError, ValueError):
            facts = Path(str(name)).stat()
            yield LeftAloneFile(str(name), facts.st_size, facts.st_mtime_ns, time.time())


def _read_list(folder: Path) -> Iterator[LeftAloneFile]:
    try:
        named = read_json(folder / LIST_NAME)
    except (JsonNotRead, OSError):
        return
    for each in named if isinstance(named, list) else []:
        with suppress(TypeError, ValueError, KeyError):
            yield LeftAloneFile(
                str(each["path"]), int(each["size"]), int(each["changed"]), float(each["died"])
            )


def _to_the_disk(descriptor: int) -> None:
    with suppress(OSError):
        os.fsync(descriptor)
    os.close(descriptor)


READINGS = Readings()
"""Of this process."""
