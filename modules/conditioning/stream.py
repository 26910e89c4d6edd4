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

    def separated(self, text: str) -> Sequence[str]:
        """The text in parts to be tokenised each by itself: a name that would melt into the signs around it
        is a part of its own.
        """


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
    """77 token ids; 0 where an insertion stands, mostly: its vectors count, whatever the id is."""
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
    done: list[Chunk] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    insertions: list[tuple[int, Insertion]] = field(default_factory=list)
    after_comma: int = 0
    """Places up to and with the last comma; 0 for none."""

    def close(self) -> None:
        self.done.append(_chunk(self.ids, self.weights, self.insertions, self.rules))
        self.ids, self.weights, self.insertions = [], [], []
        self.after_comma = 0

    def take(self, unit: _Unit) -> None:
        if unit.places > CHUNK_TOKENS:
            raise InvalidRequest(
                "prompt",
                f"An embedding in the prompt has {unit.places} vectors; one chunk of a prompt holds "
                f"{CHUNK_TOKENS}. Take it out of the prompt.",
            )
        is_comma = unit.insertion is None and unit.token == self.rules.comma
        if not is_comma and len(self.ids) == CHUNK_TOKENS and self._comma_is_near():
            self._move_what_follows_the_comma()
        if len(self.ids) + unit.places > CHUNK_TOKENS:
            self.close()
            is_comma = False  # sic: a comma that opens a chunk is not one to go back to
        self._add(unit)
        if is_comma:
            self.after_comma = len(self.ids)

    def _comma_is_near(self) -> bool:
        distance = len(self.ids) - self.after_comma + 1
        return self.after_comma > 0 and distance <= self.rules.backtrack

    def _move_what_follows_the_comma(self) -> None:
        """Tokens and weights move to a new chunk.

        Sic: the vectors of an embedding behind the comma stay where they were, in places of the old chunk
        that hold its end and padding by then; of the embedding only tokens 0 move.
        """
        ids, weights = self.ids[self.after_comma :], self.weights[self.after_comma :]
        self.ids, self.weights = self.ids[: self.after_comma], self.weights[: self.after_comma]
        self.close()
        self.ids, self.weights = ids, weights

    def _add(self, unit: _Unit) -> None:
        if unit.insertion is not None:
            self.insertions.append((1 + len(self.ids), unit.insertion))
        self.ids += [unit.token] * unit.places
        self.weights += [unit.weight] * unit.places


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
    tokenised = _tokenised([piece.text for piece in pieces if not piece.is_break], tokenise, embeddings)
    for piece in pieces:
        if piece.is_break:
            filling.close()
            continue
        for unit in _units(next(tokenised), piece.weight, embeddings):
            filling.take(unit)
    used = len(filling.done) * CHUNK_TOKENS + len(filling.ids)
    if filling.ids or not filling.done:
        filling.close()
    limit = CHUNK_TOKENS * max(1, -(-used // CHUNK_TOKENS))
    return filling.done, TokenCount(used, limit)


def _tokenised(
    texts: Sequence[str], tokenise: Tokenise, embeddings: EmbeddingLookup | None
) -> Iterator[list[int]]:
    """The tokens of each text."""
    parts = [embeddings.separated(text) if embeddings else (text,) for text in texts]
    flat = [part for each in parts for part in each]
    tokens = iter(tokenise(flat) if flat else [])
    for each in parts:
        yield [token for _ in each for token in next(tokens)]


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


def _chunk(
    ids: Sequence[int],
    weights: Sequence[float],
    insertions: Sequence[tuple[int, Insertion]],
    rules: ChunkRules,
) -> Chunk:
    padding = CHUNK_TOKENS - len(ids)
    return Chunk(
        (rules.start, *ids, rules.end, *(rules.pad for _ in range(padding))),
        (1.0, *weights, 1.0, *(1.0 for _ in range(padding))),
        tuple(insertions),
    )


def empty_chunk(rules: ChunkRules) -> Chunk:
    """The chunk of the empty text, which fills shorter texts of one schedule."""
    return _chunk([], [], [], rules)
