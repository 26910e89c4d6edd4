"""Emphasis: brackets, weights, escapes, chunk breaks."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import InvalidRequest
from modules.prompts import BREAK, Emphasis, parse_emphasis

UP = 1.1
DOWN = 1 / 1.1

any_prompt = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(["(", ")", "[", "]", ":", "\\", "1.2", "-1", " ", "\n", "cat", "BREAK", ".", "é"]),
        max_size=40,
    ).map("".join),
)


def read(text: str, mode: Emphasis = Emphasis.ORIGINAL) -> list[tuple[str, float]]:
    return [(piece.text, piece.weight) for piece in parse_emphasis(text, mode)]


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("(a:-1.5)", [("a", -1.5)]),
        ("(a:+2)", [("a", 2.0)]),
        ("(a: 1.3\n)", [("a", 1.3)]),
        ("(a:1 .3)", [("a:1 .3", UP)]),
        ("(a:1.2.3)", [("a:1.2.3", UP)]),
        ("(a:.)", [("a:.", UP)]),
        ("a:1.2)", [("a:1.2)", 1.0)]),
        ("[a:1.2)", [("a:1.2)", DOWN)]),
        ("[(a:2)]", [("a", 2.0 * DOWN)]),
        ("([a)]", [("a", UP * DOWN)]),
        ("(a", [("a", UP)]),
        ("([a", [("a", UP * DOWN)]),
        ("a)b]c", [("a)b]c", 1.0)]),
        ("(a)(b)", [("ab", UP)]),
        (r"\(a\) \[b\] \\", [("(a) [b] \\", 1.0)]),
        (r"\a \:", [("a :", 1.0)]),
        ("a\\", [("a", 1.0)]),
        ("()", [("", 1.0)]),
        ("(a:１.５)", [("a", 1.5)]),
    ],
)
def test_brackets_give_weights(prompt: str, pieces: list[tuple[str, float]]) -> None:
    assert read(prompt) == pieces


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("a  BREAK\n b", [("a", 1.0), (BREAK, -1.0), ("b", 1.0)]),
        ("BREAK", [("", 1.0), (BREAK, -1.0), ("", 1.0)]),
        ("BREAKS xBREAK BREAK_", [("BREAKS xBREAK BREAK_", 1.0)]),
        ("break", [("break", 1.0)]),
        ("(a) BREAK b", [("a", UP), ("", 1.0), (BREAK, -1.0), ("b", 1.0)]),
        ("\\BREAK", [("", 1.0), (BREAK, -1.0), ("", 1.0)]),
        ("(a BREAK b)", [("a", UP), (BREAK, -UP), ("b", UP)]),
    ],
)
def test_break_ends_a_chunk(prompt: str, pieces: list[tuple[str, float]]) -> None:
    assert read(prompt) == pieces


def test_only_an_unweighted_break_counts_as_one() -> None:
    outside, inside = parse_emphasis("a BREAK b"), parse_emphasis("(a BREAK b)")
    assert [piece.is_break for piece in outside] == [False, True, False]
    assert [piece.is_break for piece in inside] == [False, False, False]


@pytest.mark.parametrize("mode", [Emphasis.ORIGINAL, Emphasis.NO_NORM, Emphasis.IGNORE])
def test_modes_that_read_brackets_give_the_same_pieces(mode: Emphasis) -> None:
    assert read("a (b:1.3) [c] BREAK d", mode) == read("a (b:1.3) [c] BREAK d")


def test_mode_none_leaves_everything_as_text() -> None:
    assert read("a (b:1.3) \\( BREAK [c]", Emphasis.NONE) == [("a (b:1.3) \\( BREAK [c]", 1.0)]


@given(any_prompt)
def test_any_text_gives_pieces_with_finite_weights_and_no_equal_neighbours(prompt: str) -> None:
    pieces = parse_emphasis(prompt)
    assert pieces
    assert all(math.isfinite(piece.weight) for piece in pieces)
    assert all(left.weight != right.weight for left, right in pairwise(pieces))


@given(st.text().filter(lambda text: BREAK not in text))
def test_escaped_text_is_read_as_it_stands(text: str) -> None:
    escaped = "".join("\\" + letter if letter in "()[]\\" else letter for letter in text)
    assert "".join(piece.text for piece in parse_emphasis(escaped)) == text
    assert all(piece.weight == 1.0 for piece in parse_emphasis(escaped))


@given(st.integers(1, 30), st.booleans())
def test_closing_at_the_end_changes_nothing(depth: int, round_bracket: bool) -> None:
    opening, closing = ("(", ")") if round_bracket else ("[", "]")
    assert read(opening * depth + "a") == read(opening * depth + "a" + closing * depth)


@pytest.mark.parametrize("prompt", ["(" * 999 + "a", "(a:" + "9" * 400 + ")"])
def test_a_weight_that_no_number_holds_is_refused(prompt: str) -> None:
    with pytest.raises(InvalidRequest, match="multiplies to more than a number can hold"):
        parse_emphasis(prompt)


@pytest.mark.parametrize("bracket", ["(", "["])
def test_brackets_nested_beyond_the_limit_are_refused(bracket: str) -> None:
    with pytest.raises(InvalidRequest, match="more than 1000 brackets"):
        parse_emphasis("a" + bracket * 10_000)


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "prompt",
    [
        "[" * 1000 + "a]" * 50_000,
        " " * 100_000,
        "[a" * 1000 + "(:1)" * 25_000,
        ":1" * 50_000,
        "\\" * 100_000,
        "BREAK " * 16_000,
        "()" * 50_000,
    ],
    ids=lambda prompt: prompt[:6],
)
def test_long_prompts_are_read_in_a_moment(prompt: str) -> None:
    assert parse_emphasis(prompt)
