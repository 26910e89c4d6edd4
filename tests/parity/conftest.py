"""A running program over the small models, and the table that the suite prints at its end."""

import runpy
import shutil
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

HERE = Path(__file__).parent
RESULTS: dict[str, list[bool]] = defaultdict(list)


@pytest.fixture(scope="session")
def parity_client(tmp_path_factory):
    """The whole program without the page, with the recorded models and their variants as its checkpoint
    folder.
    """
    from modules.flags import parse_flags
    from modules.house import make_house
    from modules.server import create_app

    data = tmp_path_factory.mktemp("parity")
    models = data / "checkpoints"
    shutil.copytree(HERE / "models", models)
    arguments, sys.argv = sys.argv, ["make_variants.py", str(models)]
    try:
        runpy.run_path(str(HERE / "make_variants.py"))
    finally:
        sys.argv = arguments
    flags = parse_flags(["--data-dir", str(data / "user"), "--ckpt-dir", str(models), "--nowebui", "--api"])
    with TestClient(create_app(make_house(flags)), raise_server_exceptions=False) as client:
        yield client


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    case = getattr(item, "callspec", None) and item.callspec.params.get("case")
    if case and (report.when == "call" or report.failed):
        RESULTS[case["group"]].append(report.passed)


def pytest_terminal_summary(terminalreporter):
    if not RESULTS:
        return
    terminalreporter.section("recorded pictures")
    for group, passed in sorted(RESULTS.items()):
        terminalreporter.write_line(f"{group:20} {sum(passed):4} of {len(passed)}")
