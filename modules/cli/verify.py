"""`verify`: pictures are made again and compared, without a server."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from modules.cli.command import STOPPED
from modules.cli.terminal import TerminalWatcher
from modules.errors import EaselError
from modules.flags import Flags
from modules.folders import Folders
from modules.generation import Engine
from modules.proof import Verdict, VerdictKind, cannot, verify_picture
from modules.workflows import MENU

__all__ = ["verify"]

STATUS = {
    VerdictKind.SAME_BITS: 0,
    VerdictKind.WITHIN_ROUNDING: 0,
    VerdictKind.DIFFERS: 1,
    VerdictKind.CANNOT: 2,
}


def verify(flags: Flags, pictures: Sequence[Path], sources: Sequence[Path] = ()) -> int:
    """Make each of `pictures` again and write its verdict to standard output; the worst one's exit status.

    0: the same bits or within rounding, 1: it differs, 2: it cannot be made again. Ctrl-C ends after the
    current step. What a picture was drawn from is looked for among the pictures that jobs started from, in
    `sources`, and beside it.
    """
    try:
        engine = Engine(Folders.from_flags(flags), flags, MENU)
    except EaselError as error:
        _write("verify", cannot(error))
        return STATUS[VerdictKind.CANNOT]
    watcher = TerminalWatcher(sys.stderr, lambda picture: None)
    before = signal.signal(signal.SIGINT, lambda *_: watcher.stop())
    worst = 0
    try:
        for path in pictures:
            verdict = verify_picture(path, engine, watcher, sources)
            if watcher.should_stop():
                return STOPPED
            watcher.clear()
            _write(str(path), verdict)
            worst = max(worst, STATUS[verdict.kind])
    finally:
        signal.signal(signal.SIGINT, before)
    return worst


def _write(name: str, verdict: Verdict) -> None:
    lines = [f"{name}: {verdict.sentence}"]
    lines += [f"    {note}" for note in (*verdict.notes, *(f"{each}." for each in verdict.differences))]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
