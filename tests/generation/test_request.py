"""What a request accepts, and the sentence it answers otherwise."""

import pytest

from modules.errors import InvalidRequest
from modules.generation import parse_txt2img


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"width": 13}, "width", "greater than or equal to 64"),
        ({"width": 100}, "width", "multiple of 8; the nearest are 96 and 104"),
        ({"width": -1}, "width", "64"),
        ({"height": 100_000}, "height", "8192"),
        ({"steps": 0}, "steps", "1"),
        ({"batch_size": 10**6}, "batch_size", "128"),
        ({"n_iter": 10**6}, "n_iter", "10000"),
        ({"prompt": "x" * 10**5}, "prompt", "30000"),
        ({"cfg_scale": float("nan")}, "cfg_scale", "from -1000 to 1000"),
        ({"cfg_scale": 1e300}, "cfg_scale", "from -1000 to 1000"),
        ({"s_min_uncond": float("inf")}, "s_min_uncond", "finite"),
        ({"seed_resize_from_w": 10**30}, "seed_resize_from_w", "8192"),
        ({"prompt": "a \ud800 cat"}, "prompt", "unicode"),
        ({"cfg_scale": "much"}, "cfg_scale", "number"),
        ({"subseed_strength": 2}, "subseed_strength", "less than or equal to 1"),
        ({"override_settings": "no"}, "override_settings", "dictionary"),
        ({"styles": 3}, "styles", "tuple"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field_and_bound(values, field, words):
    with pytest.raises(InvalidRequest, match=words) as refused:
        parse_txt2img(values)
    assert refused.value.field == field
    assert str(refused.value).startswith(field)
    assert len(str(refused.value)) < 400


def test_nulls_take_the_defaults_as_clients_send_them():
    request = parse_txt2img(
        {"prompt": None, "steps": None, "seed": None, "hr_upscaler": None, "styles": None}
    )
    assert (request.prompt, request.steps, request.seed, request.styles) == ("", 50, -1, ())


@pytest.mark.parametrize(
    ("given", "seed"),
    [
        ("", -1),
        ("abc", -1),
        (None, -1),
        ("12", 12),
        (-7, -7),
        (2**70, 2**70),
        (" 5 ", 5),
        (5.0, 5),
        (5.5, -1),
    ],
)
def test_a_seed_is_any_whole_number_and_everything_else_draws_one(given, seed):
    assert parse_txt2img({"seed": given}).seed == seed


@pytest.mark.parametrize("scale", [-3.0, 0.0, 1.0, 300.0])
def test_guidance_may_be_any_number(scale):
    assert parse_txt2img({"cfg_scale": scale}).cfg_scale == scale


def test_the_older_name_of_the_sampler_counts_when_the_newer_is_missing():
    assert parse_txt2img({"sampler_index": "DDIM"}).sampler == "DDIM"
    assert parse_txt2img({"sampler_index": "DDIM", "sampler_name": "LMS"}).sampler == "LMS"


@pytest.mark.parametrize("field", ["firstpass_image", "alwayson_scripts"])
def test_what_this_version_cannot_do_is_said_instead_of_left_out_in_silence(field):
    given = {"ControlNet": {"args": []}} if field == "alwayson_scripts" else "something"
    with pytest.raises(
        InvalidRequest, match=f"^{field} is given, and .* not part of this version"
    ) as refused:
        parse_txt2img({field: given})
    assert refused.value.field == field


def test_clients_may_send_these_fields_empty():
    empty = {"script_name": None, "alwayson_scripts": {}, "firstpass_image": None}
    assert parse_txt2img({**empty, "prompt": "a cat"}).prompt == "a cat"
