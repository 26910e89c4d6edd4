"""The names of samplers and schedules, and what the API tells of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import InvalidRequest
from modules.sampling import AUTOMATIC, SAMPLERS, SCHEDULES, resolve_sampler


@pytest.mark.parametrize(
    ("name", "scheduler", "expected"),
    [
        ("DPM++ 2M", None, ("DPM++ 2M", "Automatic")),
        ("DPM++ 2M", "", ("DPM++ 2M", "Automatic")),
        ("dpm++ 2m", "karras", ("DPM++ 2M", "Karras")),
        ("DPM++ 2M Karras", None, ("DPM++ 2M", "Karras")),
        ("DPM++ 2M Karras", "Automatic", ("DPM++ 2M", "Karras")),
        ("DPM++ 2M SDE Exponential", None, ("DPM++ 2M SDE", "Exponential")),
        ("DPM++ 2M SDE Heun Karras", None, ("DPM++ 2M SDE Heun", "Karras")),
        ("DPM2 a Karras", "Uniform", ("DPM2 a", "Karras")),
        ("k_euler_a", "sgm_uniform", ("Euler a", "SGM Uniform")),
        ("k_dpmpp_2m_sde_ka", None, ("DPM++ 2M SDE", "Karras")),
        ("k_dpmpp_3m_sde_exp", None, ("DPM++ 3M SDE", "Exponential")),
        ("Euler", "SGMUniform", ("Euler", "SGM Uniform")),
        (" LMS Karras ", " ", ("LMS", "Karras")),
        ("Euler Align Your Steps", None, ("Euler", "Align Your Steps")),
        ("DDIM", "DDIM", ("DDIM", "DDIM")),
    ],
)
def test_names_are_understood(name, scheduler, expected):
    sampler, schedule = resolve_sampler(name, scheduler)
    assert (sampler.name, schedule.name) == expected


def test_every_recorded_name_and_alias_is_understood(parity_reference):
    for row in json.loads((parity_reference / "samplers.json").read_text()):
        for name in (row["name"], *row["aliases"]):
            sampler, schedule = resolve_sampler(name)
            assert row["name"].startswith(sampler.name)
            if row["name"] != sampler.name:
                assert schedule.name == row["name"].removeprefix(sampler.name).strip()


def test_flags_of_the_recorded_samplers_are_kept(parity_reference):
    for row in json.loads((parity_reference / "samplers.json").read_text()):
        if row["name"] not in SAMPLERS:
            continue
        told = SAMPLERS[row["name"]].describe_options()
        for flag in ("second_order", "brownian_noise", "uses_ensd", "discard_next_to_last_sigma"):
            assert told.get(flag) == row["options"].get(flag), (row["name"], flag)


@pytest.mark.parametrize(
    ("name", "scheduler", "field", "hint"),
    [
        ("Eular a", None, "sampler_name", "'Euler a'"),
        ("DPM++ 2M Karas", None, "sampler_name", "'DPM++ 2M Karras'"),
        ("Euler", "Karas", "scheduler", "'Karras'"),
        ("", None, "sampler_name", "DPM++ 2M"),
    ],
)
def test_an_unknown_name_is_refused_and_the_nearest_named(name, scheduler, field, hint):
    with pytest.raises(InvalidRequest) as refused:
        resolve_sampler(name, scheduler)
    assert refused.value.field == field
    assert hint in str(refused.value)


@given(st.text(max_size=200))
def test_whatever_is_asked_it_is_a_row_or_a_sentence(name):
    try:
        sampler, _ = resolve_sampler(name)
    except InvalidRequest as refused:
        assert len(str(refused)) < 800
    else:
        assert sampler in SAMPLERS.values()


def test_a_name_belongs_to_one_row_and_favourites_exist():
    owners: dict[str, set[str]] = {}
    for row in SAMPLERS.values():
        for name in (row.name, *row.aliases):
            owners.setdefault(name.casefold(), set()).add(row.name)
    assert all(len(rows) == 1 for rows in owners.values())
    assert all(row.favourite in SCHEDULES for row in SAMPLERS.values())
    assert SCHEDULES["automatic"] is AUTOMATIC
