"""The cards of all kinds, as the folders are at the moment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from modules.adapters import AdapterFile, AdapterShelves
from modules.checkpoints import CheckpointFile, CheckpointShelf
from modules.errors import InvalidRequest, NotFound
from modules.extra_networks.beside import FileState, FolderLook, folder_time, folder_times, look_into
from modules.extra_networks.card import Card, PreviewFile
from modules.extra_networks.index import IndexedFile, NetworkIndex, Said
from modules.extra_networks.kinds import NetworkKind
from modules.extra_networks.previews import Previews
from modules.extra_networks.sidecar import KEYS_OF_KIND, write_sidecar
from modules.extra_networks.versions import ModelVersion

if TYPE_CHECKING:
    from modules.folders import Folders

__all__ = ["Catalogue", "Look"]

PATIENCE_SECONDS = 0.4
"""How long a look waits for files that were never read; the rest is shown by name and read meanwhile."""

GONE = FileState(0, 0, 0.0)
NOTHING = Said()
File = CheckpointFile | AdapterFile


@dataclass(frozen=True, slots=True)
class Look:
    """The cards of a kind, by path, and how many of their files are still to be read."""

    cards: tuple[Card, ...]
    unread: int


@dataclass(slots=True)
class _Kept:
    """What was found at the last look at a kind, and the times of its folders then."""

    look: Look | None = None
    times: dict[str, int] = field(default_factory=dict)
    by_folder: dict[str, list[Card]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def is_current(self) -> bool:
        """Whether no file was made, renamed or taken away since, and all were read."""
        is_whole = self.look is not None and not self.look.unread
        return is_whole and all(folder_time(folder) == time for folder, time in self.times.items())


class Catalogue:
    """Makes cards of the files on the shelves. For several threads; one in the house.

    A look costs a question to the system for each folder; only folders that have changed are read again.
    """

    def __init__(self, checkpoints: CheckpointShelf, adapters: AdapterShelves, folders: Folders) -> None:
        self._checkpoints, self._adapters = checkpoints, adapters
        self._index = NetworkIndex(folders.cache / "networks.json")
        self._kept = {kind: _Kept() for kind in NetworkKind}
        self._roots: dict[NetworkKind, tuple[Path, ...]] = {
            NetworkKind.CHECKPOINTS: (*folders.checkpoints, folders.diffusers),
            NetworkKind.LORA: (*folders.loras, *folders.lycoris, *folders.checkpoints),
            NetworkKind.HYPERNETWORKS: folders.hypernetworks,
            NetworkKind.TEXTUAL_INVERSION: folders.embeddings,
        }
        every_root = [root for roots in self._roots.values() for root in roots]
        self.previews = Previews(every_root, folders.cache / "previews")

    def roots(self, kind: NetworkKind) -> tuple[Path, ...]:
        """The folders in which files of `kind` are looked for."""
        return self._roots[kind]

    def look(self, kind: NetworkKind, *, anew: bool = False, patience: float = PATIENCE_SECONDS) -> Look:
        """All cards of `kind` as the folders are. anew: read folders too that seem the same, which finds what
        was written over in its place. patience: seconds to spend on files that were never read.
        """
        kept = self._kept[kind]
        with kept.lock:
            if anew or not kept.is_current():
                self._look_again(kind, kept, anew, patience)
            assert kept.look
            return kept.look

    def _look_again(self, kind: NetworkKind, kept: _Kept, anew: bool, patience: float) -> None:
        # The times come first: what changes while this looks is seen the next time.
        times = folder_times(self._roots[kind])
        found: defaultdict[str, list[tuple[File, str]]] = defaultdict(list)
        for file, name in self._files(kind):
            found[str(file.path.parent)].append((file, name))
        reading = _Reading(self._index, monotonic() + patience)
        by_folder = {}
        for folder, files in found.items():
            before = kept.by_folder.get(folder, [])
            is_same = folder in times and kept.times.get(folder) == times[folder]
            is_same = is_same and [_shown_of(card) for card in before] == [
                (file.path, name, _note_of(file)) for file, name in files
            ]
            if is_same and not anew and all(card.is_read for card in before):
                by_folder[folder] = before
            else:
                look = look_into(Path(folder))
                by_folder[folder] = [_card(kind, file, name, look, reading) for file, name in files]
        reading.finish()
        cards = [card for cards in by_folder.values() for card in cards]
        cards.sort(key=lambda card: (card.folder.lower(), card.label.lower()))
        kept.look = Look(tuple(_with_aliases(cards)), len(reading.unread))
        kept.times, kept.by_folder = times, by_folder

    def find(self, kind: NetworkKind, name: str) -> Card:
        """The card called `name`; a checkpoint also by its file's name without the extension. Raises
        NotFound.
        """
        cards = self.look(kind).cards
        found = next((card for card in cards if card.name == name), None)
        found = found or next((card for card in cards if card.label == name), None)
        if found is None:
            raise NotFound(
                f'There is no card called "{name[:100]}" under {kind.heading}. Its file may be gone: refresh.'
            )
        return found

    def path_of(self, kind: NetworkKind, name: str) -> Path:
        """The file of the card called `name`, without looking for new ones. Raises NotFound."""
        kept = self._kept[kind].look
        found = next((card.path for card in kept.cards if card.name == name), None) if kept else None
        return found or self.find(kind, name).path

    def version_of(self, file: CheckpointFile) -> ModelVersion:
        """The version of a checkpoint, which is read for it if it never was."""
        reading = _Reading(self._index, inf)
        card = _card(NetworkKind.CHECKPOINTS, file, file.name, look_into(file.path.parent), reading)
        reading.finish()
        return card.version

    def describe(self, card: Card, values: dict[str, Any]) -> Card:
        """Keep what a person wrote about a network beside its file; the new card.

        Raises InvalidRequest for a field that its kind does not have, EaselError where it cannot be written.
        """
        for name in values.keys() - set(KEYS_OF_KIND[card.kind]):
            raise InvalidRequest(name, f"{card.kind.heading} cards have no {name.replace('_', ' ')}.")
        write_sidecar(card.sidecar_path, values)
        return self.find(card.kind, card.name)

    def _files(self, kind: NetworkKind) -> Iterator[tuple[File, str]]:
        """The files of the shelf, looked into anew, with the names of their cards."""
        if kind is NetworkKind.CHECKPOINTS:
            self._checkpoints.refresh()
            yield from ((file, file.name) for file in self._checkpoints.list())
            return
        shelf = {
            NetworkKind.LORA: self._adapters.networks,
            NetworkKind.HYPERNETWORKS: self._adapters.hypernetworks,
            NetworkKind.TEXTUAL_INVERSION: self._adapters.embeddings,
        }[kind]
        shelf.refresh()
        yield from ((file, file.name) for file in shelf.list())


class _Reading:
    """Reads files until `deadline`, of the monotonic clock, and hands the rest to the index's thread."""

    def __init__(self, index: NetworkIndex, deadline: float) -> None:
        self._index, self._deadline = index, deadline
        self._has_read = False
        self.unread: list[IndexedFile] = []

    def said(self, file: IndexedFile) -> Said | None:
        """What `file` says; None if there is no time left to read it."""
        known = self._index.known(file)
        if known is None and monotonic() < self._deadline:
            self._has_read = True
            return self._index.read(file)
        if known is None:
            self.unread.append(file)
        return known

    def finish(self) -> None:
        """Have the rest read, and what was read kept."""
        if self._has_read or self.unread:
            self._index.read_later(self.unread)


def _card(kind: NetworkKind, file: File, name: str, look: FolderLook, reading: _Reading) -> Card:
    stem, own = file.stem, file.path.name
    state = look.state(own) or GONE
    sidecar, text, preview = look.sidecar(stem), look.description(stem), look.preview(stem, own)
    states = (state, *(look.state(beside.name) or GONE for beside in (sidecar, text) if beside))
    stamp = tuple(number for each in states for number in (each.size, each.mtime_ns, each.inode))
    said = reading.said(IndexedFile(kind, file.path, sidecar, text, stamp))
    folder = file.folder if isinstance(file, AdapterFile) else name.rpartition("/")[0]
    return Card(
        kind=kind,
        name=name,
        label=stem,
        path=file.path,
        root=file.path.parents[len(folder.split("/")) if folder else 0],
        folder=folder,
        size=state.size,
        created=state.created,
        modified=state.mtime_ns / 1e9,
        short_hash=file.known_short_hash,
        said=said or NOTHING,
        preview=PreviewFile(preview, (look.state(preview.name) or GONE).mtime_ns) if preview else None,
        is_read=said is not None,
        note=_note_of(file),
    )


def _note_of(file: File) -> str:
    return file.note if isinstance(file, AdapterFile) else ""


def _shown_of(card: Card) -> tuple[Path, str, str]:
    return card.path, card.name, card.note


def _with_aliases(cards: list[Card]) -> Iterator[Card]:
    """Aliases that mean one file: those that no other file has as its name or its alias."""
    aliases = Counter(card.said.facts.alias for card in cards)
    names = {card.name for card in cards}
    for card in cards:
        alias = card.said.facts.alias
        is_own = aliases[alias] == 1 and (alias == card.name or alias not in names)
        yield replace(card, has_own_alias=True) if alias and is_own else card
