"""The dry run: what the result will be, what it needs, and why it may not be made."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch

from modules.checkpoints import TensorEntry, safetensors_header, safetensors_order, torch_file_size
from modules.memory import memory_for_us
from modules.merging.bake import BakePlan
from modules.merging.changes import VAE_PARENT
from modules.merging.computing import memory_of
from modules.merging.matching import Matching
from modules.merging.plan import ConfigCopy, DryRun, MergePlan, Mismatch, Parent, Piece
from modules.merging.recipe import MetadataOf
from modules.merging.request import FileFormat

__all__ = ["Draft", "finished"]


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """Everything that was decided about a result."""

    path: Path
    file_format: FileFormat
    overwrite: bool
    pieces: Mapping[str, Piece]
    before: int
    """Tensors that the first parent has."""
    parents: Mapping[str, Parent]
    metadata: MetadataOf
    needs_hashes: bool
    bake: BakePlan | None
    config: ConfigCopy | None
    notes: Sequence[str]
    matching: Matching | None = None
    """What was met when models were matched; None: there is one."""


def finished(draft: Draft) -> MergePlan:
    """The plan, with its dry run."""
    return MergePlan(
        dry_run=_dry_run(draft),
        path=draft.path,
        file_format=draft.file_format,
        overwrite=draft.overwrite,
        pieces=tuple(draft.pieces.values()),
        parents=draft.parents,
        metadata=draft.metadata,
        needs_hashes=draft.needs_hashes,
        bake=draft.bake,
        config=draft.config,
    )


def _dry_run(draft: Draft) -> DryRun:
    pieces = draft.pieces.values()
    entries = safetensors_order(TensorEntry(each.name, each.dtype, each.shape) for each in pieces)
    size = _size(draft, entries)
    merged = sum(piece.mix is not None for piece in pieces)
    from_vae = sum(piece.parts[0].parent == VAE_PARENT for piece in pieces)
    free = _free_space(draft.path.parent)
    matching = draft.matching or Matching()
    return DryRun(
        name=draft.path.name,
        path=str(draft.path),
        replaces=draft.path.exists(),
        config=draft.config.name if draft.config else None,
        size=size,
        dtypes=dict(Counter(str(piece.dtype).removeprefix("torch.") for piece in pieces)),
        merged=merged,
        copied=len(pieces) - merged - from_vae,
        from_vae=from_vae,
        with_loras=sum(piece.is_baked for piece in pieces),
        dropped=draft.before - len(pieces),
        only_in_some=matching.only_in_some,
        mismatched=tuple(matching.mismatched),
        notes=tuple(draft.notes),
        refusal=_refusal(draft, matching, merged, size, free),
        disk_needed=size,
        disk_free=free,
        memory_needed=max(map(memory_of, pieces), default=0) + (draft.bake.largest if draft.bake else 0),
        memory_free=memory_for_us(torch.device("cpu")),
    )


def _size(draft: Draft, entries: Sequence[TensorEntry]) -> int:
    if draft.file_format is FileFormat.CKPT:
        return torch_file_size(entries)
    header = safetensors_header(entries, draft.metadata(_assumed_hashes(draft.parents)))
    return len(header) + sum(entry.size for entry in entries)


def _assumed_hashes(parents: Mapping[str, Parent]) -> dict[str, str | None]:
    """Those that are known; others are different ones of the same length."""
    return {
        name: parent.file.known_sha256 or sha256(str(parent.file.path).encode()).hexdigest()
        if parent.file.hashes.enabled
        else None
        for name, parent in parents.items()
    }


def _refusal(draft: Draft, matching: Matching, merged: int, size: int, free: int | None) -> str | None:
    """The first reason why the result cannot be made, in a sentence."""
    name = draft.path.name
    if matching.wrong_way_round:
        kind = str(matching.wrong_way_round).strip(".")
        return f"When an {kind} model is merged with an ordinary one, A must be the {kind} model."
    if matching.mismatched:
        return _sentence_of_mismatches(matching.mismatched)
    if draft.matching and not merged:
        return "These models have no tensors in common, so there is nothing to merge. Choose checkpoints."
    if not draft.pieces:
        return "Nothing would be left: the pattern of names to discard finds all of them."
    if draft.path.exists() and not draft.overwrite:
        return f"There is a file {name} already. Choose another name, or allow that it is replaced."
    if draft.path.is_dir():
        return f"There is a folder called {name}. Choose another name."
    if free is not None and size > free:
        return (
            f"{name} needs {_gigabytes(size)}, and {draft.path.parent} has {_gigabytes(free)} left. Make "
            "room, or save it as float16."
        )
    if not os.access(_existing(draft.path.parent), os.W_OK):
        return f"{draft.path.parent} cannot be written to. Give yourself the rights to that folder."
    return None


def _sentence_of_mismatches(mismatched: Sequence[Mismatch]) -> str:
    first = mismatched[0]
    shapes = ", ".join(f"{letter}: {list(shape)}" for letter, shape in first.shapes.items())
    return (
        f"{len(mismatched)} tensors have different shapes in these models, such as {first.name} ({shapes}): "
        "they are of different families or sizes and cannot be merged."
    )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"


def _free_space(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(_existing(folder)).free
    except OSError:
        return None


def _existing(folder: Path) -> Path:
    return next((each for each in (folder, *folder.parents) if each.exists()), folder)
