"""Servers killed at any moment: what the last one leaves is what one undisturbed server makes, bit for bit."""

import os

import pytest

from .crashes import disturbed, undisturbed
from .lives import Nursery
from .phases import POINTS, Phase
from .small_jobs import small_jobs

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="lives are forked")]

KILLS = 20
SEED = 20


@pytest.fixture
def nursery(tmp_path):
    with Nursery(tmp_path / "servers.log") as nursery:
        yield nursery


def test_after_twenty_kills_the_outputs_are_those_of_an_undisturbed_run(nursery, tmp_path, all_parity_models):
    jobs = small_jobs(rounds=2)
    whole = undisturbed(nursery, tmp_path / "undisturbed", all_parity_models, jobs)
    assert not whole.left_behind
    assert len(whole.files) > 2 * len(jobs)

    after = disturbed(nursery, tmp_path / "disturbed", all_parity_models, jobs, whole, KILLS, SEED)
    assert after.first_difference(whole) is None
    assert after.left_behind == []
    assert after.kills.total() == KILLS
    # Else it was a trial of kills that meet nothing.
    assert {Phase.ACCEPTED, *POINTS} <= set(after.kills)
    assert KILLS - after.kills[Phase.STARTING] - after.kills[Phase.IDLE] >= KILLS // 2
