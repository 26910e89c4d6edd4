"""Checkpoint and VAE files as the shelves list them: names, titles, hashes. Nothing here reads tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from modules.checkpoints.hashes import FileStamp, HashCache, file_stamp, old_hash
from modules.checkpoints.safetensors_file import read_metadata
from modules.errors import NotFound

__all__ = ["CheckpointFile", "HashedFile", "VaeFile"]

SHORT_DIGITS = 10
Value = TypeVar("Value")


@dataclass(frozen=True)
class HashedFile:
    """A file with what is computed from its bytes, and remembered."""

    path: Path
    hashes: HashCache
    _told: dict[str, tuple[FileStamp | None, Any]] = field(
        default_factory=dict, init=False, repr=False, compare=False, kw_only=True
    )

    @property
    def sha256(self) -> str | None:
        """64 hex digits, computed when first asked for (seconds for gigabytes); None with --no-hashing."""
        return self.hashes.sha256(self.path)

    @property
    def short_hash(self) -> str | None:
        """The first 10 digits of `sha256`, computed when first asked for."""
        sha256 = self.sha256
        return sha256[:SHORT_DIGITS] if sha256 else None

    @property
    def known_sha256(self) -> str | None:
        """`sha256` if it was computed before, never waiting."""
        return self.hashes.known(self.path)

    @property
    def known_short_hash(self) -> str | None:
        """`short_hash` if it was computed before, never waiting."""
        sha256 = self.known_sha256
        return sha256[:SHORT_DIGITS] if sha256 else None

    def hash_later(self) -> None:
        """Let the hash be computed in the background."""
        self.hashes.compute_later(self.path)

    @property
    def old_hash(self) -> str:
        """The 8 hex digits of early versions; not unique, files that begin alike share it."""
        return self._as_it_is("old_hash", lambda: old_hash(self.path))

    @property
    def stamp(self) -> FileStamp | None:
        """Which bytes are in it, as far as can be told without reading them; None if it is gone."""
        return file_stamp(self.path)

    @property
    def present_stamp(self) -> FileStamp:
        """`stamp`. Raises NotFound for a file that is gone."""
        stamp = self.stamp
        if stamp is None:
            raise NotFound(
                f"{self.path.name} is no longer in {self.path.parent}: it was deleted, moved or renamed. "
                "Choose another file."
            )
        return stamp

    @property
    def size(self) -> int:
        """Bytes on the disk. Raises NotFound for a file that is gone."""
        return self.present_stamp.size

    @property
    def stem(self) -> str:
        """The file's name without folder and extension."""
        return self.path.name if self.path.is_dir() else self.path.stem

    @property
    def metadata(self) -> dict[str, str]:
        """What the header of a safetensors file says about it; empty for other files."""
        if self.path.suffix.lower() != ".safetensors":
            return {}
        return self._as_it_is("metadata", lambda: read_metadata(self.path))

    def _as_it_is(self, what: str, read: Callable[[], Value]) -> Value:
        """What `read` finds in the file, read once for as long as the file stays the same."""
        stamp = self.stamp
        known = self._told.get(what)
        if known is None or known[0] != stamp:
            known = self._told[what] = (stamp, read())
        value: Value = known[1]
        return value


@dataclass(frozen=True)
class CheckpointFile(HashedFile):
    """A checkpoint found in one of the folders: a file, or a folder in diffusers' layout."""

    name: str
    """Its path below the folder, with "/" between parts."""

    @property
    def model_name(self) -> str:
        """`name` without extension, on one level: "sub_anime" for "sub/anime.safetensors"."""
        whole = self.name if self.path.is_dir() else self.name.rpartition(".")[0]
        return whole.replace("/", "_")

    @property
    def title(self) -> str:
        """`name [hash]`; the name alone until the hash is known."""
        return _with_hash(self.name, self.known_short_hash)

    @property
    def short_title(self) -> str:
        """`stem [hash]`; the stem alone until the hash is known."""
        return _with_hash(self.stem, self.known_short_hash)

    @property
    def config_path(self) -> Path | None:
        """The LDM configuration of the same name beside the file."""
        path = self.path.with_suffix(".yaml")
        return path if path.is_file() and not self.path.is_dir() else None

    @property
    def ids(self) -> frozenset[str]:
        """The texts that mean exactly this checkpoint; those with a hash only once it is known."""
        plain = {self.name, self.stem, self.model_name, self.old_hash, f"{self.name} [{self.old_hash}]"}
        sha256, short = self.known_sha256, self.known_short_hash
        if sha256 is None or short is None:
            return frozenset(plain)
        return frozenset(plain | {sha256, short, self.title, self.short_title})


@dataclass(frozen=True)
class VaeFile(HashedFile):
    """A file that holds a VAE alone."""

    given_name: str = ""
    """What it is called where another file has its name."""

    @property
    def name(self) -> str:
        """The file's name with its extension, as the setting `sd_vae` has it."""
        return self.given_name or self.path.name


def _with_hash(name: str, short_hash: str | None) -> str:
    return f"{name} [{short_hash}]" if short_hash else name
