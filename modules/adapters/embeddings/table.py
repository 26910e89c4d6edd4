"""Which embeddings a model can read, found by the tokens of their names."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modules.adapters.embeddings.names import NameFinder
from modules.adapters.embeddings.reading import Embedding, read_embedding
from modules.adapters.files import AdapterFile, AdapterShelf
from modules.checkpoints import FileStamp, Model
from modules.conditioning import Insertion, tokenise
from modules.errors import EaselError
from modules.readings import LeftAlone

__all__ = ["EmbeddingTable", "KnownEmbeddings", "Lookup", "MetEmbeddings", "known_embeddings"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Named:
    """An embedding by the tokens of its name: a file, or one that a network has brought along."""

    name: str
    tokens: tuple[int, ...]
    file: AdapterFile | None = None
    read: _Read | None = None


@dataclass(slots=True)
class _Read:
    """What was read of a file, once: the embedding, as insertions of each tower, or why it is not used."""

    embedding: Embedding | None = None
    insertions: tuple[Insertion, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KnownEmbeddings:
    """Those that a model can read, by name; and the others, as far as they could be read, with the reason."""

    used: Mapping[str, Embedding]
    skipped: Mapping[str, tuple[Embedding | None, str]]


@dataclass(frozen=True, slots=True)
class MetEmbeddings:
    """Those that prompts have named, by name, in the order in which they did: the files in use, and why the
    others are read as plain words.
    """

    used: dict[str, AdapterFile] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def notes(self) -> list[str]:
        """What a person is told about those that are not used."""
        return [
            f"The embedding {name} is read as plain words. {reason}" for name, reason in self.skipped.items()
        ]


class EmbeddingTable:
    """The embeddings of a shelf for one model. A file is read when a prompt first names it."""

    def __init__(self, model: Model, shelf: AdapterShelf) -> None:
        self.model, self._shelf = model, shelf
        self._widths = tuple(tower.encoder.embeddings.token_embedding.embedding_dim for tower in model.towers)
        self._read: dict[tuple[str, FileStamp | None], _Read] = {}
        self._named: dict[int, list[_Named]] = {}
        self._finder = NameFinder(())
        self._listed: tuple[str, ...] | None = None
        self._bundled: Mapping[str, Embedding] = {}
        self._lock = threading.Lock()

    def lookups(self) -> tuple[Lookup, ...]:
        """A lookup for each text tower, which remember what they found together."""
        with self._lock:
            self._name()
        met = MetEmbeddings()
        return tuple(Lookup(self, number, met) for number in range(len(self.model.towers)))

    def bundle(self, embeddings: Mapping[str, Embedding]) -> bool:
        """Know these too, as long as the networks are on that bring them; whether others were known before.
        A file of the shelf with the same name comes first.
        """
        if {name: id(each) for name, each in embeddings.items()} == {
            name: id(each) for name, each in self._bundled.items()
        }:
            return False
        with self._lock:
            self._bundled, self._listed = dict(embeddings), None
            self._name()
        return True

    def separated(self, text: str) -> tuple[str, ...]:
        """See `Lookup`."""
        return self._finder.separated(text)

    def named(self, token: int) -> Sequence[_Named]:
        """Those whose names begin with `token`, the longest name first."""
        return self._named.get(token, ())

    def known(self) -> KnownEmbeddings:
        """All embeddings of the shelf; each is read for it."""
        read = {file.name: self._reading(file) for file in self._shelf.list()}
        return KnownEmbeddings(
            {name: each.embedding for name, each in read.items() if each.embedding and not each.reason},
            {name: (each.embedding, each.reason) for name, each in read.items() if each.reason},
        )

    def insertion(self, named: _Named, tower: int) -> Insertion | str:
        """The vectors for a tower; the reason if this model cannot read them."""
        read = named.read or (self._reading(named.file) if named.file else _Read())
        return read.insertions[tower] if read.insertions else read.reason

    def refusal(self, file: AdapterFile) -> str:
        """Why this model cannot read `file`; empty if it can."""
        return self._reading(file).reason

    def _name(self) -> None:
        files = self._shelf.list()
        names = tuple(f"{file.name}\n{file.path}" for file in files)
        if names == self._listed:
            return
        known = [(file.name, file, None) for file in files]
        taken = {name for name, *_ in known}
        bundled = [
            (name, None, self._fitted(each)) for name, each in self._bundled.items() if name not in taken
        ]
        wanted = [*known, *bundled]
        tokenised = tokenise(self.model.towers[0].tokenizer, [name for name, *_ in wanted]) if wanted else []
        found: defaultdict[int, list[_Named]] = defaultdict(list)
        for (name, file, read), tokens in zip(wanted, tokenised, strict=True):
            if tokens:
                found[tokens[0]].append(_Named(name, tuple(tokens), file, read))
        for named in found.values():
            named.sort(key=lambda each: len(each.tokens), reverse=True)
        self._named, self._listed = dict(found), names
        self._finder = NameFinder(name for name, *_ in wanted)

    def _reading(self, file: AdapterFile) -> _Read:
        key = (str(file.path), file.stamp)
        with self._lock:
            if key not in self._read:
                try:
                    self._read[key] = self._try(file)
                except LeftAlone as error:
                    # Not remembered: a person may ask for it.
                    return _Read(reason=str(error))
            return self._read[key]

    def _try(self, file: AdapterFile) -> _Read:
        try:
            embedding = read_embedding(file.path)
        except LeftAlone:
            raise
        except EaselError as error:
            log.warning("%s", error)
            return _Read(reason=str(error))
        if embedding is None:
            return _Read(reason=f"{file.path.name} is a picture without an embedding in it.")
        return self._fitted(embedding)

    def _fitted(self, embedding: Embedding) -> _Read:
        widths = tuple(int(each.shape[1]) for each in embedding.vectors)
        if widths != self._widths:
            made, wanted = (" and ".join(map(str, each)) for each in (widths, self._widths))
            return _Read(
                embedding,
                reason=f"Its vectors have {made} numbers, and this checkpoint's text encoder reads {wanted}.",
            )
        return _Read(embedding, tuple(Insertion(each) for each in embedding.vectors))


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """The embeddings by the tokens of their names, for one tower; see `conditioning.EmbeddingLookup`."""

    table: EmbeddingTable
    tower: int
    met: MetEmbeddings

    def separated(self, text: str) -> tuple[str, ...]:
        """The text in parts to be tokenised each by itself, so that every name is found."""
        return self.table.separated(text)

    def at(self, tokens: Sequence[int], position: int) -> tuple[Insertion, int] | None:
        """The embedding whose name stands in `tokens` at `position`, longest name first, and its tokens."""
        for each in self.table.named(tokens[position]):
            count = len(each.tokens)
            if tuple(tokens[position : position + count]) != each.tokens:
                continue
            insertion = self.table.insertion(each, self.tower)
            if isinstance(insertion, Insertion):
                if each.file:
                    self.met.used.setdefault(each.name, each.file)
                return insertion, count
            self.met.skipped.setdefault(each.name, insertion)
        return None


def known_embeddings(shelf: AdapterShelf, table: EmbeddingTable | None) -> KnownEmbeddings:
    """All embeddings of the shelf, by what the model of `table` can read; without one all are skipped."""
    if table is not None:
        return table.known()
    found: dict[str, tuple[Embedding | None, str]] = {}
    for file in shelf.list():
        try:
            found[file.name] = (read_embedding(file.path), "No checkpoint is loaded yet.")
        except EaselError as error:
            found[file.name] = (None, str(error))
    return KnownEmbeddings({}, found)
