"""From words to chunks of 75 tokens; a token is a number here, a word is its token."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from modules.conditioning.stream import CHUNK_TOKENS, Chunk, ChunkRules, Insertion, TokenCount, make_chunks
from modules.errors import InvalidRequest
from modules.prompts import Weighted

START, END, COMMA = 9001, 9002, 9003
NAME = (500, 501)
BREAK = Weighted("BREAK", -1.0)


def tokenise(texts: Sequence[str]) -> list[list[int]]:
    return [[int(word) for word in text.split()] for text in texts]


def words(*tokens: int) -> str:
    return " ".join(map(str, tokens))


def chunks_of(
    *pieces: Weighted | str, backtrack: int = 20, embeddings: "Vectors | None" = None
) -> tuple[list[Chunk], TokenCount]:
    rules = ChunkRules(START, END, END, COMMA, backtrack)
    weighted = [piece if isinstance(piece, Weighted) else Weighted(piece, 1.0) for piece in pieces]
    return make_chunks(weighted, tokenise, rules, embeddings)


def bodies(chunks: Sequence[Chunk]) -> list[list[int]]:
    """The tokens of each chunk, without start, end and padding."""
    return [[token for token in chunk.ids if token not in {START, END}] for chunk in chunks]


class Vectors:
    """One textual inversion of some vectors, called by the tokens NAME."""

    def __init__(self, count: int) -> None:
        self.insertion = Insertion(torch.ones(count, 2))

    def separated(self, text: str) -> Sequence[str]:
        return (text,)

    def at(self, tokens: Sequence[int], position: int) -> tuple[Insertion, int] | None:
        return (self.insertion, len(NAME)) if tuple(tokens[position : position + 2]) == NAME else None


def test_an_empty_text_is_one_empty_chunk() -> None:
    chunks, count = chunks_of("")
    assert chunks == [Chunk((START, *[END] * 76), (1.0,) * 77)]
    assert count == TokenCount(0, 75)


def test_weights_stand_beside_their_tokens_and_nowhere_else() -> None:
    ((chunk,), _) = chunks_of("1", Weighted("2 3", 1.5), "4")
    assert chunk.ids[:6] == (START, 1, 2, 3, 4, END)
    assert chunk.weights[:6] == (1.0, 1.0, 1.5, 1.5, 1.0, 1.0)
    assert set(chunk.weights[6:]) == {1.0}


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["1", BREAK, "2"], [[1], [2]]),
        ([BREAK, "1"], [[], [1]]),
        (["1", BREAK], [[1]]),
        ([BREAK], [[]]),
        (["1", BREAK, BREAK, "2"], [[1], [], [2]]),
        ([words(*range(75)), BREAK, "80"], [list(range(75)), [80]]),
    ],
)
def test_a_break_closes_its_chunk_an_empty_one_too(
    pieces: list[Weighted | str], expected: list[list[int]]
) -> None:
    chunks, _ = chunks_of(*pieces)
    assert bodies(chunks) == expected


@pytest.mark.parametrize(
    ("comma_at", "backtrack", "moved"),
    [(70, 20, 4), (55, 20, 19), (54, 20, 0), (70, 4, 0), (70, 5, 4), (70, 0, 0), (74, 20, 0), (0, 75, 74)],
)
def test_what_follows_a_near_comma_moves_to_the_next_chunk(comma_at: int, backtrack: int, moved: int) -> None:
    tokens = [*range(75), 80]
    tokens[comma_at] = COMMA
    first, second = bodies(chunks_of(words(*tokens), backtrack=backtrack)[0])
    assert first == tokens[: 75 - moved]
    assert second == tokens[75 - moved :]


def test_a_comma_that_opens_a_chunk_is_not_gone_back_to() -> None:
    tokens = [*range(75), COMMA, *range(100, 175), 200]
    parts = bodies(chunks_of(words(*tokens), backtrack=75)[0])
    assert parts == [tokens[:75], tokens[75:150], tokens[150:]]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, (0, 75)), (1, (1, 75)), (75, (75, 75)), (76, (76, 150)), (150, (150, 150)), (151, (151, 225))],
)
def test_the_counter_tells_tokens_and_the_room_of_their_chunks(count: int, expected: tuple[int, int]) -> None:
    assert chunks_of(words(*range(count)))[1] == TokenCount(*expected)


def test_a_chunk_closed_early_counts_as_full() -> None:
    assert chunks_of("1", BREAK, "2 3")[1] == TokenCount(77, 150)


def test_an_embedding_stands_for_its_name_with_the_weight_of_its_place() -> None:
    vectors = Vectors(3)
    ((chunk,), count) = chunks_of("1", Weighted(words(*NAME, 2), 0.5), embeddings=vectors)
    assert chunk.ids[:7] == (START, 1, 0, 0, 0, 2, END)
    assert chunk.weights[:7] == (1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 1.0)
    assert chunk.insertions == ((2, vectors.insertion),)
    assert count.used == 5


def test_an_embedding_that_does_not_fit_goes_whole_into_the_next_chunk() -> None:
    vectors = Vectors(3)
    chunks, count = chunks_of(words(*range(1, 74), *NAME), embeddings=vectors)
    assert bodies(chunks) == [list(range(1, 74)), [0, 0, 0]]
    assert (chunks[0].insertions, chunks[1].insertions) == ((), ((1, vectors.insertion),))
    assert count == TokenCount(78, 150)


@pytest.mark.parametrize("last_words", [0, 1, 5])
def test_vectors_behind_a_near_comma_stay_in_the_chunk_that_its_words_leave(last_words: int) -> None:
    """Sic: as recorded, what moves in the place of the embedding's vectors is token 0."""
    vectors = Vectors(3)
    before = 75 - 3 - last_words
    tokens = [*range(1, before - 10), COMMA, *range(200, 210), *NAME, *range(300, 300 + last_words), 400]
    chunks, count = chunks_of(Weighted(words(*tokens), 0.5), embeddings=vectors)
    moved = [*range(200, 210), 0, 0, 0, *range(300, 300 + last_words), 400]
    assert bodies(chunks) == [[*range(1, before - 10), COMMA], moved]
    assert chunks[0].insertions == ((before + 1, vectors.insertion),)
    assert chunks[0].ids[before + 1 : before + 4] == (END,) * 3
    assert chunks[0].weights[before + 1 : before + 4] == (1.0,) * 3
    assert chunks[1].insertions == ()
    assert count.used == 75 + len(moved)


def test_an_embedding_that_opens_the_next_chunk_is_whole_there_and_the_one_left_behind_too() -> None:
    vectors = Vectors(3)
    tokens = [*range(1, 62), COMMA, *range(200, 210), *NAME, *NAME, 400]
    chunks, _ = chunks_of(words(*tokens), embeddings=vectors)
    assert bodies(chunks)[1] == [*range(200, 210), 0, 0, 0, 0, 0, 0, 400]
    assert [chunk.insertions for chunk in chunks] == [((73, vectors.insertion),), ((14, vectors.insertion),)]


def test_an_embedding_larger_than_a_chunk_is_refused_with_its_size() -> None:
    with pytest.raises(InvalidRequest, match="76 vectors"):
        chunks_of(words(*NAME), embeddings=Vectors(76))


pieces = st.lists(
    st.one_of(
        st.just(BREAK),
        st.builds(
            Weighted,
            st.lists(st.sampled_from([1, 2, 3, COMMA]), max_size=90).map(lambda tokens: words(*tokens)),
            st.sampled_from([1.0, 0.5, 2.0]),
        ),
    ),
    max_size=6,
)


@given(pieces=pieces, backtrack=st.integers(0, 80))
def test_no_token_is_lost_or_moved_out_of_order(pieces: list[Weighted], backtrack: int) -> None:
    chunks, count = chunks_of(*pieces, backtrack=backtrack)
    expected = [token for piece in pieces if not piece.is_break for token in map(int, piece.text.split())]
    assert [token for body in bodies(chunks) for token in body] == expected
    assert all(len(chunk.ids) == len(chunk.weights) == CHUNK_TOKENS + 2 for chunk in chunks)
    assert count.limit >= count.used >= len(expected)
    assert count.limit % CHUNK_TOKENS == 0
