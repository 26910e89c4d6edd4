"""The formula: what it comes to, and where it says that something is wrong."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import InvalidRequest
from modules.merging.formula import names_in_formula, read_formula

LETTERS = "ABCD"
UNITS = dict(zip(LETTERS, np.eye(len(LETTERS)), strict=True))
"""In Python a model is a unit vector, so that evaluating a formula gives its factors."""

numbers = st.one_of(
    st.integers(0, 9).map(str), st.floats(0.01, 9).map(lambda number: f"{number:.3f}"), st.just("m")
)
divisors = st.integers(1, 9).map(str)


def joined(*parts):
    return st.tuples(*parts).map("".join)


def models(inner):
    spaces = st.sampled_from(["", " "])
    return st.one_of(
        joined(inner, spaces, st.sampled_from("+-"), spaces, inner),
        joined(st.just("("), inner, st.just(")*"), numbers),
        joined(numbers, spaces, st.just("*("), inner, st.just(")")),
        joined(st.just("("), inner, st.just(")/"), divisors),
        joined(st.sampled_from("+-"), st.just("("), inner, st.just(")")),
    )


formulas = st.recursive(st.sampled_from(LETTERS), models, max_leaves=12)


def read(text, multiplier=0.25):
    return read_formula(text, LETTERS, multiplier)


@given(formulas)
def test_a_formula_comes_to_what_python_makes_of_it(text):
    expected = eval(text, {"__builtins__": {}}, {**UNITS, "m": 0.25})
    try:
        found = read(text)
    except InvalidRequest as error:
        assert "cancel each other out" in str(error) and not expected.any()
        return
    assert np.allclose([found.get(letter, 0.0) for letter in LETTERS], expected, rtol=1e-12, atol=1e-12)
    assert list(found) == list(dict.fromkeys(re.findall("[A-D]", text)))


@given(st.text(alphabet="AB m01.+-*/()e", max_size=30))
def test_whatever_is_typed_gets_factors_or_a_sentence(text):
    try:
        assert read(text)
    except InvalidRequest as error:
        assert error.field == "formula" and str(error).startswith("The formula cannot be used: ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A * B", 'two models are multiplied, which has no meaning, before "* B" (column 3)'),
        ("2*(A-B)*(C)", 'two models are multiplied, which has no meaning, before "*(C)" (column 8)'),
        ("1/A", 'something is divided by a model, which has no meaning, before "/A" (column 2)'),
        ("A/(1-1)", 'something is divided by zero before "/(1-1)" (column 2)'),
        ("A*0.5 + X", '"X" is no model of this merge (there are: A, B, C, D, m) before "X" (column 9)'),
        ("A + 0.5", "it adds the number 0.5 to models"),
        ("A B", 'an operator (+ - * /) is missing, or a parenthesis was not opened, before "B" (column 3)'),
        ("(A + B", '")" is missing at its end (column 7)'),
        ("A +", "a model, a number or a parenthesis is missing at its end (column 4)"),
        ("A ** 2", 'a model, a number or a parenthesis is missing before "* 2" (column 4)'),
        ("0.5", "it names no model"),
        ("A*1e300*1e300", "its numbers are too large"),
        ("A - A", "all models in it cancel each other out"),
        ("(" * 200 + "A", "nested too deeply"),
        ("-" * 2000 + "A", "nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_with_its_column(text, reason):
    with pytest.raises(InvalidRequest) as error:
        read(text)
    assert reason in str(error.value)


def test_nothing_of_it_is_run():
    with pytest.raises(InvalidRequest):
        read("__import__('os').system('true')")


def test_names_are_found_before_the_formula_is_read():
    assert names_in_formula("A*m + base2 - (A") == ["A", "base2"]
