"""The line of one call: times and sizes in their units, the platform's id, and only when it is wanted."""

import logging
from threading import Event
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.sdk import MemorySdk
from tests.support.tables import for_each
from wwspec_contracts.call_type import CallType
from wwspec_router.envelope import Call
from wwspec_router.kernel.call_log import CALLS, CallLog
from wwspec_router.kernel.measured_sdk import Measure, MeasuredSdk, Refused
from wwspec_router.sdk.base import SealedReply

CALL = Call(corpid="corp", agentid=1, call_type=1, ability_id="any", data="{}")
EVENT = Call(corpid="corp", agentid=1, call_type=CallType.EVENT, ability_id="", data='{"event_type":"hit_keyword"}')


def written(
    caplog: pytest.LogCaptureFixture,
    measure: Measure | None,
    errcode: int = 0,
    sizes: tuple[int, int] = (1, 2),
    **more: Any,
) -> tuple[dict[str, Any], str]:
    """Write the line of a call that took half a second; return its fields and its text for people."""
    caplog.set_level(logging.INFO, CALLS)
    CallLog(MeasuredSdk(MemorySdk(is_emulated=True))).write(measure, errcode, 0.5, *sizes, label="any", **more)
    record = caplog.records[-1]
    return record.__dict__["call"].fields, record.getMessage()


def test_times_are_milliseconds(caplog: pytest.LogCaptureFixture) -> None:
    measure = Measure(CALL)
    measure.timed(lambda: Event().wait(0.02))
    fields, text = written(caplog, measure)
    assert (fields["ms"], fields["sdk_ms"]) == (500.0, round(measure.seconds * 1000, 3))
    assert f"  500.0 ms  SDK {measure.seconds * 1000:>7.1f} ms" in text


@for_each(
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_000, "999.0 kB"), (1_000_000, "1.0 MB")]
    + [(1_050_001, "1.1 MB"), (2_549_999, "2.5 MB")]
)
def test_sizes_are_for_people(size: int, shown: str, caplog: pytest.LogCaptureFixture) -> None:
    fields, text = written(caplog, Measure(CALL), sizes=(size, 5))
    assert (fields["bytes_in"], fields["bytes_out"]) == (size, 5)
    assert f"{shown:>7} in      5 B out" in text


@for_each(
    [
        (CALL, {}, "call", "any"),
        (replace(CALL, is_async=True), {}, "async", "any"),
        (CALL, {"is_job": True}, "job", "any"),
        (EVENT, {}, "event", "hit_keyword"),
        (replace(EVENT, data="no event"), {}, "event", ""),
        (None, {}, "?", "(not decoded)"),
    ]
)
def test_a_line_says_what_was_called(
    call: Call | None, more: dict[str, Any], kind: str, ability: str, caplog: pytest.LogCaptureFixture
) -> None:
    fields, _ = written(caplog, None if call is None else Measure(call), **more)
    assert (fields["kind"], fields["ability"]) == (kind, ability)


@for_each(
    [
        (0, None, ""),
        (7001, None, "no such order"),
        (7001, Refused(45009, "too often", "sync_msg"), "no such order; sync_msg was refused with 45009: too often"),
        (45009, Refused(45009, "too often", "sync_msg"), "no such order"),
        (0, Refused(45009, "too often", "sync_msg"), "sync_msg was refused with 45009: too often"),
    ]
)
def test_a_line_says_why_a_call_was_refused(
    errcode: int, refused: Refused | None, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    measure = Measure(CALL)
    measure.reply, measure.refused = '{"errmsg":"no such order"}', refused
    _, text = written(caplog, measure, errcode)
    assert " ".join(text.split()).endswith(f"corp/1 {reason}".rstrip())
    assert (f"errcode {errcode}" if errcode else "  ok  ") in text


@pytest.mark.parametrize(
    ("errcode", "ending", "lines"), [(0, "", 0), (7001, "", 1), (0, "the app has gone", 1)], ids=["ok", "fails", "ends"]
)
def test_a_call_that_is_made_again_and_again_has_a_line_only_when_it_fails(
    caplog: pytest.LogCaptureFixture, errcode: int, ending: str, lines: int
) -> None:
    caplog.set_level(logging.INFO, CALLS)
    calls = CallLog(MeasuredSdk(MemorySdk()), quiet=["any"])
    calls.write(Measure(CALL), errcode, 0.5, 1, 2, label="any", ending=ending)
    calls.write(Measure(CALL), 0, 0.5, 1, 2, label="other")
    assert len(caplog.records) == lines + 1


class TellingSdk(MemorySdk):
    """An SDK whose replies carry a header."""

    header = ""

    def encode(self, text: str) -> SealedReply:
        return SealedReply(headers={self.header: "of-the-reply"}, body=text)


@pytest.mark.parametrize("name", ["ww-request-id", "ww-req-id", "ww-spec-requestid", "ww-reqid", "ww-zone-request-id"])
def test_the_request_id_comes_from_a_header_of_the_request_or_else_of_the_reply(name: str) -> None:
    sdk = TellingSdk(decoded={"body": CALL})
    sdk.header = name.title()
    for headers, request_id in ([(name, "of-the-request")], "of-the-request"), ([("ww-kind", "call")], "of-the-reply"):
        measured = MeasuredSdk(sdk)
        measure = measured.begin()
        measured.decode(headers, "body")
        measured.encode("{}")
        assert measure.request_id == request_id


@for_each(["x-request-id", "ww-signature", "ww-grid", "request-id", "ww-request-id-kind"])
def test_other_headers_tell_no_request_id(name: str) -> None:
    measured = MeasuredSdk(MemorySdk(decoded={"body": CALL}))
    measure = measured.begin()
    measured.decode([(name, "a-secret")], "body")
    assert measure.request_id == ""
    measured.decode([(name, "a-secret"), ("ww-request-id", "1_1")], "body")
    assert measure.request_id == "1_1"
