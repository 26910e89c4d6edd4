"""Adapter files as their shelves list them: names, aliases, hashes. Nothing here reads tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from modules.checkpoints import HashCache, HashedFile
from modules.listing import FileTree, FoundFile, named_apart

__all__ = ["AdapterFile", "AdapterShelf", "StrayFiles"]

SHORT_DIGITS = 12
READ_BYTES = 1 << 22
MOST_TOLD = 3
"""Files that a sentence names."""


@dataclass(frozen=True)
class AdapterFile(HashedFile):
    """A file of a network, hypernetwork or embedding, found below one of the folders."""

    folder: str = ""
    """Its sub-folder, with "/" between parts; empty at the top."""

    given_name: str = ""
    """What it is called where another file has its name."""
    note: str = ""
    """What a person should know of where it lies and how it is called; empty: nothing."""

    @property
    def name(self) -> str:
        """What prompts call it: the file's name without its extension, which is preceded by its folder where
        a file before it has that name.
        """
        return self.given_name or self.stem

    @property
    def place(self) -> str:
        """Its name behind that of its sub-folder."""
        return f"{self.folder}/{self.stem}" if self.folder else self.stem

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

    @property
    def network_hash(self) -> str | None:
        """What generation texts write of a LoRA: of a safetensors file the hash of its numbers alone, so that
        edited metadata does not change it. None with --no-hashing, or if it cannot be read.
        """
        if not self.hashes.enabled:
            return None
        if self.path.suffix.lower() != ".safetensors":
            return self.short_hash
        return self._as_it_is("network_hash", lambda: _network_hash(self.path))


def _network_hash(path: Path) -> str | None:
    try:
        return _hash_behind_header(path)[:SHORT_DIGITS]
    except OSError:
        return None


def _hash_behind_header(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class StrayFiles:
    """Files of a kind in folders of another one: which they are, and what the folders are for ("among the
    checkpoints").

    deep: folders that are looked through with all below them. flat: those in which files at the top count
    alone: whoever names a folder of all his models has sub-folders for each kind in it.
    """

    deep: tuple[Path, ...]
    flat: tuple[Path, ...]
    tree: FileTree
    is_one: Callable[[Path], bool]
    place: str

    def counts(self, file: FoundFile) -> bool:
        """Whether `file` is one of them."""
        return (file.root in self.deep or not file.folder) and self.is_one(file.path)


class AdapterShelf:
    """The adapter files of one kind in their folders. Folders that have changed are looked into again.

    strays: the files of this kind that lie in folders of another one, and what these hold.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        endings: tuple[str, ...],
        hashes: HashCache,
        what: str = "LoRA",
        strays: StrayFiles | None = None,
    ) -> None:
        self._roots = tuple(roots)
        self._tree = FileTree(self._roots, endings)
        self._hashes, self._what, self._strays = hashes, what, strays
        self._files: dict[str, AdapterFile] = {}
        self.refresh()

    def list(self) -> list[AdapterFile]:
        """All files, by name. Each name means one file: see `AdapterFile.name`."""
        if not self._is_current():
            self.refresh()
        return sorted(self._files.values(), key=lambda file: file.name.lower())

    def refresh(self) -> None:
        """Look into the folders again. A file that has not moved keeps what is known of it."""
        self._tree.look()
        found = [file for file in self._tree.files if not file.path.stem.endswith(".preview")]
        if self._strays:
            self._strays.tree.look()
            found += [file for file in self._strays.tree.files if self._strays.counts(file)]
        known = {file.path: file for file in self._files.values()}
        files = {}
        for name, file in named_apart(found, lambda file: file.path.stem).items():
            made = AdapterFile(file.path, self._hashes, file.folder, name, self._note(name, file))
            files[name] = known[file.path] if known.get(file.path) == made else made
        self._files = files

    def find(self, name: str) -> AdapterFile | None:
        """The file that prompts call `name`: by file name, by alias, by its place below the folder, then
        without regard to capital letters.
        """
        self.list()
        found = self._find(name)
        if found is None or found.stamp is None:
            # A link stays in its folder when the file that it names is taken away; some network drives keep
            # the time of a folder.
            self.refresh()
            found = self._find(name)
        return found

    def missing(self, called: str) -> str:
        """What a person is told who named a file that is not there. called: "called NAME"."""
        sentence = f"There is no {self._what} {called}; the picture is drawn without it."
        return " ".join([sentence, *self._tree.passed_over[:MOST_TOLD]])

    def doubts(self, file: AdapterFile) -> Sequence[str]:
        """What a person is told who named `file` by a name that others have too."""
        others = [each for each in self._files.values() if each.stem == file.stem and each is not file]
        if file.name != file.stem or not others:
            return []
        names = ", ".join(each.name for each in others[:MOST_TOLD])
        used = f"{file.path} is used. Another is {names}."
        return [f"Several {self._what} files have the name {file.name}: {used}"]

    def _is_current(self) -> bool:
        return self._tree.is_current() and (self._strays is None or self._strays.tree.is_current())

    def _note(self, name: str, file: FoundFile) -> str:
        notes = []
        if name != file.path.stem:
            notes.append(f"Another {self._what} is called {file.path.stem}: prompts call this one {name}.")
        if self._strays and file.root in self._strays.deep + self._strays.flat:
            notes.append(f"It lies in {file.path.parent}, {self._strays.place}.")
        return " ".join(notes)

    def _find(self, name: str) -> AdapterFile | None:
        if name in self._files:
            return self._files[name]
        files = self._files.values()
        small = name.lower()
        tests: tuple[Callable[[AdapterFile], bool], ...] = (
            lambda file: file.alias == name,
            lambda file: name in (file.place, file.path.name, f"{file.place}{file.path.suffix}"),
            lambda file: file.name.lower() == small,
        )
        return next((file for test in tests for file in files if test(file)), None)
