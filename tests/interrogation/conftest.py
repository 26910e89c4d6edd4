"""A house of folders with nothing in it but what a test puts there."""

import pytest

from modules.flags import parse_flags
from modules.folders import Folders
from modules.interrogation import Interrogation, choose_interrogation_policy


@pytest.fixture
def folders(tmp_path):
    """A user's folders; those of the program hold what comes with it."""
    return Folders.from_flags(parse_flags(["--data-dir", str(tmp_path)], environment={}))


@pytest.fixture
def interrogation(folders):
    """What describes pictures with the models of `folders`."""
    return Interrogation(
        folders, choose_interrogation_policy(parse_flags(["--use-cpu", "all"], environment={}))
    )
