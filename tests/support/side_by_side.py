"""A pytest plugin of scripts/test: runs the tests in several processes, which are forked when all have been collected.

`--processes N` makes N workers. Each asks for a file, runs its tests, sends their reports, and asks for another; this
process reports what comes back as if it had run them. The slow files of `tests/seconds.json` come first, since one that
begins late holds up the end of a run alone; then those of the folder that the worker is in, whose servers run already.

`--note-seconds` writes that table anew for what `-m` selects.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path, PurePath
from typing import Any

import pytest

LONG = 8
"""Seconds from which a file is in the table."""
FEW = 3
"""Tests that may fail by what runs beside them; when more fail, there is another reason."""
TAIL = 40
"""Lines that are shown of a worker that has crashed."""

Files = dict[str, list[pytest.Item]]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("side by side")
    group.addoption("--processes", type=int, default=0, help="processes that run the tests; 0: this one")
    group.addoption("--repeatable", type=Path, help="file for the names of the failed tests, if they may run again")
    group.addoption("--seconds", type=Path, default="tests/seconds.json", help="for each -m, seconds of slow files")
    group.addoption("--note-seconds", action="store_true", help="write that file")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let this pytest have workers, if it is asked for."""
    if config.getoption("processes"):
        config.pluginmanager.register(Reporter(config), Reporter.__name__)


class Worker:
    def __init__(self, config: pytest.Config, reporter: "Connection[Any, Any]") -> None:
        self._config = config
        self._reporter = reporter
        self._reports: list[pytest.TestReport] = []

    def run(self, files: Files) -> None:
        """Run file after file; the next one is known before the last test of one, so that it leaves what both share."""
        items = self._items(files)
        item = next(items, None)
        while item:
            following = next(items, None)
            self._config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            item = following

    def _items(self, files: Files) -> Iterator[pytest.Item]:
        self._reporter.send(None)
        while name := self._reporter.recv():
            yield from files[name]
            self._reporter.send(None)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Send what a test has come to, and how long it took, when its last phase has ended.

        A set-up or teardown that passed is left out: two thirds of all reports, which say nothing.
        """
        self._reports.append(report)
        if report.when == "teardown":
            serialize = partial(self._config.hook.pytest_report_to_serializable, config=self._config)
            saying = [each for each in self._reports if each.when == "call" or not each.passed]
            seconds = sum(each.duration for each in self._reports)
            self._reports.clear()
            self._reporter.send((report.nodeid, seconds, [serialize(report=each) for each in saying]))


class WorkerProcess:
    def __init__(self, pid: int, connection: "Connection[Any, Any]", output: Path) -> None:
        self.connection = connection
        self.ending = os.pidfd_open(pid)  # what it has forked may hold the connection open
        self.files: list[str] = []
        self.has_failed = False
        self._pid = pid
        self._output = output

    def has_run(self, folder: PurePath) -> bool:
        return self.files != [] and PurePath(self.files[-1]).parent == folder

    def fault(self) -> str:
        """Wait until it has ended; return what is wrong with that."""
        self.connection.close()
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        os.close(self.ending)
        if code == self.has_failed:
            return ""
        tail = self._output.read_text("utf-8", "replace").splitlines()[-TAIL:]
        return "\n".join((*tail, "", f"the process of these tests ended with exit code {code}"))


class Reporter:
    """Hands out the files, and reports what comes back as if this process had run them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._level = config.getoption("markexpr")
        self._tables: dict[str, dict[str, int]] = json.loads(config.getoption("seconds").read_text("utf-8"))
        self._workers: list[WorkerProcess] = []
        self._left: list[str] = []
        self._never_lost: dict[str, bool] = {}
        self._is_quiet = False
        self._progress = Progress(config, {})

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the tests; a worker that is forked here leaves as pytest leaves when it has run them itself."""
        if session.testsfailed or self._config.option.collectonly:
            return None  # as ever
        files: Files = {}
        for item in session.items:
            files.setdefault(item.nodeid.partition("::")[0], []).append(item)
        self._left = [*files]
        self._progress = Progress(self._config, files)
        for number in range(min(self._config.getoption("processes"), len(files))):
            if forked := self._forked(number):
                self._config.pluginmanager.register(forked)
                forked.run(files)
                return True
        try:
            self._receive_all(session)
        finally:
            faults = [worker.fault() for worker in self._workers]
        for worker, fault in zip(self._workers, faults, strict=True):
            if fault:
                self._report_crash(worker, fault)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        return True

    def _forked(self, number: int) -> Worker | None:
        """Fork; return a worker in the new process, and nothing in this one."""
        # Private: pytest has no public way to give a forked process a temporary folder of its own.
        temporary = self._config._tmp_path_factory  # type: ignore[attr-defined]
        shared: Path = temporary.getbasetemp()
        own = shared / f"worker{number}"
        own.mkdir()
        output = own.with_suffix(".txt")
        connection, reporter = Pipe()
        if pid := os.fork():
            reporter.close()
            self._workers.append(WorkerProcess(pid, connection, output))
            return None
        for each in (connection, *(worker.connection for worker in self._workers)):
            each.close()
        temporary._basetemp = own
        os.environ |= {"SHARED_TEMP": str(shared), "SKIPPED_TESTS": ""}  # which the reporter writes
        self._config.option.verbose = 1
        capture: Any = self._config.pluginmanager.get_plugin("capturemanager")
        capture.stop_global_capturing()
        with output.open("wb", buffering=0) as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        capture.start_global_capturing()
        capture.suspend_global_capture()
        for name in (Reporter.__name__, "lfplugin", "nfplugin"):  # which write what the reporter writes
            if self._config.pluginmanager.has_plugin(name):
                self._config.pluginmanager.unregister(name=name)
        return Worker(self._config, reporter)

    def _receive_all(self, session: pytest.Session) -> None:
        running = [*self._workers]
        while running:
            ready = wait([each for worker in running for each in (worker.connection, worker.ending)])
            for worker in [*running]:
                try:
                    if worker.connection in ready:
                        self._receive(worker.connection.recv(), worker, session)
                    elif worker.ending in ready:
                        running.remove(worker)
                except (EOFError, ConnectionError):
                    running.remove(worker)

    def _receive(self, message: Any, worker: WorkerProcess, session: pytest.Session) -> None:
        if message is None:
            file = "" if session.shouldfail else self._next(worker)
            worker.connection.send(file)
            return
        test, seconds, serialized = message
        reports = [
            self._config.hook.pytest_report_from_serializable(config=self._config, data=each) for each in serialized
        ]
        self._is_quiet = True
        for report in reports:
            if report.failed:
                worker.has_failed = True
                self._never_lost[test] = "never_lost" in report.keywords
            self._config.hook.pytest_runtest_logreport(report=report)
        self._is_quiet = False
        self._progress.note(test, seconds, reports)

    def _next(self, worker: WorkerProcess) -> str:
        seconds = self._tables.get(self._level, {})

        def worth(file: str) -> tuple[int, bool, bool]:
            folder = PurePath(file).parent
            return seconds.get(file, 0), worker.has_run(folder), not any(each.has_run(folder) for each in self._workers)

        if not self._left:
            return ""
        file = max(self._left, key=worth)
        self._left.remove(file)
        worker.files.append(file)
        return file

    def _report_crash(self, worker: WorkerProcess, fault: str) -> None:
        for file in [file for file in worker.files if self._progress.left[file]] or ["what ran last"]:
            self._never_lost[file] = True
            self._config.hook.pytest_collectreport(report=pytest.CollectReport(file, "failed", fault, []))

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, Any, Any]:
        """Count a test as ever, and print nothing for it when it has ended."""
        category, letter, word = yield
        return (category, "", "") if self._is_quiet else (category, letter, word)

    def pytest_sessionfinish(self) -> None:
        """Write which tests may run again, and how long each file took."""
        file: Path | None = self._config.getoption("repeatable")
        if file and len(self._never_lost) <= FEW and not any(self._never_lost.values()):
            file.write_text("".join(f"{test}\n" for test in self._never_lost), "utf-8")
        if self._config.getoption("note_seconds"):
            self._tables[self._level] = self._progress.slow_files()
            text = json.dumps(self._tables, indent=1, sort_keys=True)
            self._config.getoption("seconds").write_text(f"{text}\n", "utf-8")


class Progress:
    def __init__(self, config: pytest.Config, files: Files) -> None:
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        assert isinstance(terminal, pytest.TerminalReporter)
        self._terminal = terminal
        self.left = {file: len(items) for file, items in files.items()}
        self._outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def note(self, test: str, seconds: float, reports: list[pytest.TestReport]) -> None:
        """Count a test; after the last one of a file print its line."""
        file = test.partition("::")[0]
        outcomes = self._outcomes[file]
        self._seconds[file] += seconds
        outcomes.update(each.outcome if each.when == "call" or each.skipped else "error" for each in reports)
        self.left[file] -= 1
        if not self.left[file]:
            done = sum(not left for left in self.left.values())
            counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
            self._terminal.write_line(f"{done:4}/{len(self.left)} {file}: {counts} ({self._seconds[file]:.1f} s)")

    def slow_files(self) -> dict[str, int]:
        return {file: round(seconds) for file, seconds in self._seconds.items() if seconds >= LONG}
