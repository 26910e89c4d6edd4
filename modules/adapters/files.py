"""Adapter files as their shelves list them: names, aliases, hashes. Nothing here reads tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from modules.checkpoints import HashCache, HashedFile, files_below

__all__ = ["AdapterFile", "AdapterShelf"]

SHORT_DIGITS = 12
READ_BYTES = 1 << 22


@dataclass(frozen=True)
class AdapterFile(HashedFile):
    """A file of a network, hypernetwork or embedding, found below one of the folders."""

    folder: str = ""
    """Its sub-folder, with "/" between parts; empty at the top."""

    @property
    def name(self) -> str:
        """What prompts call it: the file's name without its extension."""
        return self.stem

    @property
    def short_hash(self) -> str | None:
        """What generation texts write of an embedding or hypernetwork: 12 digits."""
        sha256 = self.sha256
        return sha256[:SHORT_DIGITS] if sha256 else None

    @property
    def alias(self) -> str:
        """The name that its training program gave it, else its own."""
        given = self.metadata.get("ss_output_name", "")
        return given if given and given != "None" else self.name

    @cached_property
    def network_hash(self) -> str | None:
        """What generation texts write of a LoRA: of a safetensors file the hash of its numbers alone, so that
        edited metadata does not change it. None with --no-hashing, or if it cannot be read.
        """
        if not self.hashes.enabled:
            return None
        if self.path.suffix.lower() != ".safetensors":
            return self.short_hash
        try:
            return _hash_behind_header(self.path)[:SHORT_DIGITS]
        except OSError:
            return None


def _hash_behind_header(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


class AdapterShelf:
    """The adapter files of one kind in their folders, as at the last `refresh`."""

    def __init__(self, roots: Sequence[Path], endings: tuple[str, ...], hashes: HashCache) -> None:
        self._roots, self._endings, self._hashes = tuple(roots), endings, hashes
        self._files: dict[str, AdapterFile] = {}
        self.refresh()

    def list(self) -> list[AdapterFile]:
        """All files, by name; of several with one name the first found."""
        return sorted(self._files.values(), key=lambda file: file.name.lower())

    def refresh(self) -> None:
        """Look into the folders again. A file that has not changed keeps what is known of it."""
        found: dict[str, AdapterFile] = {}
        for path, folder in self._paths():
            known = self._files.get(path.stem)
            file = known if known and known.path == path else AdapterFile(path, self._hashes, folder)
            found.setdefault(path.stem, file)
        self._files = found

    def find(self, name: str) -> AdapterFile | None:
        """The file that prompts call `name`: by file name, by alias, then without regard to capital letters.

        Looks into the folders again before it gives up.
        """
        found = self._find(name)
        if found is None:
            self.refresh()
            found = self._find(name)
        return found

    def _find(self, name: str) -> AdapterFile | None:
        if name in self._files:
            return self._files[name]
        small = name.lower()
        by_alias = next((file for file in self._files.values() if file.alias == name), None)
        return by_alias or next((file for file in self._files.values() if file.name.lower() == small), None)

    def _paths(self) -> Iterator[tuple[Path, str]]:
        for root in self._roots:
            for path in files_below(root, self._endings):
                if not path.stem.endswith(".preview"):
                    below = path.parent.relative_to(root).as_posix()
                    yield path, "" if below == "." else below
