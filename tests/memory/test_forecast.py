"""The memory that a request will take: rehearsed, forecast, and refused where it cannot fit."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from modules.memory import (
    AttentionKind,
    ModelCosts,
    Pass,
    Work,
    forecast,
    largest_that_fits,
    memory_for_us,
    most_given_pixels,
    rehearse,
    resident_memory,
)

KIB, GIB = 1 << 10, 1 << 30
COSTS = ModelCosts(weights=GIB, step=4_000, matrix=16, decode=900, encode=500)


def work(width=512, height=512, pictures=1, **values):
    return Work(passes=(Pass(width, height, pictures, rows=2 * pictures),), **values)


@pytest.fixture
def block():
    with torch.device("meta"):
        return nn.Sequential(nn.Conv2d(4, 16, 3, padding=1), nn.SiLU(), nn.Conv2d(16, 4, 3, padding=1))


def test_a_rehearsal_counts_the_tensors_that_live_together(block):
    """16 channels before and after the activation; the input is the caller's."""
    pixels = torch.empty(1, 4, 64, 64, device="meta")
    channel = 64 * 64 * 4
    assert rehearse(lambda: block(pixels)).peak == 2 * 16 * channel


def test_a_rehearsal_grows_as_the_pixels_do(block):
    small, large = (torch.empty(1, 4, side, side, device="meta") for side in (32, 64))
    assert 4 * rehearse(lambda: block(small)).peak == rehearse(lambda: block(large)).peak


def test_a_rehearsal_counts_no_weights():
    """A linear layer multiplies with a view of its weight."""
    with torch.device("meta"):
        layer = nn.Linear(1000, 4)
    assert rehearse(lambda: layer(torch.empty(7, 1000, device="meta"))).peak == (7 * 1000 + 7 * 4) * 4


def test_fused_attention_makes_no_matrix_and_its_size_is_told():
    query = torch.empty(2, 8, 1024, 40, device="meta")
    found = rehearse(lambda: nn.functional.scaled_dot_product_attention(query, query, query))
    assert found.peak == query.nbytes
    assert found.matrix == 2 * 8 * 1024 * 1024


@given(st.integers(8, 200), st.integers(8, 200), st.integers(1, 8), st.integers(9, 201))
def test_more_is_never_forecast_to_take_less(width, height, pictures, more):
    first = forecast(COSTS, work(8 * width, 8 * height, pictures)).peak
    assert forecast(COSTS, work(8 * (width + more), 8 * height, pictures)).peak > first
    assert forecast(COSTS, work(8 * width, 8 * height, pictures + 1)).peak >= first


def test_a_plain_matrix_takes_more_than_slices_and_these_more_than_none():
    names = ("NONE", "V1", "DOGGETTX", "SUB_QUADRATIC", "AUTOMATIC")
    costs = replace(COSTS, decode=0)
    peaks = [forecast(costs, work(4096, 4096, attention=AttentionKind[name])).peak for name in names]
    assert peaks == sorted(peaks, reverse=True)
    assert len(set(peaks)) == len(names)


def test_the_peak_is_what_rests_the_weights_and_the_work():
    told = forecast(COSTS, work(), resting=3 * GIB)
    assert told.peak == 4 * GIB + told.working
    assert told.working > 900 * 512 * 512


@given(st.integers(64, 1024), st.integers(64, 1024), st.integers(1100, 40_000))
def test_the_largest_that_fits_does_and_the_next_does_not(width, height, mebibytes):
    room = mebibytes << 20
    asked = work(8 * width, 8 * height, 4)
    fitting = largest_that_fits(COSTS, asked, room)
    if fitting is None:
        assert forecast(COSTS, work(64, 64, 4)).peak > room or max(width, height) > 8 * min(width, height) / 2
        return
    assert forecast(COSTS, work(*fitting, 4)).peak <= room
    assert fitting[0] % 8 == fitting[1] % 8 == 0
    if fitting[0] < 8 * width:
        wider = fitting[0] + 8
        assert forecast(COSTS, work(wider, max(height * wider // width // 8 * 8, 64), 4)).peak > room


def test_a_huge_picture_that_is_given_is_offered_a_size_that_fits():
    asked = work(given_pixels=800_000_000, masked=True)
    room = 8 * GIB
    assert forecast(COSTS, asked).peak > room
    pixels = most_given_pixels(COSTS, asked, room)
    assert forecast(COSTS, work(given_pixels=pixels, masked=True)).peak <= room
    assert most_given_pixels(COSTS, work(8192, 8192, 8, given_pixels=64), room) == 0


def test_what_we_can_have_is_more_than_what_we_hold_and_no_more_than_there_is():
    room = memory_for_us(torch.device("cpu"))
    assert room is not None
    assert resident_memory() < room < 1 << 50
    assert memory_for_us(torch.device("meta")) is None


def test_results_that_are_kept_have_the_size_of_what_is_made():
    """Of the whole picture where only the masked part is drawn: half of what is given, and no smaller where
    less is drawn.
    """
    drawn = work(256, 128, results=3)
    assert drawn.result_pixels == 256 * 128
    laid = replace(drawn, results=30, given_pixels=8_000_000, masked=True, only_masked=True)
    assert laid.result_pixels == 4_000_000
    assert (
        forecast(COSTS, laid).working - forecast(COSTS, replace(laid, results=20)).working
        == 10 * 3 * 4_000_000
    )
