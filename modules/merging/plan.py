"""What a merge or a conversion will do, as data: no file is open, nothing is computed yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import dtype

from modules.checkpoints import HashedFile, StoredTensor
from modules.merging.bake import BakePlan
from modules.merging.mixing import Mix
from modules.merging.request import FileFormat

__all__ = ["ConfigCopy", "DryRun", "MergePlan", "MergeResult", "Mismatch", "Parent", "Part", "Piece"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A tensor that has another shape in one model than in the others."""

    name: str
    shapes: Mapping[str, tuple[int, ...]]
    """By the model's letter."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a plan comes to, for the person who decides: plain values, ready to be written as JSON. Sizes are
    bytes.
    """

    name: str
    """Of the file, with its ending."""
    path: str
    replaces: bool
    """Whether there is such a file now."""
    config: str | None
    """Name of the configuration that is written beside it."""
    size: int
    """Exact for safetensors; a .ckpt of more than 2 GB has some kilobytes more."""
    dtypes: Mapping[str, int]
    """How many tensors of the result have a type, by its name ("float16")."""
    merged: int
    """Tensors that are computed from several models."""
    copied: int
    """Those taken from one model as they are: the first of the merge."""
    from_vae: int
    """Those taken from the baked-in VAE."""
    with_loras: int
    """Those that LoRAs change, counted above too."""
    dropped: int
    """Those of that model that the result does not have."""
    only_in_some: Mapping[str, tuple[str, ...]]
    """Names that not every model of the merge has: by the letters that do have them ("A", "B, C")."""
    mismatched: tuple[Mismatch, ...]
    notes: tuple[str, ...]
    """What a person should know before it is done, in sentences."""
    refusal: str | None
    """Why it cannot be done; then running it raises EaselError with this sentence."""
    disk_needed: int
    disk_free: int | None
    """None where that cannot be told."""
    memory_needed: int
    memory_free: int | None


@dataclass(frozen=True, slots=True)
class Parent:
    """A file that the result is made from, and how it was when the plan was made."""

    file: HashedFile
    name: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Part:
    """Where the numbers of one parent for a tensor of the result lie."""

    parent: str
    stored: StoredTensor


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One tensor of the result, and how it comes about."""

    name: str
    shape: tuple[int, ...]
    dtype: dtype
    parts: tuple[Part, ...]
    mix: Mix | None = None
    """What is computed from the parts; None: there is one, and it is copied."""
    is_baked: bool = False
    """Whether networks change it then."""


@dataclass(frozen=True, slots=True)
class ConfigCopy:
    """A configuration, and the name under which it is written beside the result."""

    source: Path
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class MergePlan:
    """Everything that is needed to write the result. `dry_run` is what a person is shown."""

    dry_run: DryRun
    path: Path
    file_format: FileFormat
    overwrite: bool
    pieces: tuple[Piece, ...]
    parents: Mapping[str, Parent]
    """By the letters of the models; "vae"; networks as "lora 1" and so on."""
    metadata: Callable[[Mapping[str, str | None]], dict[str, str]]
    """The result's metadata, from the parents' sha256."""
    needs_hashes: bool
    bake: BakePlan | None
    config: ConfigCopy | None


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The file that was written."""

    path: Path
    sha256: str
    size: int
    seconds: float
    config: Path | None
    notes: tuple[str, ...]
