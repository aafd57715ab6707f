"""`wwspec zone tail`: what an emulator does, as it happens, in a terminal."""

import json
import signal
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.emulator import serving, url_of
from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import forked_child
from wwspec_devtools.cli.tail import Lines, json_lines
from wwspec_devtools.emulator.http.app import create_app
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.http.reading import StreamEvent
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.testing.app import App

ROW: dict[str, Any] = {
    "number": 1,
    "kind": "call",
    "name": "echo",
    "ability": "echo",
    "parent": None,
    "time_ms": 1_750_000_000_123,
    "duration_ms": 1.25,
    "verdict": "ok",
    "reason": ["", ""],
    "faults": [],
    "attempts": 0,
}


def shown(*rows: dict[str, Any], missed: int = 0) -> list[str]:
    """Return the lines about rows; each is given by what is different from `ROW`."""
    event = StreamEvent("entries", {"rows": [{**ROW, **row} for row in rows], "first": 1, "missed": missed}, "")
    return list(Lines().of(event))


@pytest.fixture(autouse=True)
def no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def test_a_line_says_what_went_wrong() -> None:
    [line] = shown({"verdict": "failed", "reason": ["input $.a: no \x1b[2J", ""], "faults": ["fault_1"]})
    assert line.endswith(r"  failed: input $.a: no \x1b[2J  fault_1")
    assert shown({"verdict": "postponed", "attempts": 2})[0].endswith("postponed  attempt 2 failed, runs again")
    assert shown({"verdict": "under way", "duration_ms": None})[0].endswith("under way")
    assert shown({"kind": "app"}, missed=3)[0] == "-- 3 entries came too fast to be shown"


def test_nothing_that_is_printed_steers_a_terminal_or_changes_in_a_pipe() -> None:
    [line] = shown({"name": "a\x1b[2J\u202eb\n", "kind": "app", "ability": "\x07"})
    assert line.isprintable()
    assert r"a\x1b[2J\u202eb\n" in line
    row = {**ROW, "name": "a\x1b[2J\u202eb\x7f\U000e0001", "ability": "名字\u3000echo"}
    [line] = json_lines(StreamEvent("entries", {"rows": [row], "first": 1, "missed": 0}, ""))
    assert r"a\u001b[2J\u202eb\u007f\udb40\udc01" in line
    assert "名字\u3000echo" in line
    assert json.loads(line) == row


@pytest.mark.slow  # an emulator is started twice, and tail looks for it again every few seconds
def test_tail_follows_an_emulator_that_is_started_again_and_ends_quietly(tmp_path: Path) -> None:
    output = tmp_path / "output"
    bound = socket.create_server(("127.0.0.1", 0))  # which can be bound again once it is closed
    url, port = url_of(bound), bound.getsockname()[1]
    with ExitStack() as stack:
        with serving(create_app(EmulatorSettings(messages=0)), bound), EmulatorClient(url) as client:
            app = App(client)
            app.client.access_token()
            child = forked_child(["zone", "tail", "--json", "--kind", "app", "--url", url], output=output)
            stack.callback(child.stop)
            wait_until(lambda: "gettoken" in output.read_text())
            app.call("echo")
            wait_until(lambda: "sync_call_program" in output.read_text())
        wait_until(lambda: "waiting for the emulator" in output.read_text())
        bound = socket.create_server(("127.0.0.1", port))
        with serving(create_app(EmulatorSettings(messages=0)), bound), EmulatorClient(url) as client:
            client.receive_events()
            wait_until(lambda: "set_receive_callback" in output.read_text())
            child.process.send_signal(signal.SIGINT)
            assert child.process.wait(DEADLINE) == 0
    lines = output.read_text().splitlines()
    rows = [json.loads(line) for line in lines if line.startswith("{")]
    assert {row["kind"] for row in rows} == {"app"}
    assert len(lines) - len(rows) == 1, "one line says that the emulator is gone, and none that tail was interrupted"
