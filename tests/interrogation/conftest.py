"""A house of folders with nothing in it but what a test puts there."""

import pytest

from modules.flags import parse_flags
from modules.folders import Folders
from modules.interrogation import DescribingProcess, Interrogation, choose_interrogation_policy


@pytest.fixture
def folders(tmp_path):
    """A user's folders; those of the program hold what comes with it."""
    return Folders.from_flags(parse_flags(["--data-dir", str(tmp_path)], environment={}))


@pytest.fixture(scope="session")
def process():
    """The process of describing models, which all tests share: it takes seconds to start."""
    process = DescribingProcess()
    yield process
    process.close()


@pytest.fixture
def interrogation(folders, process):
    """What describes pictures with the models of `folders`."""
    policy = choose_interrogation_policy(parse_flags(["--use-cpu", "all"], environment={}))
    return Interrogation(folders, policy, process=process)
