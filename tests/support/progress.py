"""A pytest plugin of scripts/test: one line for each file when its last test has ended, not a dot for each test.

Files run side by side, so nothing else tells where a run is.
"""

from collections import Counter, defaultdict
from collections.abc import Generator, Iterable
from typing import Any

import pytest


class Progress:
    """Counts what is left of each file."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal
        self._left: Counter[str] = Counter()
        self._files = 0
        self._outcomes: dict[str, Counter[str]] = {}
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Take the tests of a run in one process."""
        self._expect(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Iterable[str]) -> None:
        """Take the tests of a run in several processes; each has collected all of them."""
        if not self._left:
            self._expect(ids)

    def _expect(self, ids: Iterable[str]) -> None:
        self._left.update(_file_of(each) for each in ids)
        self._files = len(self._left)

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self, report: Any) -> Generator[None, Any, Any]:
        """Count a test as ever, and print nothing for it."""
        category, _letter, _word = yield
        return category, "", ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a phase of a test; after the last one of a file print its line."""
        file = _file_of(report.nodeid)
        outcomes = self._outcomes.setdefault(file, Counter())
        self._seconds[file] += report.duration
        if report.when == "call" or report.outcome != "passed":
            outcomes[report.outcome if report.when == "call" or report.skipped else "error"] += 1
        if report.when == "teardown":
            self._left[file] -= 1
            if not self._left[file]:
                done = sum(not left for left in self._left.values())
                counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
                self._terminal.write_line(f"{done:4}/{self._files} {file}: {counts} ({self._seconds[file]:.1f} s)")


def _file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Show progress where the terminal is, which is not in the processes that run the tests."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Progress(terminal), "progress-by-file")
