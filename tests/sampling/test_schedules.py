"""Schedules and the table of levels, against recorded numbers."""

import json
import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from modules.sampling import AUTOMATIC, SCHEDULES, LcmTable, NoiseTable
from modules.sampling.schedules import Shape, make_sigmas
from tests.sampling.worlds import SD1_ALPHAS, SD1_TABLE, V_TABLE, plan_for

SDXL_TABLE = NoiseTable(SD1_ALPHAS, is_sdxl=True)
NAMED = [schedule for schedule in SCHEDULES.values() if schedule is not AUTOMATIC]


@pytest.fixture(scope="module")
def recorded(parity_reference):
    return json.loads((parity_reference / "sigmas.json").read_text())


@pytest.fixture(scope="module")
def recorded_newer(parity_reference):
    return json.loads((parity_reference / "schedules.json").read_text())


def test_the_ends_of_the_table_are_the_recorded_ones(recorded):
    assert SD1_TABLE.sigmas[0] == pytest.approx(recorded["sigma_min"], rel=1e-6)
    assert SD1_TABLE.sigmas[-1] == pytest.approx(recorded["sigma_max"], rel=1e-6)


@pytest.mark.parametrize("key", ["uniform", "karras", "exponential", "polyexponential"])
def test_older_schedules_agree_with_the_recorded_numbers(recorded, key):
    for steps, schedules in recorded["schedules"].items():
        made = make_sigmas(SCHEDULES[key], int(steps), SD1_TABLE, Shape())
        assert made == pytest.approx(schedules[key], rel=5e-7, abs=1e-9), steps


def test_the_old_ends_of_karras_agree_with_the_recorded_numbers(recorded):
    for steps, schedules in recorded["schedules"].items():
        made = make_sigmas(SCHEDULES["karras"], int(steps), SD1_TABLE, Shape(old_karras_ends=True))
        assert made == pytest.approx(schedules["karras_default"], rel=5e-7, abs=1e-9), steps


@pytest.mark.parametrize(("model", "table"), [("tiny-sd1", SD1_TABLE), ("tiny-sdxl", SDXL_TABLE)])
def test_newer_schedules_agree_with_the_recorded_numbers(recorded_newer, model, table):
    by_name = {schedule.name: schedule for schedule in NAMED}
    for name, by_steps in recorded_newer[model].items():
        for steps, expected in by_steps.items():
            made = make_sigmas(by_name[name], int(steps), table, Shape())
            assert made == pytest.approx(expected, rel=3e-6, abs=1e-9), (name, steps)


@given(schedule=st.sampled_from(NAMED), steps=st.integers(1, 150), discard=st.booleans())
def test_levels_fall_and_end_where_they_should(schedule, steps, discard):
    levels = make_sigmas(schedule, steps, SD1_TABLE, Shape(), discard)
    assert all(a > b for a, b in pairwise(levels))
    assert levels[-1] == (pytest.approx(SD1_TABLE.sigmas[0]) if schedule.key == "kl_optimal" else 0)
    if schedule.key != "ddim":
        assert len(levels) == steps + 1


def test_the_ddim_schedule_may_have_more_levels_than_asked():
    assert len(make_sigmas(SCHEDULES["ddim"], 11, SD1_TABLE, Shape())) == 13


def test_discarding_leaves_out_the_last_level_above_the_end():
    whole = make_sigmas(SCHEDULES["karras"], 9, SD1_TABLE, Shape())
    assert make_sigmas(SCHEDULES["karras"], 8, SD1_TABLE, Shape(), True) == [*whole[:-2], 0.0]


def test_automatic_has_no_levels_of_its_own():
    with pytest.raises(ValueError, match="Automatic"):
        make_sigmas(AUTOMATIC, 8, SD1_TABLE, Shape())


def test_automatic_is_the_samplers_favourite():
    assert plan_for("DPM++ 2M", 9).sigmas() == plan_for("DPM++ 2M", 9, "Karras").sigmas()
    assert plan_for("Euler a", 9).sigmas() == plan_for("Euler a", 9, "Uniform").sigmas()
    assert plan_for("DPM++ 2M SDE", 9).sigmas() == plan_for("DPM++ 2M SDE", 9, "Exponential").sigmas()


def test_ends_and_rho_count_for_a_schedule_that_was_chosen_and_not_for_automatic():
    bent = {"sigma_min": 0.1, "sigma_max": 10.0, "rho": 5.0}
    chosen = plan_for("DPM++ 2M", 9, "Karras", **bent).sigmas()
    assert chosen[0] == pytest.approx(10) and chosen[-2] == pytest.approx(0.1)
    middle = ((10 ** (1 / 5) + 0.1 ** (1 / 5)) / 2) ** 5
    assert chosen[4] == pytest.approx(middle, rel=1e-5)
    assert plan_for("DPM++ 2M", 9, **bent).sigmas() == plan_for("DPM++ 2M", 9).sigmas()


@pytest.mark.parametrize(
    ("steps", "first", "second", "count"),
    [(8, 1, 126, 8), (13, 1, 77, 14), (1, 1, None, 1), (1000, 1, 2, 1000)],
)
def test_whole_times_have_a_whole_stride(steps, first, second, count):
    times = plan_for("DDIM", steps).times()
    assert (times[0], times[1] if count > 1 else None, len(times)) == (first, second, count)
    assert max(times) <= 999


@given(st.floats(0.03, 14.6))
def test_the_time_of_a_level_leads_back_to_the_level(sigma):
    time = SD1_TABLE.sigma_to_time(sigma)
    assert float(SD1_TABLE.times_to_sigmas(torch.tensor([time]))) == pytest.approx(sigma, rel=1e-4)


@pytest.mark.parametrize(("sigma", "time"), [(1e-4, 0), (1e4, 999)])
def test_levels_outside_the_table_count_as_its_ends(sigma, time):
    assert SD1_TABLE.sigma_to_time(sigma) == time


@pytest.mark.parametrize("sigma", [0.05, 1.0, 12.0])
def test_both_kinds_of_prediction_lead_to_the_same_estimate(sigma):
    clean, noise = torch.tensor(0.7), torch.tensor(-1.3)
    x, root = clean + sigma * noise, math.sqrt(1 + sigma**2)
    a_root, b_root = 1 / root, sigma / root
    for table, prediction in ((SD1_TABLE, noise), (V_TABLE, a_root * noise - b_root * clean)):
        scaling = table.scaling(sigma)
        torch.testing.assert_close(x * scaling.skip + prediction * scaling.out, clean, atol=1e-5, rtol=1e-5)


def test_the_consistency_table_knows_fifty_times():
    table = LcmTable(SD1_TABLE)
    assert len(table.sigmas) == 50
    assert [table.sigma_to_time(sigma) for sigma in table.sigmas] == list(range(19, 1000, 20))
    assert table.sigma_to_time(SD1_TABLE.sigmas[0]) == 19


def test_the_consistency_function_is_nearly_the_clean_estimate_at_high_times():
    plain, consistent = SD1_TABLE.scaling(10.0), LcmTable(SD1_TABLE).scaling(10.0)
    assert consistent.skip == pytest.approx(plain.skip, abs=1e-6)
    assert consistent.out == pytest.approx(plain.out, rel=1e-6)
