"""What a program tells of its work: kept with its entry, bounded, and never a reason for the emulator to fail."""

from typing import Any

import msgspec
import pytest

from tests.support.emulator import Emulator, Json, SealedProgram
from wwspec_devtools.emulator.state.traffic.record import Traffic

KEPT_TRACES, MAX_FRAMES, MAX_LINES, MAX_TEXT = 16, 100, 200, 16 * 1024
LONG = "x" * (MAX_TEXT + 1)


@pytest.fixture
def event(emulator: Emulator, program: SealedProgram) -> Json:
    """A recorded event: its number and its reference."""
    emulator.receive_events()
    number = emulator.fire("hit_keyword")["number"]
    return {"number": number, "reference": program.calls[0].request_id}


def shown(emulator: Emulator, event: Json) -> Json:
    """Return the event as the page gets it."""
    found: Json = emulator.http.get(f"/emulator/traffic/{event['number']}").json()["entry"]
    return found


def send(emulator: Emulator, body: bytes) -> None:
    assert emulator.http.post("/emulator/traces", content=body).status_code == 204


def send_traces(emulator: Emulator, event: Json, *traces: Json) -> None:
    usual = {"reference": event["reference"], "kind": "job", "outcome": "postponed", "milliseconds": {"total": 1}}
    send(emulator, msgspec.json.encode([usual | trace for trace in traces]))


def frame(line: int) -> Json:
    return {"file": LONG, "line": line, "function": LONG, "code": LONG, "own": True}


def test_code_that_fails_for_good_makes_its_event_red(emulator: Emulator, event: Json) -> None:
    send_traces(emulator, event, {"kind": "event", "outcome": "ok"}, {"attempt": 1})

    def judged() -> list[Any]:
        return [shown(emulator, event)[name] for name in ("verdict", "attempts")]

    assert judged() == ["postponed", 1]
    send_traces(emulator, event, {"attempt": 2, "outcome": "failed"})
    assert judged() == ["failed", 2]
    send_traces(emulator, event, {"attempt": 3, "outcome": "ok"})
    assert judged() == ["ok", 3]
    assert "reference" not in shown(emulator, event)["traces"][0]


def test_what_is_of_no_entry_or_can_not_be_read_is_dropped(emulator: Emulator, event: Json, traffic: Traffic) -> None:
    before = traffic.kept
    send_traces(emulator, {"reference": "somebody else's"}, {}, {})
    assert traffic.kept == before
    assert shown(emulator, event)["traces"] == []
    good = {"reference": event["reference"], "kind": "job", "outcome": "ok", "milliseconds": {"total": 1}}
    deep = b"[" * 100_000
    for body in (b"", b"{", b"[", b"\xff", b"{}", b"[1, null]", deep, b"[" + deep + b"]"):
        send(emulator, body)
    malformed: Json = {"kind": "other", "outcome": "?", "milliseconds": {}, "lines": [1], "failure": "none"}
    for name, value in (*malformed.items(), ("reference", ""), ("reference", LONG)):
        send(emulator, msgspec.json.encode([good | {name: value}]))
    assert shown(emulator, event)["traces"] == []
    send(emulator, msgspec.json.encode([{**good, "kind": "other"}, {**good, "attempt": 7}]))
    assert [trace["attempt"] for trace in shown(emulator, event)["traces"]] == [7]


def test_long_texts_many_lines_and_many_frames_are_cut(emulator: Emulator, event: Json) -> None:
    lines = [{"at": number, "level": LONG, "text": LONG} for number in range(MAX_LINES + 3)]
    frames = [frame(number) for number in range(MAX_FRAMES + 2)]
    send_traces(emulator, event, {"errmsg": LONG, "failure": {"name": LONG, "text": LONG, "frames": frames}})
    send_traces(
        emulator, event, {"lines": lines[:2]}, {"lines": [{**line, "level": "INFO", "text": ""} for line in lines]}
    )
    crashed, few, many = shown(emulator, event)["traces"]
    assert len(crashed["errmsg"]) == len(crashed["failure"]["name"]) == len(crashed["failure"]["text"]) == MAX_TEXT
    assert [each["line"] for each in crashed["failure"]["frames"]] == list(range(2, MAX_FRAMES + 2)), "the innermost"
    for each in crashed["failure"]["frames"]:
        assert len(each["file"]) == len(each["function"]) == len(each["code"]) == MAX_TEXT
    assert [len(line["text"]) for line in few["lines"]] == [len(line["level"]) for line in few["lines"]]
    assert len(few["lines"][0]["text"]) == MAX_TEXT
    assert (len(many["lines"]), many["lines_left_out"]) == (MAX_LINES, 3)


def test_the_first_and_the_latest_of_many_attempts_are_kept(emulator: Emulator, event: Json) -> None:
    attempts = range(1, KEPT_TRACES + 6)
    send_traces(emulator, event, *({"attempt": number} for number in attempts))
    found = [trace["attempt"] for trace in shown(emulator, event)["traces"]]
    assert found == [1, *attempts[-KEPT_TRACES + 1 :]]


def test_traces_count_as_bytes_of_the_record(emulator: Emulator, event: Json, traffic: Traffic) -> None:
    before = traffic.kept.bytes
    failure = {"name": LONG, "text": LONG, "frames": [frame(1)]}
    for attempt in range(KEPT_TRACES):
        send_traces(emulator, event, {"attempt": 10 + attempt, "failure": failure})
    full = traffic.kept.bytes
    assert full - before > KEPT_TRACES * MAX_TEXT * 5
    send_traces(emulator, event, {"attempt": 99, "failure": failure})
    assert traffic.kept.bytes == full, "one more takes the place of another"
