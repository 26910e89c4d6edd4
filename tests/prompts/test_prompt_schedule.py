"""Prompt editing and alternation."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import InvalidRequest
from modules.prompts import schedule_prompt

SIGNS = [
    "[",
    "]",
    "(",
    ")",
    ":",
    "|",
    "\\",
    "0.5",
    "3",
    "-1",
    " ",
    "\n",
    "cat",
    "[a:b:2]",
    "[a|b]",
    "(c:1.2)",
]
any_prompt = st.one_of(st.text(), st.lists(st.sampled_from(SIGNS), max_size=40).map("".join))


def schedule(text: str, steps: int = 10, hires_steps: int | None = None) -> list[tuple[int, str]]:
    return [(entry.end_at_step, entry.text) for entry in schedule_prompt(text, steps, hires_steps)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a [b:3]", [(3, "a "), (10, "a b")]),
        ("a [b: 3 ]", [(3, "a "), (10, "a b")]),
        ("a [b::3]", [(3, "a b"), (10, "a ")]),
        ("a [b : c : 1] d", [(1, "a b  d"), (10, "a  c  d")]),
        ("a[b:[c:d:2]:1]e", [(1, "abe"), (2, "ace"), (10, "ade")]),
        ("[[a:b:2]:c:5]", [(2, "a"), (5, "b"), (10, "c")]),
        ("a [[[b]]:2]", [(2, "a "), (10, "a [[b]]")]),
        ("[(a:2):3]", [(3, ""), (10, "(a:2)")]),
        ("([a:b:3]:1.2)", [(3, "(a:1.2)"), (10, "(b:1.2)")]),
        ("[a:b:.5]", [(5, "a"), (10, "b")]),
        ("[a:b:5.]", [(10, "a")]),
        ("[a:b:+2]", [(2, "a"), (10, "b")]),
        ("[a:b:-2]", [(10, "b")]),
        ("[a:b:-0.5]", [(10, "b")]),
        ("[a:b:1e3]", [(10, "a")]),
        ("[a:b:1e-1]", [(10, "b")]),
        ("[a:b:1e999]", [(10, "a")]),
        ("[a:b:0.29]", [(2, "a"), (10, "b")]),
        ("[a:3:4]", [(4, "a"), (10, "3")]),
        ("[a\nb:c\n:3]", [(3, "a\nb"), (10, "c\n")]),
        ("[日本:猫:3]", [(3, "日本"), (10, "猫")]),
    ],
)
def test_edits_change_the_text_after_their_step(prompt: str, expected: list[tuple[int, str]]) -> None:
    assert schedule(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("[a|b]", ["a", "b", "a", "b", "a"]),
        ("[fe|]male", ["female", "male", "female", "male", "female"]),
        ("[fe|||]male", ["female", "male", "male", "male", "female"]),
        ("[a|(b:1.1)]", ["a", "(b:1.1)", "a", "(b:1.1)", "a"]),
        ("[a|[b|c]]", ["a", "c", "a", "c", "a"]),
        ("[a|[b:c:3]]", ["a", "b", "a", "c", "a"]),
        ("[[a|b]:x:2]", ["a", "b", "x", "x", "x"]),
    ],
)
def test_alternation_changes_at_every_step(prompt: str, expected: list[str]) -> None:
    assert schedule(prompt, 5) == list(zip(range(1, 6), expected, strict=True))


@pytest.mark.parametrize(
    "prompt",
    [
        "[a:b]",
        "[a:b:]",
        "[a:b:c]",
        "[a:b:c:3]",
        "[a:b:3x]",
        "[a:b:1_0]",
        "[a:b:٣]",
        "[a:(b:3]",
        "[a:b:3",
        "a:b:3]",
        "\\[a:b:3]",
        "[a:b:3\\]",
        "[a|b:c]",
        "(a|b)",
        "[a|b",
        "a|b",
    ],
)
def test_what_makes_no_form_is_text(prompt: str) -> None:
    assert schedule(prompt) == [(10, prompt)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("((a][:b:c [d:3]", [(3, "((a][:b:c "), (10, "((a][:b:c d")]),
        ("[x [a:b:3] :y]", [(3, "[x a :y]"), (10, "[x b :y]")]),
        ("16:9 [a:b:3] :)", [(3, "16:9 a :)"), (10, "16:9 b :)")]),
        ("[[a:b:3]]]", [(3, "[a]]"), (10, "[b]]")]),
    ],
)
def test_stray_brackets_and_colons_leave_the_forms_beside_them_alone(
    prompt: str, expected: list[tuple[int, str]]
) -> None:
    assert schedule(prompt) == expected


@pytest.mark.parametrize("spoiler", ["|", "\\", "\\\n", "(c|d)"])
def test_a_stray_bar_or_backslash_makes_the_whole_prompt_text(spoiler: str) -> None:
    prompt = "[a:b:3] " + spoiler
    assert schedule(prompt) == [(10, prompt)]


def test_escapes_stay_in_the_text_for_the_emphasis_reader() -> None:
    assert schedule("[a\\:\\]:b:3]") == [(3, "a\\:\\]"), (10, "b")]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("[a:b:0.5]", [(6, "b")]),
        ("[a:b:1.5]", [(3, "a"), (6, "b")]),
        ("[a:b:2.0]", [(6, "a")]),
        ("[a:b:10]", [(6, "b")]),
        ("[a:b:12]", [(2, "a"), (6, "b")]),
        ("[a|b]", [(1, "a"), (2, "b"), (3, "a"), (4, "b"), (5, "a"), (6, "b")]),
    ],
)
def test_the_second_pass_counts_on_from_the_first(prompt: str, expected: list[tuple[int, str]]) -> None:
    assert schedule(prompt, 10, 6) == expected


def test_old_scheduling_reads_numbers_below_one_as_shares_in_both_passes() -> None:
    prompt = "[a:b:.5] [c:d:1.9]"
    first = schedule_prompt(prompt, 10, old_scheduling=True)
    assert [(entry.end_at_step, entry.text) for entry in first] == [(1, "a c"), (5, "a d"), (10, "b d")]
    assert schedule_prompt(prompt, 10, 6, old_scheduling=True) == first


@pytest.mark.parametrize("steps", [(0,), (-3,), (5, 0)])
def test_fewer_than_one_step_is_refused(steps: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRequest, match="at least 1 step"):
        schedule_prompt("a", *steps)


@given(any_prompt, st.integers(1, 40), st.none() | st.integers(1, 40))
def test_end_steps_rise_strictly_up_to_the_number_of_steps(
    prompt: str, steps: int, hires: int | None
) -> None:
    ends = [entry.end_at_step for entry in schedule_prompt(prompt, steps, hires)]
    assert ends == sorted(set(ends))
    assert ends[0] >= 1
    assert ends[-1] == (hires or steps)


@given(st.text(st.characters(exclude_characters="[]()|\\")), st.integers(1, 40))
def test_text_without_signs_is_one_text_for_all_steps(prompt: str, steps: int) -> None:
    assert schedule(prompt, steps) == [(steps, prompt)]


@given(
    st.text(st.characters(exclude_characters="[]():|\\")),
    st.text(st.characters(exclude_characters="[]():|\\")),
    st.integers(1, 19),
)
def test_an_edit_of_any_two_texts_shows_the_first_then_the_second(before: str, after: str, when: int) -> None:
    assert schedule(f"x[{before}:{after}:{when}]y", 20) == [(when, f"x{before}y"), (20, f"x{after}y")]


class Written(NamedTuple):
    """A prompt as text, and what it means at a step out of so many, worked out from how it was built."""

    text: str
    at: Callable[[int, int], str]


def plain(text: str) -> Written:
    return Written(text, lambda _step, _steps: text)


def joined(parts: list[Written]) -> Written:
    return Written(
        "".join(part.text for part in parts), lambda i, n: "".join(part.at(i, n) for part in parts)
    )


def bracketed(inner: Written, form: tuple[str, str]) -> Written:
    opening, closing = form
    return Written(f"{opening}{inner.text}{closing}", lambda i, n: f"{opening}{inner.at(i, n)}{closing}")


def edit(before: Written | None, after: Written, when: int, is_share: bool) -> Written:
    first = f"{before.text}:" if before else ""
    number = f"{when / 64}" if is_share else f"{when}"

    def at(step: int, steps: int) -> str:
        last = int(when / 64 * steps) if is_share else when
        return (before.at(step, steps) if before else "") if step <= last else after.at(step, steps)

    return Written(f"[{first}{after.text}:{number}]", at)


def alternation(choices: list[Written]) -> Written:
    text = "|".join(choice.text for choice in choices)
    return Written(f"[{text}]", lambda i, n: choices[(i - 1) % len(choices)].at(i, n))


leaves = st.one_of(
    st.text(st.characters(exclude_characters="[]():|\\", exclude_categories=["Cs"]), max_size=5),
    st.sampled_from(["\\[", "\\:", "\\|", "\\\\", " 3", "0.5"]),
).map(plain)
brackets = st.sampled_from([("(", ")"), ("[", "]"), ("(", ":1.2)")])
written = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(joined),
        st.builds(bracketed, inner, brackets),
        st.builds(edit, st.none() | inner, inner, st.integers(0, 63), st.booleans()),
        st.lists(inner, min_size=2, max_size=4).map(alternation),
    ),
    max_leaves=12,
)


@given(written, st.integers(1, 30))
def test_nested_forms_mean_at_every_step_what_they_were_built_to_mean(prompt: Written, steps: int) -> None:
    entries = iter(schedule_prompt(prompt.text, steps))
    entry = next(entries)
    for step in range(1, steps + 1):
        if step > entry.end_at_step:
            entry = next(entries)
        assert entry.text == prompt.at(step, steps)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "prompt",
    [
        "[" * 100_000,
        "(" * 50_000 + ")" * 50_000,
        "(a" * 10_000 + "[b:c:3]" + ")" * 10_000,
        "[a:" * 10_000 + "b" + ":3]" * 10_000,
        "[a|b]" * 20_000,
        "[" * 10_000 + "a" + "|b]" * 10_000,
        "[a:b:3]" * 14_000,
        ":" * 100_000,
        " " * 100_000,
    ],
    ids=lambda prompt: prompt[:10],
)
def test_long_and_deep_prompts_are_read_in_a_moment(prompt: str) -> None:
    assert schedule_prompt(prompt, 150)[-1].end_at_step == 150
