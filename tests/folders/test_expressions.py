"""Regular expressions from outside: what they find, and that none holds the program."""

import time

import pytest

from modules.errors import InvalidRequest
from modules.expressions import Expression


def test_an_expression_finds_and_replaces():
    assert Expression("^model_ema", "discard_weights").search("model_ema.decay")
    assert not Expression("^(?!first)", "discard_weights").search("first_stage_model")
    assert Expression(r"(\w+)\.(\w+)", "words").sub(r"\2 \1", "a.b c.d") == "b a d c"


@pytest.mark.parametrize("text", [r"(\w|\W)*?(?=!)", "(?R)", r"^(\w|\w\w)*\1$"])
def test_an_expression_without_end_is_stopped(text):
    started = time.monotonic()
    slow = Expression(text, "discard_weights", seconds=0.2)
    with pytest.raises(InvalidRequest, match="too long to search with") as refused:
        for _ in range(10_000):
            slow.search("a" * 5000 + "-")
    assert refused.value.field == "discard_weights"
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "text",
    ["(", "[[:alpha:]", "a" * 2001, "((a{999}){999}){999}", "(a{1,99}){,99}", "(?:" * 600 + ")" * 600],
    ids=lambda each: each[:20],
)
def test_what_cannot_be_compiled_or_takes_too_much_is_refused(text):
    with pytest.raises(InvalidRequest, match="expression"):
        Expression(text, "discard_weights")


def test_a_replacement_that_names_no_group_is_refused():
    with pytest.raises(InvalidRequest, match="cannot be put in place"):
        Expression("a", "words").sub(r"\2", "a")
