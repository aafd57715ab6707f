"""The stream of what happens: server-sent events that go on after a pause, a reset and a slow reader."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.emulator.conftest import record_exchanges
from tests.support.emulator import Emulator
from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import running_child
from wwspec_devtools.emulator.http import stream
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.http.reading import StreamEndedError, StreamEvent
from wwspec_devtools.emulator.state.traffic.record import Traffic
from wwspec_devtools.testing.app import App

STREAM = b"GET /emulator/stream HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


def until(events: Iterator[StreamEvent], condition: Callable[[StreamEvent], object]) -> list[StreamEvent]:
    """Return events up to the first one that meets the condition."""
    found = []
    for event in events:
        found.append(event)
        if condition(event):
            return found
    raise AssertionError("the stream ended")


def has(name: str, outcome: str = "ok") -> Callable[[StreamEvent], bool]:
    """Tell whether an event has the row of an exchange that ended so."""
    return lambda event: (
        event.name == "entries" and any((row["name"], row["outcome"]) == (name, outcome) for row in event.data["rows"])
    )


def numbers(events: list[StreamEvent]) -> list[int]:
    return [row["number"] for event in events if event.name == "entries" for row in event.data["rows"]]


def test_a_reader_is_told_the_state_and_then_whatever_changes(client: EmulatorClient, app: App) -> None:
    app.client.access_token()
    with closing(client.stream()) as events:
        first = until(events, has("gettoken"))
        assert [event.name for event in first] == ["hello", "clock", "faults", "program", "entries"]
        hello, clock, faults, program, entries = (event.data for event in first)
        assert (hello["version"], hello["goes_on"]) == (1, False)
        assert clock == {"now_ms": 1_750_000_000_000, "running": False, "ahead_ms": 0}
        assert faults == {"faults": []}
        assert (program["state"], program["receives_events"]) == ("unknown", False)
        assert (entries["first"], entries["missed"]) == (1, 0)
        app.call("echo")
        until(events, has("echo"))
        fault_id = client.add_fault("app", "errcode", value=-1)
        [fault] = until(events, lambda event: event.name == "faults")[-1].data["faults"]
        assert fault["id"] == fault_id
        client.advance(60)
        clock = until(events, lambda event: event.name == "clock" and event.data["now_ms"] > 1_750_000_059_000)[-1].data
        assert clock["now_ms"] == 1_750_000_060_000
        client.point_to("http://127.0.0.1:1")
        until(events, lambda event: event.name == "program" and event.data["url"] == "http://127.0.0.1:1")
        client.clear_faults()
        app.call("echo")
        until(events, lambda event: event.name == "program" and event.data["state"] == "down")


def test_a_reader_goes_on_after_the_last_event_that_it_has(client: EmulatorClient, app: App) -> None:
    app.call("echo")
    with closing(client.stream()) as events:
        seen = until(events, has("sync_call_program"))
    app.call("second")
    with closing(client.stream(last_id=seen[-1].id)) as events:
        news = until(events, has("sync_call_program"))
    assert news[0].data["goes_on"] is True
    assert numbers(seen) == [1, 3, 2], "in the order of their last changes"
    assert sorted(set(numbers(news))) == [4, 5]
    with closing(client.stream(since=4)) as events:
        assert numbers(until(events, has("second"))) == [5]
    with closing(client.stream(kinds=["call"], ability="second")) as events:
        assert numbers(until(events, has("second"))) == [5]


@pytest.mark.parametrize("last_id", ["x", "deadbeef-3-3", "-", "a-b-c", "deadbeef-99999999999999999999-1"])
def test_a_reader_with_an_id_of_elsewhere_gets_everything(client: EmulatorClient, app: App, last_id: str) -> None:
    app.client.access_token()
    with closing(client.stream(last_id=last_id)) as events:
        received = until(events, has("gettoken"))
    assert received[0].data["goes_on"] is False


def test_a_reset_begins_a_new_session(client: EmulatorClient, app: App) -> None:
    app.call("echo")
    with closing(client.stream()) as events:
        [hello, *_] = until(events, has("sync_call_program"))
        client.reset()
        again = until(events, lambda event: event.name == "hello")[-1]
        assert again.data["goes_on"] is False
        assert again.data["session"] != hello.data["session"]
        app.client.access_token()
        assert numbers(until(events, has("gettoken"))) == [1]


@pytest.mark.parametrize("traffic", [50], indirect=True)
def test_a_slow_reader_costs_no_memory_and_learns_what_it_missed(client: EmulatorClient, traffic: Traffic) -> None:
    with closing(client.stream()) as events:
        record_exchanges(traffic, "first")
        received = until(events, has("first"))
        record_exchanges(traffic, *["many"] * 200, "last")
        received += until(events, has("last"))
    entries = [event.data for event in received if event.name == "entries"]
    assert entries[-1]["first"] == 153
    seen = set(numbers(received))
    assert len(seen) + sum(each["missed"] for each in entries) == 202
    assert seen >= set(range(153, 203))


def test_the_readers_are_limited_and_one_that_goes_leaves_nothing_behind(
    client: EmulatorClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = emulator.platform.changes
    wait_until(lambda: not changes._watchers)
    monkeypatch.setattr(stream, "MAX_READERS", 1)
    with closing(client.stream()) as events:
        until(events, lambda event: event.name == "program")
        assert changes._watchers
        with EmulatorClient(emulator.url) as another, closing(another.stream()) as refused:
            with pytest.raises(StreamEndedError, match="503: too many readers"):
                next(refused)
    wait_until(lambda: not changes._watchers)
    assert emulator.http.head("/emulator/stream").status_code == 200


def test_an_emulator_that_20_pages_watch_ends_by_ctrl_c(tmp_path: Path) -> None:
    with ExitStack() as stack:
        emulator = stack.enter_context(running_child(["emulate", "--port", "0"], output=tmp_path / "output"))
        address = httpx.URL(emulator.announced_url())
        pages = [stack.enter_context(socket.create_connection((address.host, address.port))) for _ in range(20)]
        for page in pages:
            page.sendall(STREAM)
            assert page.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        emulator.process.send_signal(signal.SIGINT)
        emulator.process.wait(DEADLINE)
        assert all(b"".join(iter(partial(page.recv, 1 << 16), b"")).endswith(b"0\r\n\r\n") for page in pages)
