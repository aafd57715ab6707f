"""What is measured of a call beside its time: what the SDK's module and its headers tell."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.sdk import MemorySdk
from wwspec_router.envelope import Call
from wwspec_router.sdk.base import SealedReply
from wwspec_router.sdk.measured import Measure, MeasuredSdk
from wwspec_router.sdk.vendor import VendorSdk

CALL = Call(corpid="corp", agentid=1, call_type=1, ability_id="any", data="{}")


class TellingSdk(MemorySdk):
    """An SDK whose replies carry a header."""

    header = ""

    def encode(self, text: str) -> SealedReply:
        return SealedReply(headers={self.header: "of-the-reply"}, body=text)


@pytest.mark.parametrize("name", ["ww-request-id", "ww-req-id", "ww-spec-requestid", "ww-reqid", "ww-zone-request-id"])
def test_the_request_id_comes_from_a_header_of_the_request_or_else_of_the_reply(name: str) -> None:
    sdk = TellingSdk(decoded={"body": CALL})
    sdk.header = name.title()
    for headers, request_id in (
        ([(name, "of-the-request")], "of-the-request"),
        ([("ww-kind", "call")], "of-the-reply"),
    ):
        measured, measure = MeasuredSdk(sdk), Measure()
        measured.begin(measure)
        measured.decode(headers, "body")
        measured.encode("{}")
        assert measure.request_id == request_id


@pytest.mark.parametrize("name", ["x-request-id", "ww-signature", "ww-grid", "request-id", "ww-request-id-kind"])
def test_other_headers_tell_no_request_id(name: str) -> None:
    measured, measure = MeasuredSdk(MemorySdk(decoded={"body": CALL})), Measure()
    measured.begin(measure)
    measured.decode([(name, "a-secret")], "body")
    assert measure.request_id == ""
    measured.decode([(name, "a-secret"), ("ww-request-id", "1_1")], "body")
    assert measure.request_id == "1_1"


@pytest.mark.parametrize(
    ("attributes", "version"),
    [
        ({}, ""),
        ({"__version__": "1.2.3"}, "1.2.3"),
        ({"VERSION": "1.2.3"}, "1.2.3"),
        ({"version": lambda: "1.2.3"}, ""),
        ({"__version__": (1, 2), "VERSION": "1.2"}, "1.2"),
        ({"__version__": "1\n2" * 40}, "1\\n2" * 10 + "1\\n…"),
    ],
)
def test_the_version_is_the_first_text_that_the_module_says_of_it(attributes: dict[str, Any], version: str) -> None:
    names = ("WWToSpecHTTPReqDecoder", "WWToSpecHTTPRspConstructor", "ChatDataSDK")
    assert VendorSdk(SimpleNamespace(**dict.fromkeys(names), **attributes)).version == version
