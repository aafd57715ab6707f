import threading
from typing import Any

import pytest

from tests.support.kernel import Kernel, app_call
from tests.support.waiting import DEADLINE
from wwspec_contracts.call_type import CallType
from wwspec_contracts.errors import OverloadedError
from wwspec_router.envelope import Call
from wwspec_router.http1.answers import Answer
from wwspec_router.serving.calls import Exchange, PendingRequest


def refusal(errmsg: str) -> str:
    return f'{{"errcode":710660,"errmsg":"{errmsg}"}}'


@pytest.fixture
def exchange(kernel: Kernel) -> Exchange:
    kernel.sdk.decoded = {
        "a call": app_call("invoke_sync_msg"),
        "a quick call": app_call("chat_digest"),
        "an event": Call(corpid="corp", agentid=7, call_type=CallType.EVENT, data='{"event_type":"e"}'),
        "no event": Call(corpid="corp", agentid=7, call_type=CallType.EVENT, data="[]"),
        "\u4e2d": app_call("nope-\u4e2d"),
    }
    return Exchange(kernel.sdk, kernel.dispatcher)


def sent(answer: Answer) -> tuple[dict[bytes, bytes], bytes]:
    """Return headers and body; no header may come twice."""
    headers = dict(answer.headers)
    assert len(headers) == len(answer.headers)
    return headers, answer.body


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        ("a call", '{"errcode":0,"next_cursor":"\u4e2d"}'),
        ("an event", '{"errcode":0,"errmsg":"ok"}'),
        ("no event", refusal("input contract: an event is a JSON object with a string at $.event_type")),
        ("\u4e2d", refusal("unknown ability_id nope-\\\\u4e2d")),
    ],
)
def test_a_request_is_decoded_answered_and_sealed_under_the_normal_header(
    exchange: Exchange, kernel: Kernel, body: str, reply: str
) -> None:
    kernel.sdk.replies["sync_msg"] = '{"errcode":0,"next_cursor":"\u4e2d"}'
    headers, text = sent(exchange.answer(PendingRequest([("ww-x", "1")], body.encode())))
    assert text.decode() == reply
    assert headers == {b"ww-kind": b"normal", b"content-length": str(len(text)).encode()}


@pytest.mark.parametrize("body", [b"", b"another", b"\xff\xfe", b"\xed\xa0\x80"], ids=repr)
def test_what_does_not_decode_is_answered_under_the_exception_header(
    exchange: Exchange, kernel: Kernel, body: bytes
) -> None:
    for answer in (
        exchange.answer(PendingRequest([], body)),
        exchange.refuse(PendingRequest([], body), OverloadedError("busy")),
    ):
        headers, text = sent(answer)
        is_text = b"\xff" not in body and b"\xed" not in body
        said = "the request could not be verified or decrypted" if is_text else "the request's body is not UTF-8"
        assert text.decode() == refusal(said)
        assert headers == {b"ww-kind": b"exception", b"content-length": str(len(text)).encode()}
    assert kernel.sdk.calls == []


def test_a_request_learns_its_deadline_once_it_is_decoded(exchange: Exchange) -> None:
    quick, endless, event, lost = (
        PendingRequest([], body) for body in (b"a quick call", b"a call", b"an event", b"lost")
    )
    for request in (quick, endless, event, lost):
        exchange.answer(request)
    assert (quick.deadline.at, quick.deadline.limit) == (quick.arrived + 10.0, 10.0)
    assert [each.deadline.at for each in (endless, event, lost)] == [None, None, None]


def test_a_refusal_is_decoded_again_on_the_thread_that_seals_it(exchange: Exchange, kernel: Kernel) -> None:
    request, answers = PendingRequest([], b"a call"), []
    error = OverloadedError("too many calls at once")
    exchange.answer(request)
    thread = threading.Thread(target=lambda: answers.append(exchange.refuse(request, error)), name="refusing")
    thread.start()
    thread.join(DEADLINE)
    headers, body = sent(answers[0])
    assert body == b'{"errcode":710660,"errmsg":"too many calls at once"}'
    assert headers[b"ww-kind"] == b"normal"
    assert kernel.sdk.decoding_threads == [threading.current_thread().name, "refusing"]
    assert len(kernel.sdk.calls) == 1


class SealingError(Exception):
    """What an SDK may raise."""


@pytest.mark.parametrize(("body", "method"), [(b"a call", "encode"), (b"lost", "encode_refusal")])
def test_an_sdk_that_does_not_seal_is_the_caller_s_to_handle(
    exchange: Exchange, kernel: Kernel, body: bytes, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(text: str) -> Any:
        raise SealingError

    monkeypatch.setattr(kernel.sdk, method, fails)
    with pytest.raises(SealingError):
        exchange.answer(PendingRequest([], body))
    with pytest.raises(SealingError):
        exchange.refuse(PendingRequest([], body), OverloadedError("busy"))
