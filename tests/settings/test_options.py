"""Options: types, bounds, choices, sentences."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import InvalidRequest
from modules.settings import ComponentKind, Options, describe_options
from modules.settings.reading import read_options

CHANGED_WHERE_IT_WAS_RECORDED = {
    "sd_model_checkpoint", "comma_padding_backtrack", "outdir_txt2img_samples", "outdir_txt2img_grids", "outdir_save",
    "outdir_img2img_samples", "outdir_img2img_grids", "outdir_extras_samples",
}  # fmt: skip
OURS = {"show_progress_type"}
INFOS = {info.key: info for info in describe_options()}


def test_every_default_is_the_fields(parity_reference):
    reference = json.loads((parity_reference / "options.json").read_text())
    ours = Options().model_dump(mode="json")
    shared = (set(ours) & set(reference)) - CHANGED_WHERE_IT_WAS_RECORDED - OURS
    assert len(shared) > 90
    assert {key: ours[key] for key in shared} == {key: reference[key] for key in shared}


def test_the_field_s_whole_settings_file_is_understood(parity_reference):
    reading = read_options(json.loads((parity_reference / "options.json").read_text()))
    assert reading.complaints == ()
    assert reading.options.comma_padding_backtrack == 60


def test_every_setting_that_the_recorded_requests_override_is_accepted(parity_cases):
    tried = 0
    for path in sorted(parity_cases.glob("*.json")):
        settings = json.loads(path.read_text())["request"].get("override_settings", {})
        options = Options().overridden(settings).model_dump(mode="json")
        assert {key: options[key] for key in settings} == settings, path.name
        tried += bool(settings)
    assert tried > 50


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("CLIP_stop_at_last_layers", 99, "a whole number from 1 to 12"),
        ("CLIP_stop_at_last_layers", 1.5, "a whole number from 1 to 12"),
        ("CLIP_stop_at_last_layers", "two", "a whole number from 1 to 12"),
        ("CLIP_stop_at_last_layers", None, "a whole number from 1 to 12"),
        ("randn_source", "XPU", "one of GPU, CPU, NV"),
        ("randn_source", "gpu", "one of GPU, CPU, NV"),
        ("samples_save", "perhaps", "true or false"),
        ("hide_samplers", "Euler", "a list of texts"),
        ("hide_samplers", [["Euler"]], "a list of texts"),
        ("rho", -0.1, "a number of at least 0"),
        ("rho", float("nan"), "a number of at least 0"),
        ("eta_ancestral", float("inf"), "a number from 0 to 1"),
        ("outdir_save", 3, "a text"),
    ],
)
def test_a_wrong_value_is_refused_naming_key_value_and_what_is_allowed(key, value, allowed):
    with pytest.raises(InvalidRequest) as refused:
        Options().overridden({key: value})
    sentence = str(refused.value)
    assert refused.value.field == key
    assert key in sentence
    assert allowed in sentence


def test_a_long_wrong_value_is_shown_shortened():
    with pytest.raises(InvalidRequest) as refused:
        Options().overridden({"randn_source": "x" * 100_000})
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(("given_value", "kept"), [(2.0, 2), ("3", 3), (12, 12)])
def test_whole_numbers_may_come_as_other_programs_write_them(given_value, kept):
    options = Options().overridden({"CLIP_stop_at_last_layers": given_value})
    assert options.CLIP_stop_at_last_layers == kept
    assert type(options.CLIP_stop_at_last_layers) is int


def test_one_wrong_value_leaves_the_whole_snapshot_as_it_was():
    options = Options(tiling=True)
    with pytest.raises(InvalidRequest):
        options.overridden({"tiling": False, "n_rows": 99})
    assert options.tiling is True


def test_an_override_is_a_new_snapshot():
    options = Options()
    assert options.overridden({"tiling": True}).tiling is True
    assert options.tiling is False


@given(st.dictionaries(st.text(min_size=1).filter(lambda key: key not in INFOS), st.integers() | st.text()))
def test_unknown_keys_are_kept_as_they_are(values):
    assert Options().overridden(values).model_dump(mode="json").items() >= values.items()


@pytest.mark.parametrize("info", describe_options(), ids=lambda info: info.key)
def test_every_option_is_described_whole_and_accepts_its_default(info):
    assert info.label
    assert info.section_title
    assert not info.label.endswith(".")
    assert Options().overridden({info.key: info.default}) == Options().overridden({})
    if info.kind is ComponentKind.SLIDER:
        assert info.minimum < info.maximum
    if info.kind in (ComponentKind.RADIO, ComponentKind.DROPDOWN):
        assert info.choices


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("samples_save", ComponentKind.CHECKBOX),
        ("CLIP_stop_at_last_layers", ComponentKind.SLIDER),
        ("rho", ComponentKind.NUMBER),
        ("samples_filename_pattern", ComponentKind.TEXT),
        ("randn_source", ComponentKind.RADIO),
        ("cross_attention_optimization", ComponentKind.DROPDOWN),
        ("keyedit_delimiters_whitespace", ComponentKind.MULTISELECT),
        ("sd_model_checkpoint", ComponentKind.TEXT),
    ],
)
def test_the_control_follows_from_the_type(key, kind):
    assert INFOS[key].kind is kind


def test_no_section_lists_an_option_twice():
    assert len(describe_options()) == len(INFOS) == len(Options.model_fields)


def test_the_old_text_of_quicksettings_is_read():
    reading = read_options({"quicksettings": "sd_model_checkpoint, CLIP_stop_at_last_layers"})
    assert reading.options.quicksettings_list == ("sd_model_checkpoint", "CLIP_stop_at_last_layers")
