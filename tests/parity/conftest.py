"""The table that the suite of recorded pictures prints at its end."""

from collections import defaultdict

import pytest

GROUP = "group of recorded pictures"
RESULTS: dict[str, list[bool]] = defaultdict(list)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Write into the report what the case belongs to: the process that counts may be another one."""
    outcome = yield
    case = getattr(item, "callspec", None) and item.callspec.params.get("case")
    if case:
        outcome.get_result().user_properties.append((GROUP, case["group"]))


def pytest_runtest_logreport(report):
    group = dict(report.user_properties).get(GROUP)
    if group and (report.when == "call" or report.failed):
        RESULTS[group].append(report.passed)


def pytest_terminal_summary(terminalreporter):
    if not RESULTS:
        return
    terminalreporter.section("recorded pictures")
    for group, passed in sorted(RESULTS.items()):
        terminalreporter.write_line(f"{group:20} {sum(passed):4} of {len(passed)}")
