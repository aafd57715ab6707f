"""Tasks of a working day in a terminal in the application's folder, where `wwspec` finds the emulator by itself."""

import json
import signal
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.failing_app import failing_app
from tests.support.waiting import DEADLINE, wait_until
from tests.support.working_day import CRASHED, fail, run_written_test
from tests.support.zones import forked_child, serve_zone
from wwspec_devtools.cli.dev_note import DevNote, keep_note
from wwspec_devtools.testing.zone import Zone
from wwspec_router.cli.main import main


def wwspec(*arguments: str) -> str:
    """Run a command, and return what it prints on standard output."""
    return CliRunner().invoke(main, arguments, env={"NO_COLOR": "1"}).stdout


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zone]:
    """A program and an emulator, noted in the folder as `wwspec dev` does."""
    folder = failing_app(tmp_path_factory.mktemp("app"))
    with serve_zone(folder, serve=("--retry-pause", "0.5")) as zone, chdir(folder):
        with keep_note(folder, DevNote(zone.client.url, "")):
            yield zone


@pytest.fixture(autouse=True)
def nothing_has_happened(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WWSPEC_EMULATOR_URL", "WWSPEC_APP"):
        monkeypatch.delenv(name, raising=False)
    zone.client.reset()


def first_number(printed: str, text: str) -> str:
    """Return the number of the first line of a table that has a text."""
    return next(line for line in printed.splitlines() if text in line).split()[0]


def test_a_call_is_repeated_with_another_value_and_becomes_a_test(zone: Zone, tmp_path: Path) -> None:
    fail(zone)
    failed = first_number(wwspec("zone", "traffic", "--failed", "--kind", "call", "--table"), "total")
    assert json.loads(wwspec("zone", "replay", failed, "--data", '{"text": "7"}'))["sum"] == 7
    newest = first_number(wwspec("zone", "traffic", "--kind", "call", "--since", failed, "--table"), "total")
    written = wwspec("zone", "test", newest)
    assert '"text": "7"' in written
    assert '"sum": 7' in written
    run_written_test(written, tmp_path, zone)


def test_what_the_app_got(zone: Zone) -> None:
    fail(zone)
    calls = wwspec("zone", "traffic", "--kind", "app", "--table")
    got = wwspec("zone", "show", first_number(calls, "total"), "--all").partition("\nreply\n")[2]
    assert rf'"response_data": "{{\"errcode\":{CRASHED},\"errmsg\":\"internal error ' in got


def test_a_job_is_watched_while_it_retries_and_fails_for_good(zone: Zone, tmp_path: Path) -> None:
    zone.call("recent").raise_for_error()
    output = tmp_path / "output"
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
