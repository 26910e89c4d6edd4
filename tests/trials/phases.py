"""What a server is doing at each moment, told to whoever watches from outside; and death at a given point.

The program knows nothing of this: a life wraps public functions before it starts to serve.
"""

import functools
import importlib
import mmap
import os
import signal
import struct
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

__all__ = ["POINTS", "Phase", "PhaseFile", "mark_phases"]


class Phase(StrEnum):
    """Where the work stands, in the order in which a picture goes through."""

    STARTING = "starting"
    IDLE = "between jobs"
    ACCEPTED = "a job is written, the client has no answer yet"
    LOADING = "loading a model"
    DRAWING = "in the middle of the steps"
    DECODING = "decoding"
    SAVING = "encoding, writing the temporary file"
    ANNOUNCED = "announced to the ledger, not under its name"
    PUBLISHED = "under its name, not in the ledger"
    KEPT = "in the ledger"
    FINISHING = "making the grid and the result"


POINTS = (Phase.SAVING, Phase.ANNOUNCED, Phase.PUBLISHED, Phase.KEPT, Phase.FINISHING)
"""The narrow phases of a picture, at whose n-th beginning a life can be told to die."""

ORDER = tuple(Phase)
NUMBERS = struct.Struct("<QQ")


class PhaseFile:
    """Memory that a life and its watcher share: what it does, and how many phases it has begun."""

    def __init__(self, path: Path, *, new: bool = False) -> None:
        self.path = path
        if new:
            path.write_bytes(NUMBERS.pack(0, 0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), NUMBERS.size)

    @property
    def phase(self) -> Phase:
        """What the life does, or did last."""
        return ORDER[NUMBERS.unpack(self._memory)[0]]

    @property
    def begun(self) -> int:
        """How many phases it has begun."""
        return int(NUMBERS.unpack(self._memory)[1])

    def write(self, phase: Phase, begun: int) -> None:
        """Called by the life."""
        self._memory[:] = NUMBERS.pack(ORDER.index(phase), begun)


class _Marks:
    """Writes the phase for the watcher, and dies when it is time."""

    def __init__(self, file: PhaseFile, die_at: tuple[Phase, int] | None) -> None:
        self._file, self._die_at = file, die_at
        self._seen: Counter[Phase] = Counter()

    def __call__(self, phase: Phase) -> None:
        self._seen[phase] += 1
        dies = self._die_at == (phase, self._seen[phase])
        # The thread that accepts jobs does not speak for the one that draws, unless it ends both.
        if phase is not Phase.ACCEPTED or dies:
            self._file.write(phase, self._seen.total())
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)


def mark_phases(path: Path, die_at: tuple[Phase, int] | None = None) -> None:
    """Mark the phases of this process in `path` from now on; die at the n-th beginning of one."""
    mark = _Marks(PhaseFile(path), die_at)
    mark(Phase.STARTING)
    _wrap("modules.server", "make_house", after=lambda: mark(Phase.IDLE))
    _wrap("modules.jobs:JobQueue", "submit", after=lambda: mark(Phase.ACCEPTED))
    _wrap("modules.generation:Engine", "draw", before=lambda: mark(Phase.LOADING))
    _wrap("modules.generation.txt2img", "draw_first", before=lambda: mark(Phase.DRAWING))
    _wrap("modules.generation.txt2img", "draw_again", before=lambda: mark(Phase.DRAWING))
    _wrap("modules.generation.txt2img", "decode_to_picture", before=lambda: mark(Phase.DECODING))
    _wrap("modules.generation.saving:Album", "keep", before=lambda: mark(Phase.SAVING))
    _wrap("modules.generation.saving", "save_picture", change=functools.partial(_announcing, mark))
    _wrap("modules.imaging.saving", "publish", after=lambda: mark(Phase.PUBLISHED))
    _wrap("modules.generation.saving:Album", "keep", after=lambda: mark(Phase.KEPT))
    _wrap("modules.generation:Assembly", "finish", before=lambda: mark(Phase.FINISHING))
    _wrap("modules.generation:Assembly", "finish", after=lambda: mark(Phase.IDLE))


def _announcing(mark: Callable[[Phase], None], keywords: dict[str, Any]) -> dict[str, Any]:
    announce = keywords["about_to_appear"]

    def announce_and_mark(path: Path, digest: str) -> None:
        announce(path, digest)
        mark(Phase.ANNOUNCED)

    return {**keywords, "about_to_appear": announce_and_mark}


def _nothing() -> None:
    pass


def _wrap(
    place: str,
    name: str,
    before: Callable[[], None] = _nothing,
    after: Callable[[], None] = _nothing,
    change: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> None:
    """Put a function around `name` of a module, or of a class ("module:Class")."""
    module, _, owner = place.partition(":")
    holder = importlib.import_module(module)
    holder = getattr(holder, owner) if owner else holder
    real = getattr(holder, name)

    @functools.wraps(real)
    def wrapped(*arguments: Any, **keywords: Any) -> Any:
        before()
        answer = real(*arguments, **change(keywords))
        after()
        return answer

    setattr(holder, name, wrapped)
