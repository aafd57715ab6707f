"""Which tests are skipped: those that lack a tool, which CI does not allow, and those that are for other machines."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.tools import MissingToolError

_ALLOWED = "only where "


def only_where(condition: bool, what: str) -> None:
    """Skip a test unless a condition holds, under CI too; `what` says it in words, such as "the user is root"."""
    if not condition:
        pytest.skip(_ALLOWED + what)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report a test that lacks a tool as skipped, and under CI every skip as failed that is not allowed."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, MissingToolError):
        place = call.excinfo.traceback[-1]
        report.outcome = "skipped"
        report.longrepr = (str(place.path), place.lineno + 1, str(call.excinfo.value))
        report.user_properties.append(("missing", call.excinfo.value.name))
    _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse(report)
    return report


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") == "true" and report.skipped and isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        if not reason.removeprefix("Skipped: ").startswith(_ALLOWED):
            report.outcome = "failed"
            report.longrepr = f"{path}:{line}: skipped, which CI does not allow: {reason}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write what the skipped tests lack into the file that scripts/test names, a line for each test."""
    if file := os.environ.get("SKIPPED_TESTS"):
        reports = [each for each in terminalreporter.getreports("skipped") if isinstance(each, pytest.TestReport)]
        names = [name for report in reports for key, name in report.user_properties if key == "missing"]
        with Path(file).open("a", encoding="utf-8") as opened:
            opened.writelines(f"{name}\n" for name in names)
