"""`merge` and `convert`: new checkpoints without a server."""

import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from modules.adapters import AdapterShelves
from modules.checkpoints import CheckpointShelf, HashCache, VaeShelf
from modules.cli.bar import ProgressBar
from modules.cli.command import STOPPED
from modules.cli.merge_options import Conversion, Merging
from modules.errors import EaselError
from modules.flags import Flags
from modules.folders import Folders
from modules.generation import sentence_of_errors
from modules.merging import (
    ConvertRequest,
    DryRun,
    MergePlan,
    MergeRequest,
    MergeShelves,
    MergeStopped,
    plan_convert,
    plan_merge,
    read_block_weights,
    run_merge,
)

__all__ = ["convert", "merge"]

REFUSED = 1


def merge(flags: Flags, merging: Merging) -> int:
    """Merge, and name the file on standard output; the exit status. Ctrl-C ends it, and no file is left.

    Raises EaselError with the reason when there is no result.
    """
    values = merging.request()
    names = [*merging.models]
    shelves = _shelves(flags, names)
    request = _checked(MergeRequest, {**values, "block_weights": read_block_weights(merging.blocks)})
    named = {field: _name(getattr(request, field)) for field in ("primary", "secondary", "tertiary")}
    further = {letter: _name(name) for letter, name in request.models.items()}
    plan = plan_merge(request.model_copy(update={**named, "models": further}), shelves)
    return _carry_out(plan, merging.dry_run)


def convert(flags: Flags, conversion: Conversion) -> int:
    """Convert, and name the file on standard output; as `merge`."""
    shelves = _shelves(flags, [conversion.model])
    request = _checked(ConvertRequest, {**conversion.values, "checkpoint": _name(conversion.model)})
    return _carry_out(plan_convert(request, shelves), conversion.dry_run)


def _shelves(flags: Flags, words: Sequence[str]) -> MergeShelves:
    """The shelves of the program, with the files that the command line names by their paths."""
    folders = Folders.from_flags(flags)
    hashes = HashCache(folders.cache / "hashes.json", enabled=not flags.no_hashing)
    files = [Path(word).absolute() for word in words if _is_file(word)]
    checkpoints = CheckpointShelf(folders, hashes, files)
    for path in files:
        # The shelf itself prefers what lies in the program's folders.
        if checkpoints.find(path.name).path != path:
            raise EaselError(f"Two checkpoints are called {path.name}. Give {path} another name.")
    networks = AdapterShelves(folders, hashes).networks
    return MergeShelves(checkpoints, VaeShelf(folders, hashes), networks, folders)


def _is_file(word: str) -> bool:
    return Path(word).is_file()


def _name(word: str | None) -> str | None:
    return Path(word).name if word and _is_file(word) else word


def _checked(kind: Any, values: dict[str, Any]) -> Any:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise sentence_of_errors(error.errors()) from error


def _carry_out(plan: MergePlan, dry_run: bool) -> int:
    if dry_run:
        sys.stdout.write("\n".join(_lines(plan.dry_run)) + "\n")
        return REFUSED if plan.dry_run.refusal else 0
    watcher = _Terminal()
    before = signal.signal(signal.SIGINT, lambda *_: watcher.stop())
    try:
        result = run_merge(plan, watcher)
    except MergeStopped as stopped:
        watcher.bar.write(f"{stopped}\n")
        return STOPPED
    finally:
        signal.signal(signal.SIGINT, before)
        watcher.bar.write("")
    for note in result.notes:
        sys.stderr.write(f"{note}\n")
    sys.stdout.write(f"{result.path}\n")
    return 0


class _Terminal:
    """Shows how far it is; `stop` is for a signal handler, the second call ends the program at once."""

    def __init__(self) -> None:
        self.bar = ProgressBar(sys.stderr)
        self._stopping = False

    def stop(self) -> None:
        if self._stopping:
            raise KeyboardInterrupt
        self._stopping = True

    def on_progress(self, stage: str, done: int, total: int) -> None:
        self.bar.show(stage, done / max(total, 1))

    def should_stop(self) -> bool:
        return self._stopping


def _lines(dry: DryRun) -> Iterator[str]:
    """What a dry run comes to, for a person."""
    yield dry.path + (" (replaced)" if dry.replaces else "")
    types = ", ".join(f"{count} {name}" for name, count in sorted(dry.dtypes.items()))
    yield f"  size      {_gigabytes(dry.size)}; {types}"
    counts = {"merged": dry.merged, "copied": dry.copied, "from the VAE": dry.from_vae}
    counts |= {"with LoRAs": dry.with_loras, "left out": dry.dropped}
    yield "  tensors   " + ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    if dry.config:
        yield f"  config    {dry.config}"
    for mismatch in dry.mismatched[:5]:
        shapes = ", ".join(f"{letter} {list(shape)}" for letter, shape in mismatch.shapes.items())
        yield f"  differs   {mismatch.name}: {shapes}"
    yield f"  needs     {_gigabytes(dry.disk_needed)} of the disk{_left(dry.disk_free)}"
    yield f"            {_gigabytes(dry.memory_needed)} of memory{_left(dry.memory_free)}"
    for note in dry.notes:
        yield f"  note      {note}"
    if dry.refusal:
        yield f"  refused   {dry.refusal}"


def _left(free: int | None) -> str:
    return "" if free is None else f", {_gigabytes(free)} free"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
