"""Files made to harm are refused by whoever reads files of their kind: with a sentence, at once, in little
memory, and without a line of theirs being run.
"""

import json
import subprocess
import sys
from pathlib import Path

import hostile_reading
import pytest
from hostile_files import CANARY
from hostile_reading import Outcome

REFUSALS = ("EaselError", "UnusableFile")
MOST_SECONDS = 1.0
"""Of the processor, so that a busy machine changes nothing."""
MOST_MEGABYTES = 160
NO_LISTS = {"tensor of 2^80, in a zip", "storage of 2^62, in a zip"}
"""Whoever reads lists of texts finds none in these, and looks at no tensor."""

CASES = [(reader, case) for reader, (_, cases, _) in hostile_reading.readers().items() for case in cases]


@pytest.fixture(scope="module")
def ran_in(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def outcomes(ran_in: Path) -> dict[tuple[str, str], Outcome]:
    """Of all of them, one after the other in a process of their own."""
    command = [sys.executable, hostile_reading.__file__, str(ran_in)]
    output = subprocess.run(command, cwd=ran_in, check=True, capture_output=True, text=True, timeout=500)
    found = (Outcome(**json.loads(line)) for line in output.stdout.splitlines())
    return {(each.reader, each.case): each for each in found}


@pytest.mark.parametrize(("reader", "case"), CASES)
def test_a_hostile_file_is_refused_at_once(
    reader: str, case: str, outcomes: dict[tuple[str, str], Outcome]
) -> None:
    outcome = outcomes[reader, case]
    if reader == "tagger" and case in NO_LISTS:
        assert (outcome.kind, outcome.sentence) == ("nothing", "{}")
    else:
        assert outcome.kind in REFUSALS and "evil" in outcome.sentence, outcome
    outcome.sentence.encode()
    assert outcome.seconds < MOST_SECONDS
    assert outcome.megabytes < MOST_MEGABYTES


def test_nothing_of_them_was_run(ran_in: Path, outcomes: dict[tuple[str, str], Outcome]) -> None:
    assert len(outcomes) == len(CASES) > 300
    assert not (ran_in / CANARY).exists()
