"""The table that the suite of recorded pictures prints at its end."""

from collections import defaultdict

import pytest

RESULTS: dict[str, list[bool]] = defaultdict(list)


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
