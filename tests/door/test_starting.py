"""What a start tells."""

import logging

import pytest

from modules.flags import Flags
from modules.starting import StartClock, missing_card


@pytest.mark.parametrize("asked", [True, False])
def test_the_steps_of_the_start_are_told_to_who_asks(asked, caplog):
    with caplog.at_level(logging.INFO, "modules.starting"):
        StartClock(asked).step("queue")
    assert [message.split("  ")[-1] for message in caplog.messages] == (
        ["Python and its libraries", "queue"] if asked else []
    )
    assert all(0 <= float(message.split(" s ")[0]) < 1e5 for message in caplog.messages)


def test_a_card_that_is_missed_is_said_unless_a_flag_says_that_it_is_known():
    assert "no graphics card" in missing_card(Flags(), "cpu")
    assert missing_card(Flags(), "cuda") is None
    assert missing_card(Flags(use_cpu=("all",)), "cpu") is None
    assert missing_card(Flags(skip_torch_cuda_test=True), "cpu") is None
