"""From a generation text back to a request."""

import pytest

from modules.infotext import (
    FIELDS,
    GenerationText,
    Target,
    field_of_setting,
    read_infotext,
    to_request_values,
)
from modules.infotext.fields import Value
from modules.settings import Options

TEXT = """a cat
Negative prompt: dog
Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 5, Size: 64x96, \
Model hash: 2f46c991c6, Model: tiny-sd1, Variation seed: 3, Variation seed strength: 0.4, \
Seed resize from: 96x64, Clip skip: 2, ENSD: 31337, RNG: NV, NGMS: 1.5, Tiling: True, Sigma churn: 2, \
Discard penultimate sigma: True, Emphasis: No norm, Version: 1.8.0"""


def test_a_text_fills_a_request() -> None:
    values = to_request_values(read_infotext(TEXT))
    settings = values.pop("override_settings")
    expected = {
        "prompt": "a cat",
        "negative_prompt": "dog",
        "steps": 20,
        "sampler_name": "DPM++ 2M",
        "scheduler": "Karras",
        "cfg_scale": 7.5,
        "seed": 5,
        "width": 64,
        "height": 96,
        "subseed": 3,
        "subseed_strength": 0.4,
        "seed_resize_from_w": 96,
        "seed_resize_from_h": 64,
        "s_min_uncond": 1.5,
        "tiling": True,
    }
    assert expected.items() <= values.items()
    assert not [name for name in values if name.startswith("hr_") or name == "enable_hr"]
    expected_settings = {
        "sd_model_checkpoint": "2f46c991c6",
        "CLIP_stop_at_last_layers": 2,
        "eta_noise_seed_delta": 31337,
        "randn_source": "NV",
        "s_churn": 2.0,
        "always_discard_next_to_last_sigma": True,
        "emphasis": "No norm",
    }
    assert expected_settings.items() <= settings.items()


def test_settings_that_the_text_leaves_out_have_their_old_defaults() -> None:
    settings = to_request_values(read_infotext("a\nSteps: 2, Seed: 3, Size: 64x64"))["override_settings"]
    assert (settings["CLIP_stop_at_last_layers"], settings["randn_source"], settings["emphasis"]) == (
        1,
        "GPU",
        "Original",
    )
    assert "sd_model_checkpoint" not in settings


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("Hires upscale: 2.0, Hires steps: 5, Hires upscaler: Latent", (2.0, 0, 5, "Latent", None)),
        (
            "Hires resize: 128x256, Hires upscaler: Lanczos, Hires sampler: DDIM",
            (None, 128, None, "Lanczos", "DDIM"),
        ),
    ],
)
def test_a_second_pass_is_switched_on_by_its_fields(fields: str, expected: tuple[Value, ...]) -> None:
    values = to_request_values(read_infotext(f"a\nSteps: 2, Denoising strength: 0.7, {fields}"))
    names = ("hr_scale", "hr_resize_x", "hr_second_pass_steps", "hr_upscaler", "hr_sampler_name")
    assert values["enable_hr"] is True
    assert values["denoising_strength"] == 0.7
    assert tuple(values.get(name) for name in names) == expected


@pytest.mark.parametrize(
    ("sampler", "version", "scheduler"),
    [
        ("DPM++ 2M", "1.8.0", "Uniform"),
        ("DPM++ 2M Karras", "v1.8.0", "Automatic"),
        ("DPM++ 2M", "v1.9.0", "Automatic"),
        ("DPM++ 2M", "Easel 0.1.0", "Automatic"),
    ],
)
def test_a_plain_sampler_of_an_old_text_has_the_uniform_schedule(
    sampler: str, version: str, scheduler: str
) -> None:
    text = GenerationText("a", "", {"Steps": "2", "Sampler": sampler, "Version": version})
    assert to_request_values(text)["scheduler"] == scheduler


def test_a_text_without_parameters_says_nothing_but_its_prompts() -> None:
    text = read_infotext("(a cat:1.2), (b:1.1), (c:1)\nNegative prompt: (d:1), (e:1), (f:1)")
    assert to_request_values(text) == {
        "prompt": "(a cat:1.2), (b:1.1), (c:1)",
        "negative_prompt": "(d:1), (e:1), (f:1)",
        "override_settings": {},
    }


def test_values_that_are_none_are_left_out() -> None:
    values = to_request_values(
        read_infotext(
            "a\nSteps: many, Seed: 1e3, CFG scale: nan, Denoising strength: abc, Tiling: maybe, Size: 64x"
        )
    )
    assert not {"steps", "seed", "cfg_scale", "denoising_strength", "tiling", "width"} & set(values)


def test_settings_that_the_program_does_not_have_are_left_out() -> None:
    values = to_request_values(read_infotext("a\nSteps: 2, Seed: 3, Size: 8x8, FP8 weight: Enable, RNG: CPU"))
    assert set(values["override_settings"]) <= set(Options.model_fields)


def test_fields_to_be_skipped_fill_nothing() -> None:
    values = to_request_values(read_infotext("a\nSteps: 2, Seed: 3, RNG: NV"), skip=["Seed", "RNG"])
    assert "seed" not in values
    assert "randn_source" not in values["override_settings"]
    assert values["steps"] == 2


def test_the_settings_of_a_text_are_valid() -> None:
    settings = to_request_values(read_infotext(TEXT))["override_settings"]
    assert Options().overridden(settings).eta_noise_seed_delta == 31337


def test_the_model_name_stands_in_for_a_missing_hash() -> None:
    values = to_request_values(read_infotext("a\nSteps: 2, Seed: 3, Model: tiny-sd1"))
    assert values["override_settings"]["sd_model_checkpoint"] == "tiny-sd1"


def test_every_field_fills_one_name_of_its_own() -> None:
    for target in Target:
        names = [field.name for field in FIELDS if field.target is target]
        assert len(names) == len(set(names))
    assert len({field.key for field in FIELDS}) == len(FIELDS)
    assert field_of_setting("eta_noise_seed_delta") == "ENSD"
    assert field_of_setting("steps") is None
