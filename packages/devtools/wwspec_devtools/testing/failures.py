"""Adds to the report of a failed test what its zone exchanged during the test, and what the program logged.

Part of the pytest plugin, so every session of pytest imports it. It imports the zone only when a test has one.
"""

import logging
import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import pytest

from wwspec_contracts.errors import WWSpecError

if TYPE_CHECKING:
    from wwspec_devtools.testing.zone import Zone

SHOWN_ENTRIES = 20
"""Exchanges of a test that are shown, the latest ones; the emulator's record has more."""
SHOWN_LINES = 40
"""Lines that are shown of one request or reply, and of the log."""

_TITLE = "zone: requests and replies of this test, and the log of the program"


class FailureReports:
    """Adds a section to the report of a failed test for each zone that the test got as a fixture."""

    def __init__(self) -> None:
        self._read: WeakKeyDictionary[Zone, tuple[int, int, int]] = WeakKeyDictionary()
        """Where traffic and log of each zone ended with the last test: resets, an entry's number, and characters."""
        self._log = _Log()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Keep the log of a program within this process while a test runs."""
        root = logging.getLogger()
        self._log.lines.clear()
        root.addHandler(self._log)
        try:
            return (yield)
        finally:
            root.removeHandler(self._log)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a test that did not read the answer of a refused call."""
        result = yield
        if unseen := [refusal for zone in _zones(item) for refusal in zone.unseen_refusals()]:
            lines = "\n".join(unseen)
            pytest.fail(f"a call was refused, and the test did not look at its answer:\n{lines}", pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: "pytest.CallInfo[None]"
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add the sections, while the zones are still there."""
        report = yield
        if report.when == "call" or (report.when == "setup" and report.failed):
            for zone in _zones(item):
                news = self._news(zone, shown=report.failed)
                if report.failed and (text := "\n".join(news)):
                    report.sections.append((_TITLE, text))
        return report

    def _news(self, zone: "Zone", *, shown: bool) -> list[str]:
        """Return lines about what is new since the last test; none unless they are shown, but it is not new again."""
        resets, number, characters = self._read.get(zone, (0, 0, 0))
        if resets != zone.client.resets:  # the numbers begin anew
            number = 0
        ended, exchanges = list[str](), list[str]()
        try:
            entries, log = zone.client.traffic(number, bodies=shown), zone.program_log()
            exchanges += _shown_traffic(zone, entries) if shown else ()
        except (WWSpecError, RuntimeError, OSError) as error:  # the test has ended the emulator, or closed the zone
            ended, entries, log = [f"the zone has ended: {error}"], [], ""
        self._read[zone] = (zone.client.resets, entries[-1]["number"] if entries else number, len(log))
        if not shown:
            return []
        lines = [*self._log.lines, *log[characters:].splitlines()]
        return [*ended, *exchanges, *_cut(lines, at_end=True)]


class _Log(logging.Handler):
    """Keeps the lines that a program within this process logs at level WARNING and above, with tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("wwspec_"):
            self.lines += self.format(record).splitlines()


def _zones(item: pytest.Item) -> "list[Zone]":
    """Return the zones among a test's fixtures, each once."""
    if (module := sys.modules.get("wwspec_devtools.testing.zone")) is None:
        return []
    fixtures: dict[str, Any] = getattr(item, "funcargs", {})
    return list({id(each): each for each in fixtures.values() if isinstance(each, module.Zone)}.values())


def _shown_traffic(zone: "Zone", entries: list[dict[str, Any]]) -> Iterator[str]:
    """Yield lines about exchanges. A call that an app's API passes on is shown once, as the call of the program."""
    from wwspec_devtools.emulator.http.summary import reported_entry, summary  # here, since most tests don't fail

    shown, reports = [entry for entry in entries if entry["kind"] != "app" or entry["outcome"] != "ok"], True
    if left_out := len(shown[:-SHOWN_ENTRIES]):
        yield f"... {left_out} earlier ones; `zone.client.traffic()` has them"
    for entry in shown[-SHOWN_ENTRIES:]:
        indent = "    " if entry["kind"] == "sdk" else ""
        if entry["verdict"] == "failed" and entry["kind"] in ("call", "event", "callback"):
            whole = reported_entry(zone.client, entry["number"]) if reports else zone.client.entry(entry["number"])
            reports = reports and bool(whole["traces"])  # else one wait is enough
            head, *lines = summary(zone.client, whole, leave_out=("asked", "got", "next", "page"))
            yield f"{entry['kind']} {head}"
            yield from (f"  {line}" for line in lines)
        else:
            ended = ": ".join(filter(None, (entry["verdict"], entry["reason"][0])))
            yield f"{indent}{entry['kind']} {entry['name']}: {ended}"
        for side in ("request", "reply"):
            yield from (f"{indent}    {line}" for line in _shown_json(side, entry[side]))


def _shown_json(side: str, value: Any) -> Iterator[str]:
    import json  # when it is needed: most tests don't fail

    if value == "":
        return
    first, *rest = json.dumps(value, ensure_ascii=False, indent=2).splitlines()
    yield from _cut([f"{side} {first}", *rest], at_end=False)


def _cut(lines: list[str], *, at_end: bool) -> Iterator[str]:
    """Yield the first lines of a text, or the last ones, and how many are left out."""
    if len(lines) <= SHOWN_LINES:
        yield from lines
    elif at_end:
        yield f"... {len(lines) - SHOWN_LINES} lines"
        yield from lines[-SHOWN_LINES:]
    else:
        yield from lines[:SHOWN_LINES]
        yield f"... {len(lines) - SHOWN_LINES} more lines"
