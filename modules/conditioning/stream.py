"""From weighted pieces of text to chunks of 75 tokens. No network is needed here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from modules.errors import InvalidRequest
from modules.prompts import Weighted

__all__ = ["CHUNK_TOKENS", "Chunk", "ChunkRules", "EmbeddingLookup", "Insertion", "TokenCount", "make_chunks"]

CHUNK_TOKENS = 75

Tokenise = Callable[[Sequence[str]], list[list[int]]]


@dataclass(frozen=True, slots=True, eq=False)
class Insertion:
    """Vectors of a textual inversion, which stand in the place of tokens. Compared by identity."""

    vectors: Tensor
    """(N, D)"""


class EmbeddingLookup(Protocol):
    """The textual inversions by the tokens of their names."""

    def at(self, tokens: Sequence[int], position: int) -> tuple[Insertion, int] | None:
        """The one whose name stands in `tokens` at `position`, longest name first, and the name's tokens."""


@dataclass(frozen=True, slots=True)
class ChunkRules:
    """The tokens that chunks are made with, and `comma_padding_backtrack` (0: off)."""

    start: int
    end: int
    pad: int
    """Fills a chunk behind the end token; the end token itself in Stable Diffusion 1."""
    comma: int
    backtrack: int = 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """One window of the text encoder: 75 places between a start and an end token."""

    ids: tuple[int, ...]
    """77 token ids; 0 where an insertion stands."""
    weights: tuple[float, ...]
    """77 factors."""
    insertions: tuple[tuple[int, Insertion], ...] = ()
    """With the place (0 .. 76) of their first vector."""

    @property
    def key(self) -> tuple[object, ...]:
        """Everything that the text encoder's answer depends on; weights come later."""
        return (self.ids, self.insertions)


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens that a text takes, and the places in its chunks: "12/75"."""

    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class _Unit:
    """What cannot be parted: a token, or an insertion with all its vectors."""

    token: int
    weight: float
    insertion: Insertion | None = None

    @property
    def places(self) -> int:
        return 1 if self.insertion is None else self.insertion.vectors.shape[0]


@dataclass
class _Filling:
    """Fills chunks one after another."""

    rules: ChunkRules
    done: list[list[_Unit]] = field(default_factory=list)
    units: list[_Unit] = field(default_factory=list)
    places: int = 0
    after_comma: int = 0
    """Units up to and with the last comma; 0 for none."""
    places_after_comma: int = 0

    def close(self) -> None:
        self.done.append(self.units)
        self.units, self.places = [], 0
        self.after_comma = self.places_after_comma = 0

    def take(self, unit: _Unit) -> None:
        if unit.places > CHUNK_TOKENS:
            raise InvalidRequest(
                "prompt",
                f"An embedding in the prompt has {unit.places} vectors; one chunk of a prompt holds "
                f"{CHUNK_TOKENS}. Take it out of the prompt.",
            )
        is_comma = unit.insertion is None and unit.token == self.rules.comma
        if not is_comma and self.places == CHUNK_TOKENS and self._comma_is_near():
            self._move_what_follows_the_comma()
        if self.places + unit.places > CHUNK_TOKENS:
            self.close()
            is_comma = False  # sic: a comma that opens a chunk is not one to go back to
        self._add(unit)
        if is_comma:
            self.after_comma, self.places_after_comma = len(self.units), self.places

    def _comma_is_near(self) -> bool:
        distance = self.places - self.places_after_comma + 1
        return self.after_comma > 0 and distance <= self.rules.backtrack

    def _move_what_follows_the_comma(self) -> None:
        self.units, moved = self.units[: self.after_comma], self.units[self.after_comma :]
        self.close()
        for unit in moved:
            self._add(unit)

    def _add(self, unit: _Unit) -> None:
        self.units.append(unit)
        self.places += unit.places


def make_chunks(
    pieces: Sequence[Weighted],
    tokenise: Tokenise,
    rules: ChunkRules,
    embeddings: EmbeddingLookup | None = None,
) -> tuple[list[Chunk], TokenCount]:
    """The chunks of a text (at least one) and its token count.

    A BREAK closes its chunk, an empty one too. When a chunk is full, the next token is no comma, and the
    last comma is at most `rules.backtrack` tokens back, what follows that comma moves to the next chunk.
    """
    filling = _Filling(rules)
    texts = [piece.text for piece in pieces if not piece.is_break]
    tokenised = iter(tokenise(texts) if texts else [])
    for piece in pieces:
        if piece.is_break:
            filling.close()
            continue
        for unit in _units(next(tokenised), piece.weight, embeddings):
            filling.take(unit)
    used = len(filling.done) * CHUNK_TOKENS + filling.places
    if filling.units or not filling.done:
        filling.close()
    limit = CHUNK_TOKENS * max(1, -(-used // CHUNK_TOKENS))
    return [_chunk(units, rules) for units in filling.done], TokenCount(used, limit)


def _units(tokens: Sequence[int], weight: float, embeddings: EmbeddingLookup | None) -> Iterator[_Unit]:
    position = 0
    while position < len(tokens):
        found = embeddings.at(tokens, position) if embeddings else None
        if found is None:
            yield _Unit(tokens[position], weight)
            position += 1
        else:
            insertion, taken = found
            yield _Unit(0, weight, insertion)
            position += taken


def _chunk(units: Sequence[_Unit], rules: ChunkRules) -> Chunk:
    ids, weights = [rules.start], [1.0]
    insertions: list[tuple[int, Insertion]] = []
    for unit in units:
        if unit.insertion is not None:
            insertions.append((len(ids), unit.insertion))
        ids += [unit.token] * unit.places
        weights += [unit.weight] * unit.places
    ids.append(rules.end)
    ids += [rules.pad] * (CHUNK_TOKENS + 2 - len(ids))
    weights += [1.0] * (CHUNK_TOKENS + 2 - len(weights))
    return Chunk(tuple(ids), tuple(weights), tuple(insertions))


def empty_chunk(rules: ChunkRules) -> Chunk:
    """The chunk of the empty text, which fills shorter texts of one schedule."""
    return _chunk([], rules)
