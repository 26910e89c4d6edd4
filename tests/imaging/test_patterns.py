"""File name patterns and safe names."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from modules.filenames import NameRules, cut_name, safe_folder, safe_part
from modules.imaging import PictureFacts, describe_patterns, fill_pattern
from modules.imaging.patterns import TAGS

FACTS = PictureFacts(
    seed=5,
    first_seed=4,
    last_seed=7,
    steps=20,
    cfg_scale=7.5,
    width=64,
    height=96,
    styles=("oil", "a/b"),
    sampler="DPM++ 2M",
    scheduler="Karras",
    model_hash="2f46c991c6",
    model_name="tiny sd1",
    vae_filename="tiny-vae",
    prompt="A cat, (red:1.2) by night, oil painting",
    prompt_without_styles="A cat, (red:1.2) by night",
    negative_prompt="dog",
    batch_position=1,
    batch_size=2,
    picture_position=3,
    pictures=4,
    clip_skip=2,
    denoising_strength=0.7,
    user="anna",
    job_started=datetime(2024, 3, 1, 10, 0, 0, tzinfo=UTC),
    now=datetime(2024, 3, 1, 23, 30, 5, tzinfo=UTC),
    image=Image.new("RGB", (2, 2)),
)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("[seed]-[seed_first]-[seed_last]", "5-4-7"),
        ("[steps]x[cfg] [width]x[height]", "20x7.5 64x96"),
        ("[sampler] [scheduler]", "DPM++ 2M Karras"),
        ("[styles]", "oil, a_b"),
        ("[model_name] [model_hash] [vae_filename]", "tiny sd1 2f46c991c6 tiny-vae"),
        ("[prompt]", "A_cat,_(red_1.2)_by_night,_oil_painting"),
        ("[prompt_spaces]", "A cat, (red_1.2) by night, oil painting"),
        ("[prompt_no_styles]", "A cat, (red_1.2) by night"),
        ("[prompt_words]", "A cat red 1 2 by night oil"),
        ("[date] [datetime]", "2024-03-01 20240301233005"),
        ("[datetime<%H-%M><Asia/Tokyo>]", "08-30"),
        (
            "[datetime<%H-%M><No/Where>]",
            datetime(2024, 3, 1, 23, 30, tzinfo=UTC).astimezone().strftime("%H-%M"),
        ),
        ("[datetime<%H:%M/%S>]", "23_30_05"),
        ("[datetime<>]", "20240301233005"),
        ("[job_timestamp]", "20240301100000"),
        ("[batch_number]of[batch_size] [generation_number]", "2of2 4"),
        ("[clip_skip] [denoising] [user] [none]", "2 0.7 anna "),
        ("[hasprompt<CAT|dog><dog|none><x>]", "catnone"),
        ("[prompt_hash] [negative_prompt_hash<4>]", "24063a3b cd63"),
        ("[full_prompt_hash<0>][image_hash<6>]", "15ec7b"),
        ("[SEED] [Seed]", "5 5"),
        ("[unknown<1>] [seed", "[unknown<1>] [seed"),
        ("", ""),
    ],
)
def test_patterns_are_filled(pattern: str, name: str) -> None:
    assert fill_pattern(pattern, FACTS) == name


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("[seed]-[batch_number]-end", "5-end"),
        ("[seed]-[generation_number]", "5"),
        ("[seed]-[denoising]", "5"),
        ("[model_name]x", "x"),
        ("[prompt]|[prompt_words]|[image_hash]", "|empty|"),
    ],
)
def test_tags_without_a_value_leave_no_dashes(pattern: str, name: str) -> None:
    assert fill_pattern(pattern, PictureFacts(seed=5)) == name


def test_a_strange_time_format_does_not_stop_a_picture() -> None:
    assert fill_pattern("[datetime<%>]", FACTS)
    assert fill_pattern("[datetime<\ud800>]", FACTS)


def test_every_tag_is_described_and_fills_without_facts() -> None:
    described = describe_patterns()
    assert len(described) == len(TAGS)
    for row in described:
        assert row.help.endswith(".")
        assert "[" not in fill_pattern(row.tag, PictureFacts())


@given(st.text(), st.text())
def test_any_pattern_and_prompt_give_a_name(pattern: str, prompt: str) -> None:
    facts = PictureFacts(prompt=prompt, negative_prompt=prompt, model_name=prompt, sampler=prompt)
    fill_pattern(pattern + "[prompt][prompt_words][model_name]" + pattern, facts)


@given(st.text(max_size=400), st.integers(20, 240))
def test_names_fit_and_hold_nothing_that_a_system_forbids(text: str, limit: int) -> None:
    name = cut_name(text, ".png", limit)
    assert len(name.encode()) <= limit
    assert not set(name) & set('<>:"/\\|?*\0\n\r\t')
    assert name.endswith(".png")
    part = safe_part(text)
    assert part == part.strip(" ")
    assert not part.endswith(".")


@pytest.mark.parametrize("stem", ["con", "NUL", "Com1", "lpt9.x", "aux"])
def test_names_that_windows_keeps_for_devices_are_changed(stem: str) -> None:
    assert cut_name(stem, ".png", 100) == f"_{stem}.png"


@pytest.mark.parametrize("stem", ["console", "null", "com", "lpt10", "a con"])
def test_names_that_only_look_like_devices_stay(stem: str) -> None:
    assert cut_name(stem, ".png", 100) == f"{stem}.png"


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("2024/cats", "2024/cats"),
        ("a\\b", "a/b"),
        ("../../etc", "etc"),
        ("/root/..//x/", "root/x"),
        (".. /. . /b", "b"),
        ("C:\\x", "C_/x"),
        ("", "."),
        ("nul/x.", "_nul/x"),
    ],
)
def test_folders_never_lead_out(text: str, folder: str) -> None:
    assert safe_folder(text) == Path(folder)


@given(st.text())
def test_no_text_leads_out_of_the_folder(text: str) -> None:
    assert not safe_folder(text).is_absolute()
    assert ".." not in safe_folder(text).parts


def test_a_cut_never_splits_a_character() -> None:
    assert cut_name("日本語", ".png", 10) == "日本.png"


def test_the_documentation_lists_every_tag() -> None:
    page = (Path(__file__).parents[2] / "docs" / "saving-pictures.md").read_text(encoding="utf-8")
    rows = [line.replace("\\|", "|") for line in page.splitlines() if line.startswith("| `[")]
    assert rows == [f"| `{row.tag}` | {row.help} |" for row in describe_patterns()]


def test_rules_for_unix_alone_keep_what_windows_forbids_and_still_lead_nowhere() -> None:
    rules = NameRules(only_unix=True)
    assert safe_part('a: "b" <c>?#|*\\d/e\n', replace_spaces=False, rules=rules) == 'a: "b" <c>?#|*\\d_e_'
    assert cut_name("nul", ".png", 100, rules) == "nul.png"
    assert safe_folder("a\\b/../c:d/.. /e", rules) == Path("a\\b/c:d/e")


def test_single_texts_are_cut_to_the_length_that_was_asked_for() -> None:
    facts = PictureFacts(prompt="a" * 300, seed=5, names=NameRules(longest_part=10))
    assert fill_pattern("[seed]-[prompt]", facts) == f"5-{'a' * 10}"
    assert fill_pattern("[prompt]", PictureFacts(prompt="a" * 300)) == "a" * 128
