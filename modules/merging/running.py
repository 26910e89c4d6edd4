"""A plan is carried out: the result is written, tensor by tensor."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

import torch
from torch import Tensor

from modules.atomic import replace_file
from modules.checkpoints import (
    TensorEntry,
    TensorFile,
    safetensors_order,
    write_safetensors,
    write_torch_file,
)
from modules.errors import EaselError
from modules.merging.bake import Baker
from modules.merging.computing import numbers_of
from modules.merging.plan import ConfigCopy, MergePlan, MergeResult, Parent, Piece
from modules.merging.recipe import Hashes
from modules.merging.request import FileFormat
from modules.merging.unfinished import UnfinishedFile, clear_unfinished
from modules.merging.watching import MergeStopped, MergeWatcher, Unwatched

__all__ = ["run_convert", "run_merge"]

log = logging.getLogger(__name__)

REPORT_SECONDS = 0.2


def run_merge(plan: MergePlan, watcher: MergeWatcher | None = None) -> MergeResult:
    """Write what was planned. Memory holds some megabytes of numbers at a time.

    Until the file is whole and on the disk it has another name; should it fail, be stopped or killed, there
    is no file, and one that was to be replaced is as it was. Raises MergeStopped when the watcher says so,
    and EaselError for a plan that was refused, a file that has changed since, and one that cannot be written.
    """
    watcher = watcher or Unwatched()
    started = time.monotonic()
    if plan.dry_run.refusal:
        raise EaselError(plan.dry_run.refusal)
    hashes = _hashes(plan, watcher)
    folder = plan.path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EaselError(f"The folder {folder} cannot be made: {error.strerror or error}.") from error
    clear_unfinished(folder)
    with UnfinishedFile(plan.path) as file:
        _write(plan, hashes, file, watcher)
        sha256 = file.finish(replace=plan.overwrite)
    _remember(plan, sha256)
    notes = _copy_config(plan.config, plan) if plan.config else ()
    return MergeResult(
        path=plan.path,
        sha256=sha256,
        size=plan.path.stat().st_size,
        seconds=time.monotonic() - started,
        config=plan.path.with_name(plan.config.name) if plan.config and not notes else None,
        notes=(*plan.dry_run.notes, *notes),
    )


run_convert = run_merge
"""A conversion is carried out as a merge is."""


@torch.no_grad()
def _write(plan: MergePlan, hashes: Hashes, file: UnfinishedFile, watcher: MergeWatcher) -> None:
    entries = safetensors_order(TensorEntry(each.name, each.dtype, each.shape) for each in plan.pieces)
    by_name = {piece.name: piece for piece in plan.pieces}
    pieces = [by_name[entry.name] for entry in entries]
    report = _Reports(watcher, f"Writing {plan.path.name}", sum(entry.size for entry in entries))
    with ExitStack() as opened:
        files = {name: opened.enter_context(_opened(parent)) for name, parent in plan.parents.items()}
        baker = Baker(plan.bake) if plan.bake else None
        numbers = _all_numbers(pieces, files, baker, report)
        if plan.file_format is FileFormat.CKPT:
            write_torch_file(file, entries, numbers)
        else:
            write_safetensors(file, entries, plan.metadata(hashes), numbers)


def _all_numbers(
    pieces: Sequence[Piece], files: Mapping[str, TensorFile], baker: Baker | None, report: _Reports
) -> Iterator[Iterator[Tensor]]:
    for piece in pieces:
        yield _counted(numbers_of(piece, files, baker), report)


def _counted(numbers: Iterator[Tensor], report: _Reports) -> Iterator[Tensor]:
    for tensor in numbers:
        report.add(tensor.numel() * tensor.element_size())
        yield tensor


class _Reports:
    """Tells the watcher now and then, and ends the work when it says so."""

    def __init__(self, watcher: MergeWatcher, stage: str, total: int) -> None:
        self._watcher, self._stage, self._total = watcher, stage, total
        self._done, self._told = 0, 0.0

    def add(self, size: int) -> None:
        """So many more bytes are computed. Raises MergeStopped."""
        self._done += size
        now = time.monotonic()
        if now - self._told < REPORT_SECONDS and self._done < self._total:
            return
        self._told = now
        if self._watcher.should_stop():
            raise MergeStopped
        self._watcher.on_progress(self._stage, self._done, self._total)


def _hashes(plan: MergePlan, watcher: MergeWatcher) -> dict[str, str | None]:
    """sha256 of all parents, computed where they are not known yet."""
    parents = plan.parents.items() if plan.needs_hashes else ()
    total = sum(parent.size for _, parent in parents)
    done = 0
    hashes: dict[str, str | None] = {}
    for name, parent in parents:
        if watcher.should_stop():
            raise MergeStopped
        if parent.file.known_sha256 is None:
            watcher.on_progress(f"Hashing {parent.name}", done, total)
        hashes[name] = parent.file.sha256
        done += parent.size
    return hashes


def _opened(parent: Parent) -> TensorFile:
    """The parent as it was when the plan was made. Raises EaselError if it is not."""
    path = parent.file.path
    try:
        state = path.stat()
        file = TensorFile(path, {}, {})
    except OSError as error:
        raise EaselError(
            f"{parent.name} cannot be opened any more: {error.strerror or error}. Nothing was written."
        ) from error
    if (state.st_size, state.st_mtime_ns) != (parent.size, parent.mtime_ns):
        file.close()
        raise EaselError(
            f"{parent.name} was changed after the merge was planned. Nothing was written; merge again."
        )
    return file


def _remember(plan: MergePlan, sha256: str) -> None:
    """The result's hash was computed while it was written."""
    next(iter(plan.parents.values())).file.hashes.learn(plan.path, sha256)


def _copy_config(config: ConfigCopy, plan: MergePlan) -> tuple[str, ...]:
    """Write the configuration beside the result; a sentence if that fails, since the model is there."""
    target = plan.path.with_name(config.name)
    try:
        replace_file(target, config.source.read_bytes())
    except OSError as error:
        sentence = (
            f"The configuration {config.name} could not be written ({error.strerror or error}); copy "
            f"{config.source.name} under that name."
        )
        log.warning("%s", sentence)
        return (sentence,)
    return ()
