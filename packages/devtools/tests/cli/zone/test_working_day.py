"""Tasks of a working day in a terminal in the application's folder, each within so many commands."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.failing_app import failing_app
from tests.support.tools import tool
from tests.support.waiting import DEADLINE, wait_until
from tests.support.working_day import CRASHED, fail, make_calls, run_written_test
from tests.support.zones import forked_child, serve_zone
from wwspec_devtools.cli.dev_note import DevNote, keep_note
from wwspec_devtools.testing.zone import Zone
from wwspec_router.cli.main import main


class Actions:
    """A person at the terminal; `count` is how many commands were typed."""

    def __init__(self) -> None:
        self.count = 0

    def wwspec(self, *arguments: str) -> str:
        """Run a command, and return what it prints on standard output."""
        self.count += 1
        return CliRunner().invoke(main, arguments, env={"NO_COLOR": "1"}).stdout

    def diff(self, one: str, other: str, folder: Path) -> str:
        """Compare two outputs that were kept in files."""
        self.count += 1
        for name, text in (("one", one), ("other", other)):
            (folder / name).write_text(text, "utf-8")
        return subprocess.run([tool("diff"), "one", "other"], cwd=folder, text=True, stdout=-1, check=False).stdout


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zone]:
    """A program and an emulator, noted in the folder as `wwspec dev` does."""
    folder = failing_app(tmp_path_factory.mktemp("app"))
    with serve_zone(folder, serve=("--retry-pause", "0.5")) as zone, chdir(folder):
        with keep_note(folder, DevNote(zone.client.url, "")):
            yield zone


@pytest.fixture
def person(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> Actions:
    """A person in that folder, when nothing has happened yet."""
    for name in ("WWSPEC_EMULATOR_URL", "WWSPEC_APP"):
        monkeypatch.delenv(name, raising=False)
    zone.client.reset()
    return Actions()


def first_number(printed: str, text: str) -> str:
    """Return the number of the first line of a table that has a text."""
    return next(line for line in printed.splitlines() if text in line).split()[0]


def test_why_a_call_failed(person: Actions, zone: Zone) -> None:
    fail(zone)
    failed = person.wwspec("zone", "traffic", "--failed", "--table")
    why = person.wwspec("zone", "show", first_number(failed, " call "))
    assert "failed: JSONDecodeError Expecting value" in why
    assert "return int(json.loads(text))" in why
    assert person.count <= 2


def test_a_call_is_repeated_with_another_value_and_becomes_a_test(person: Actions, zone: Zone, tmp_path: Path) -> None:
    fail(zone)
    failed = first_number(person.wwspec("zone", "traffic", "--failed", "--kind", "call", "--table"), "total")
    assert json.loads(person.wwspec("zone", "replay", failed, "--data", '{"text": "7"}'))["sum"] == 7
    newest = first_number(person.wwspec("zone", "traffic", "--kind", "call", "--since", failed, "--table"), "total")
    written = person.wwspec("zone", "test", newest)
    assert '"text": "7"' in written
    assert '"sum": 7' in written
    run_written_test(written, tmp_path, zone)
    assert person.count <= 6


def test_what_the_app_got(person: Actions, zone: Zone) -> None:
    fail(zone)
    calls = person.wwspec("zone", "traffic", "--kind", "app", "--table")
    got = person.wwspec("zone", "show", first_number(calls, "total"), "--all").partition("\nreply\n")[2]
    assert rf'"response_data": "{{\"errcode\":{CRASHED},\"errmsg\":\"internal error ' in got
    assert person.count <= 2


def test_two_old_replies_are_compared(person: Actions, zone: Zone, tmp_path: Path) -> None:
    for limit in (2, 5, 3, 4):
        zone.call("recent", {"limit": limit}).raise_for_error()
    calls = person.wwspec("zone", "traffic", "--kind", "call", "--table").splitlines()
    one, other = (person.wwspec("zone", "show", calls[at].split()[0], "--all") for at in (0, 2))
    difference = person.diff(one, other, tmp_path).splitlines()
    assert '<     "sum": 2' in difference
    assert '>     "sum": 3' in difference
    assert person.count <= 4


@pytest.mark.slow  # a thousand calls: 3 s, and more on a busy machine
def test_the_slowest_call_of_the_last_thousand(person: Actions, zone: Zone) -> None:
    make_calls(zone)
    slowest = person.wwspec("zone", "traffic", "--kind", "call", "--slowest", "1", "--table")
    [line] = slowest.splitlines()
    assert " recent " in line
    assert '"limit": 3' in person.wwspec("zone", "show", line.split()[0], "--all")
    assert person.count <= 2


def test_a_job_is_watched_while_it_retries_and_fails_for_good(person: Actions, zone: Zone, tmp_path: Path) -> None:
    zone.call("recent").raise_for_error()
    output = tmp_path / "output"
    person.count += 1
    child = forked_child(["zone", "tail", "--table"], output=output)
    try:
        wait_until(lambda: "recent" in output.read_text())  # it has begun to watch
        zone.fire("hit_keyword")
        wait_until(lambda: "  failed: ValueError no such group" in output.read_text())
        child.process.send_signal(signal.SIGINT)
        assert child.process.wait(DEADLINE) == 0
    finally:
        child.stop()
    assert "attempt 1 failed, runs again" in output.read_text()
    assert person.count <= 1
