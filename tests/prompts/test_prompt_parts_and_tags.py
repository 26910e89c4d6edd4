"""AND, extra-network tags and comments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import InvalidRequest
from modules.prompts import NetworkTag, network_tag, split_and, strip_comments, take_network_tags


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("a :1.2 AND b :-.5", [("a", 1.2), (" b", -0.5)]),
        ("a:+1. AND b: 2 ", [("a", 1.0), (" b", 2.0)]),
        ("a\n:2\nAND\nb", [("a", 2.0), ("\nb", 1.0)]),
        ("16:9 AND a :1 :2", [("16", 9.0), (" a :1", 2.0)]),
        ("a emb\\:2 AND b\\\\:2", [("a emb\\:2", 1.0), (" b\\\\", 2.0)]),
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


@pytest.mark.parametrize(
    "prompt",
    ["16:9", "a cat face, :3", "time 12:30", "a :1 :2", "a :1.2", ":5", "a SAND :2", "a :" + "9" * 400],
)
def test_without_and_a_number_behind_a_colon_is_text(prompt: str) -> None:
    (part,) = split_and(prompt)
    assert (part.text, part.weight) == (prompt, 1.0)


def test_a_weight_that_no_number_holds_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="too large"):
        split_and("a AND b :" + "9" * 400)


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
        ("<lora:a\\:b:1>", "", [("lora", ("a:b", "1"))]),
        ("<lora:a\\>b:1> c", " c", [("lora", ("a>b", "1"))]),
        ("<lora:a\\\\:1>", "", [("lora", ("a\\", "1"))]),
        ("<lora:sub\\name>", "", [("lora", ("sub\\name",))]),
        ("<lora:x\\>", "<lora:x\\>", []),
        ("\\<lora:x>", "\\<lora:x>", []),
        ("\\\\<lora:x>", "\\\\", [("lora", ("x",))]),
    ],
)
def test_tags_are_taken_out(prompt: str, rest: str, tags: list[tuple[str, tuple[str, ...]]]) -> None:
    text, found = take_network_tags(prompt)
    assert (text, [(tag.kind, tag.items) for tag in found]) == (rest, tags)


def test_named_arguments_stand_apart_from_positional_ones() -> None:
    (tag,) = take_network_tags("<lora:x:0.5:te=0.2:unet=1:a=b=c>")[1]
    assert tag.positional == ("x", "0.5", "a=b=c")
    assert tag.named == {"te": "0.2", "unet": "1"}


def test_the_first_argument_is_the_name_whatever_is_in_it() -> None:
    (tag,) = take_network_tags("<lora:r=eq:te=0.2:0.5>")[1]
    assert (tag.name, tag.positional, tag.named) == ("r=eq", ("r=eq", "0.5"), {"te": "0.2"})


@given(st.text(min_size=1), st.text())
def test_a_tag_that_is_written_is_read_back_as_it_was(name: str, around: str) -> None:
    around = around.replace("\\", "").replace("<", "")
    text, tags = take_network_tags(f"{around}{network_tag('lora', name, '0.8')}{around}")
    assert text == around * 2
    assert tags == [NetworkTag("lora", (name, "0.8"))]


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "prompt",
    [
        "<a:" * 33_000,
        "<a:>" * 25_000,
        "<a:b>" * 20_000,
        "<a:\\>" * 20_000,
        "<a:b" + "\\" * 99_999,
        "<lora:#" * 15_000,
        " :" * 50_000,
        " " * 100_000,
        "#" * 100_000,
    ],
)
def test_long_prompts_are_split_in_a_moment(prompt: str) -> None:
    assert split_and(prompt)
    take_network_tags(prompt)
    strip_comments(prompt)


@pytest.mark.parametrize(
    ("prompt", "stripped"),
    [
        ("a # b", "a \n"),
        ("# a", "\n"),
        ("a\n# b\nc", "a\nc"),
        ("a # b\nc", "a \nc"),
        ("no comment", "no comment"),
        ("a <lora:r#hash:1> b # c <lora:x:1>", "a <lora:r#hash:1> b \n"),
        ("<LORA:a\\<b#c>d", "<LORA:a\\<b#c>d"),
        ("a <lora:r # no end", "a <lora:r \n"),
        ("a <3: # b >", "a <3: \n"),
        ("a \\# b # c", "a \\# b \n"),
        ("a \\\\# b", "a \\\\\n"),
    ],
)
def test_comments_are_taken_out(prompt: str, stripped: str) -> None:
    assert strip_comments(prompt) == stripped
