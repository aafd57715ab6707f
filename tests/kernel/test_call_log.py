"""The line of one call: why it was refused, and the id that the platform gave it."""

import logging

import pytest

from tests.support.sdk import MemorySdk
from tests.support.tables import for_each
from wwspec_router.envelope import Call
from wwspec_router.kernel.call_log import CALLS, CallLog
from wwspec_router.kernel.measured_sdk import Measure, MeasuredSdk, Refused
from wwspec_router.sdk.base import SealedReply

CALL = Call(corpid="corp", agentid=1, call_type=1, ability_id="any", data="{}")


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
    caplog.set_level(logging.INFO, CALLS)
    measure = Measure(CALL)
    measure.reply, measure.refused = '{"errmsg":"no such order"}', refused
    CallLog(MeasuredSdk(MemorySdk(is_emulated=True))).write(measure, errcode, 0.5, 1, 2, label="any")
    text = caplog.records[-1].getMessage()
    assert " ".join(text.split()).endswith(f"corp/1 {reason}".rstrip())
    assert (f"errcode {errcode}" if errcode else "  ok  ") in text


def test_a_line_has_milliseconds_of_the_call_and_of_the_sdk(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, CALLS)
    measure = Measure(CALL)
    measure.seconds = 0.25
    CallLog(MeasuredSdk(MemorySdk())).write(measure, 0, 0.75, 1, 2, label="any")
    assert " ms=750.0 sdk_ms=250.0 " in caplog.records[-1].getMessage()


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
