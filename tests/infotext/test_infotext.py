"""The generation text: what PNG Info recorded, and that what is written is read back."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.infotext import GenerationText, fill_defaults, read_infotext, to_request_values, write_infotext

REFERENCE = Path(__file__).parents[1] / "parity" / "reference" / "png_info.json"
CASES = Path(__file__).parents[1] / "parity" / "cases"
RECORDED: list[dict[str, Any]] = json.loads(REFERENCE.read_text(encoding="utf-8"))
RECORDED_TEXTS = sorted(
    {
        text
        for file in CASES.glob("*.json")
        for text in json.loads(file.read_text(encoding="utf-8"))["expect"].get("infotexts") or []
    }
)

keys = st.from_regex(r"[A-Za-z][A-Za-z0-9_/-][A-Za-z0-9 _/-]{0,12}[A-Za-z0-9]", fullmatch=True)
values = st.one_of(st.text(), st.from_regex(r'[a-z "\\:,x0-9]{0,8}', fullmatch=True))
fields = (
    st.dictionaries(keys, values, min_size=2, max_size=8)
    .filter(lambda fields: all(key != value for key, value in fields.items()))
    .map(lambda fields: {"Steps": "20", **fields, "Seed": "1"})
)
prompt_lines = st.lists(
    st.text(st.characters(exclude_characters="\n"))
    .map(str.strip)
    .filter(lambda line: not line.startswith("Negative")),
    max_size=4,
)
prompts = prompt_lines.map("\n".join).map(str.strip)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["response"]["info"][:30])
def test_a_text_is_read_as_recorded(recorded: dict[str, Any]) -> None:
    response = recorded["response"]
    assert fill_defaults(read_infotext(response["info"])) == response["parameters"]


@pytest.mark.parametrize("text", RECORDED_TEXTS, ids=lambda text: text[:30])
def test_recorded_texts_are_written_as_they_were_read(text: str) -> None:
    written = write_infotext(read_infotext(text))
    normal = "\n".join(line.strip() for line in text.split("\n"))
    assert written == normal


@given(prompts, prompts, fields)
def test_reading_gives_back_what_was_written(prompt: str, negative: str, fields: dict[str, str]) -> None:
    text = GenerationText(prompt, negative, fields)
    assert read_infotext(write_infotext(text)) == text
    assert list(read_infotext(write_infotext(text)).fields) == list(fields)


@given(st.text(), st.text(), fields)
def test_fields_survive_any_prompt(prompt: str, negative: str, fields: dict[str, str]) -> None:
    assert read_infotext(write_infotext(GenerationText(prompt, negative, fields))).fields == fields


@given(
    st.one_of(
        st.text(), st.lists(st.sampled_from(["ab", ":", ",", '"', "\\", " ", "\n", "1x2", "-"])).map("".join)
    )
)
def test_any_text_can_be_read_and_reading_is_stable(text: str) -> None:
    once = read_infotext(text)
    assert read_infotext(write_infotext(once)).prompt.split() == once.prompt.split()
    fill_defaults(once)
    to_request_values(once)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a b", "a b"),
        ('a "b" c', 'a "b" c'),
        ("a, b", '"a, b"'),
        ("a: b", '"a: b"'),
        ("a\nb", '"a\\nb"'),
        ('é, "x"', '"é, \\"x\\""'),
        ("", '""'),
        (" a", '" a"'),
        ('"a"', '"\\"a\\""'),
    ],
)
def test_values_are_quoted_where_they_must_be(value: str, written: str) -> None:
    assert write_infotext(GenerationText("", "", {"Key": value})) == f"Key: {written}"


def test_a_field_named_like_its_value_is_written_as_its_name() -> None:
    assert write_infotext(GenerationText("a", "", {"Ultra": "Ultra", "Steps": "2"})) == "a\nUltra, Steps: 2"


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("Steps: 1, Sampler: Euler a, Seed: 3", {"Steps": "1", "Sampler": "Euler a", "Seed": "3"}),
        ("Steps: 1,Bb:2 ,  Cc:  3", {"Steps": "1", "Bb": "2 ", "Cc": "3"}),
        ("Steps:1, Aa: , Bb: 2", {"Steps": "1", "Bb": "2"}),
        ('Steps: 1, Aa: "x, y", Bb: "z" w, Cc: "1', {"Steps": "1", "Aa": "x, y", "Bb": '"z" w', "Cc": '"1'}),
        ("Steps: 1, Aa: 2, Aa: 3", {"Steps": "1", "Aa": "3"}),
        ("Steps: 1, Aa: b: c, - Ee: 3", {"Steps": "1", "Aa": "b: c", "Ee": "3"}),
        ("Steps: 1, (x:1.2), Bb: 1, Cc: 2", {"Steps": "1", "Bb": "1", "Cc": "2"}),
        ("Steps: 1, 日本: 1, Bb: 2", {"Steps": "1", "日本": "1", "Bb": "2"}),
        ("Seed: 1, Sampler: Euler, Aa: 2", {"Seed": "1", "Sampler": "Euler", "Aa": "2"}),
        ("Sampler: Euler, Size: 64x96, Aa: 2", {"Sampler": "Euler", "Size": "64x96", "Aa": "2"}),
        ("Steps: 1\r, Seed: 2, Size: 8x8", {"Steps": "1\r", "Seed": "2", "Size": "8x8"}),
    ],
)
def test_pairs_are_found_in_what_others_wrote(line: str, read: dict[str, str]) -> None:
    assert read_infotext("prompt\n" + line) == GenerationText("prompt", "", read)


@pytest.mark.parametrize(
    "prompt",
    [
        "(masterpiece:1.2), (best quality:1.3), (a cat:1.1)",
        "a house\n(masterpiece:1.2), (best quality:1.3), (a cat:1.1)",
        "lighting: soft, mood: calm, lens: 35mm",
        "Subject: a cat, Style: anime, Size: large, Model: tall",
        "Model: a woman, Size: large, Version: red, Sampler: of teas",
        "Steps: of stone, Seed: sunflower, Mood: calm",
        "Aa: 1, Bb: 2, Cc: 3",
        "a cat, Steps: 20, Sampler: Euler a, Seed: 5",
        "steps: 3, seed: 4, size: 64x64",
        "[a:b:0.5], ratio 16:9, time 12:30, <lora:x:1>",
        "Steps: 20, Seed: 5",
    ],
)
@pytest.mark.parametrize("negative", ["", "(worst quality:2), (low quality:2), (normal quality:2)"])
def test_what_looks_like_fields_but_names_none_is_prompt(prompt: str, negative: str) -> None:
    written = f"{prompt}\nNegative prompt: {negative}" if negative else prompt
    assert read_infotext(written) == GenerationText(prompt, negative)
    assert read_infotext(written.replace("\n", "\r\n")) == GenerationText(prompt, negative)
    fields = {"Steps": "3", "Sampler": "Euler a", "Seed": "9"}
    assert read_infotext(f"{written}\nSteps: 3, Sampler: Euler a, Seed: 9") == GenerationText(
        prompt, negative, fields
    )


PLAIN = {"Steps": "3", "Seed": "9", "Size": "64x64"}


@pytest.mark.parametrize(
    ("behind", "more"),
    [
        ("\nTemplate: a {cat|dog}", {"Template": "a {cat|dog}"}),
        (
            "\n\nTemplate: a {cat|dog}, Size: any\non a mat\nNegative Template: bad, blurry",
            {"Template": "a {cat|dog}, Size: any\non a mat", "Negative Template": "bad, blurry"},
        ),
        (
            ", Hires prompt: a cat\non a mat, Hires upscale: 2",
            {"Hires prompt": "a cat\non a mat", "Hires upscale": "2"},
        ),
        (', Hires prompt: "a, b\nc: d"', {"Hires prompt": "a, b\nc: d"}),
        (
            ', Hires prompt: "a, b\nc: d", Hires upscale: 2',
            {"Hires prompt": "a, b\nc: d", "Hires upscale": "2"},
        ),
        (", Hires prompt: a\nb", {"Hires prompt": "a\nb"}),
        (
            ", Version: v1\nHires upscale: 2, Hires steps: 5",
            {"Version": "v1", "Hires upscale": "2", "Hires steps": "5"},
        ),
        ("\nmade on a rainy day", {}),
        ("\nUsed embeddings: bad-hands [1a2b], x", {"Used embeddings": "bad-hands [1a2b], x"}),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_parameters_are_read_from_their_line_on(behind: str, more: dict[str, str], end: str) -> None:
    text = f"a cat\nNegative prompt: bad\nSteps: 3, Seed: 9, Size: 64x64{behind}"
    assert read_infotext(text.replace("\n", end)) == GenerationText("a cat", "bad", PLAIN | more)


def test_a_negative_prompt_behind_the_parameters_is_one() -> None:
    text = read_infotext("a cat\nSteps: 3, Seed: 9, Size: 64x64\nNegative prompt: bad, (x:2)\nSteps: few")
    assert text == GenerationText("a cat", "bad, (x:2)\nSteps: few", PLAIN)


@pytest.mark.parametrize("between", [", ", "\n", ",\n"])
def test_fields_that_stand_on_lines_of_their_own_are_read(between: str) -> None:
    text = between.join(["Steps: 3", "Sampler: Euler a", "Seed: 9", "Size: 64x64"])
    assert read_infotext(f"a cat\n{text}") == GenerationText("a cat", "", {**PLAIN, "Sampler": "Euler a"})


def test_of_two_lines_of_parameters_the_last_counts() -> None:
    text = read_infotext("a cat\nSteps: 50, Seed: 1, Size: 8x8\nSteps: 3, Seed: 9, Size: 64x64")
    assert text == GenerationText("a cat\nSteps: 50, Seed: 1, Size: 8x8", "", PLAIN)


def test_a_last_line_with_fewer_than_three_fields_belongs_to_the_prompt() -> None:
    assert read_infotext("cat\nSteps: 2, Seed: 3") == GenerationText("cat\nSteps: 2, Seed: 3")


def test_a_negative_prompt_goes_on_over_lines() -> None:
    text = read_infotext("\n\n a \n\n b\nNegative prompt:  c\nd\nNegative prompt: e\nSteps: 1, Bb: 2, Cc: 3")
    assert (text.prompt, text.negative_prompt) == ("a\n\nb", "c\nd\ne")


def test_an_old_hypernetwork_becomes_a_tag() -> None:
    parameters = fill_defaults(read_infotext("cat\nHypernet: anime, Hypernet strength: 0.5, Seed: 1"))
    assert parameters["Prompt"] == "cat<hypernet:anime:0.5>"


@pytest.mark.parametrize(("first", "expected"), [("256x384", (256, 384)), ("0x0", (384, 768))])
def test_an_old_first_pass_size_becomes_the_size(first: str, expected: tuple[int, int]) -> None:
    parameters = fill_defaults(read_infotext(f"cat\nSteps: 2, Size: 512x1024, First pass size: {first}"))
    assert (parameters["Size-1"], parameters["Size-2"]) == expected
    assert (parameters["Hires resize-1"], parameters["Hires resize-2"]) == (512, 1024)


@pytest.mark.parametrize(
    ("version", "old"),
    [
        ("v1.5.2", {"Old prompt editing timelines", "Pad conds v0", "Downcast alphas_cumprod"}),
        ("v1.6.0-2-g4afaaf8a", {"Downcast alphas_cumprod"}),
        ("v1.7.0-224-gabc", {"Downcast alphas_cumprod"}),
        ("v1.7.0-225-gabc", set()),
        ("1.8.0-RC", set()),
        ("Easel 0.1.0", set()),
        ("", set()),
    ],
)
def test_versions_say_what_has_changed_since(version: str, old: set[str]) -> None:
    text = GenerationText("[a:b:3]", "", {"Sampler": "DDIM", "Version": version})
    changed = {"Old prompt editing timelines", "Pad conds v0", "Downcast alphas_cumprod"}
    assert changed & set(fill_defaults(text)) == old
    assert not changed & set(fill_defaults(text, backcompat=False))


def test_fields_named_to_be_skipped_are_left_out() -> None:
    text = read_infotext("cat\nSteps: 2, Seed: 3, Size: 64x64")
    assert {"Seed", "Clip skip"} & set(fill_defaults(text, skip=["Seed", "Clip skip"])) == set()


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "piece",
    [
        "a",
        " ",
        "a:",
        'aa: "',
        "aa: 1,",
        "- :",
        '\\"',
        "aa: x\n",
        "A a ",
        "A\n",
        '"\n',
        "Seed: 1\n",
        "Steps: 1\n",
        "Steps: 1\nx\n",
    ],
)
@pytest.mark.parametrize("before", ["cat\n", "Steps: 1, Seed: 2, Hires prompt: "])
def test_long_texts_are_read_in_a_moment(piece: str, before: str) -> None:
    read_infotext(before + piece * (200_000 // len(piece)))
