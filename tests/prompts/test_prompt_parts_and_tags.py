"""AND, extra-network tags and comments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import InvalidRequest
from modules.prompts import split_and, strip_comments, take_network_tags


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("a :1.2 AND b :-.5", [("a", 1.2), (" b", -0.5)]),
        ("a:+1. AND b: 2 ", [("a", 1.0), (" b", 2.0)]),
        ("a\n:2\nAND\nb", [("a", 2.0), ("\nb", 1.0)]),
        ("16:9", [("16", 9.0)]),
        ("a :1 :2", [("a :1", 2.0)]),
        ("(a:1.2)", [("(a:1.2)", 1.0)]),
        ("a :1e3", [("a :1e3", 1.0)]),
        ("a : 1 . 2", [("a : 1 . 2", 1.0)]),
        ("AND", [("", 1.0), ("", 1.0)]),
        ("SAND ANDY and", [("SAND ANDY and", 1.0)]),
        ("a,AND(b", [("a,", 1.0), ("(b", 1.0)]),
        ("AND :3", [("", 1.0), ("", 3.0)]),
    ],
)
def test_and_splits_and_weights(prompt: str, parts: list[tuple[str, float]]) -> None:
    assert [(part.text, part.weight) for part in split_and(prompt)] == parts


def test_a_weight_that_no_number_holds_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="too large"):
        split_and("a :" + "9" * 400)


@given(
    st.lists(
        st.text(st.characters(exclude_characters=":")).filter(lambda text: "AND" not in text), min_size=1
    )
)
def test_joining_by_and_and_splitting_gives_the_parts_back(parts: list[str]) -> None:
    split = split_and(" AND ".join(parts))
    assert [part.text.strip() for part in split] == [part.strip() for part in parts]


@pytest.mark.parametrize(
    ("prompt", "rest", "tags"),
    [
        ("a <lora:x:0.8> b", "a  b", [("lora", ("x", "0.8"))]),
        ("<lora:a><lora:b>", "", [("lora", ("a",)), ("lora", ("b",))]),
        ("<lora:>", "<lora:>", []),
        ("<:a>", "<:a>", []),
        ("<lora x>", "<lora x>", []),
        ("<lora:x", "<lora:x", []),
        ("<a:<b:c>", "", [("a", ("<b", "c"))]),
        ("< <b:c>", "< ", [("b", ("c",))]),
        ("<a:><b:c>", "<a:>", [("b", ("c",))]),
        ("<lora:x\ny:1>", "", [("lora", ("x\ny", "1"))]),
        ("<é:x>", "", [("é", ("x",))]),
    ],
)
def test_tags_are_taken_out(prompt: str, rest: str, tags: list[tuple[str, tuple[str, ...]]]) -> None:
    text, found = take_network_tags(prompt)
    assert (text, [(tag.kind, tag.items) for tag in found]) == (rest, tags)


def test_named_arguments_stand_apart_from_positional_ones() -> None:
    (tag,) = take_network_tags("<lora:x:0.5:te=0.2:unet=1:a=b=c>")[1]
    assert tag.positional == ("x", "0.5", "a=b=c")
    assert tag.named == {"te": "0.2", "unet": "1"}


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "prompt", ["<a:" * 33_000, "<a:>" * 25_000, "<a:b>" * 20_000, " :" * 50_000, " " * 100_000]
)
def test_long_prompts_are_split_in_a_moment(prompt: str) -> None:
    assert split_and(prompt)
    take_network_tags(prompt)


@pytest.mark.parametrize(
    ("prompt", "stripped"),
    [
        ("a # b", "a \n"),
        ("# a", "\n"),
        ("a\n# b\nc", "a\nc"),
        ("a # b\nc", "a \nc"),
        ("no comment", "no comment"),
    ],
)
def test_comments_are_taken_out(prompt: str, stripped: str) -> None:
    assert strip_comments(prompt) == stripped
