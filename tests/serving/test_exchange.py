import json
from typing import Any

import pytest

from tests.support.kernel import Kernel, app_call
from wwspec_contracts.errors import OverloadedError
from wwspec_router.serving.calls import Exchange, PendingRequest


@pytest.fixture
def exchange(kernel: Kernel) -> Exchange:
    kernel.sdk.decoded = {"a call": app_call("invoke_sync_msg")}
    return Exchange(kernel.sdk, kernel.dispatcher)


@pytest.mark.parametrize("body", [b"", b"another", b"\xff\xfe", b"\xed\xa0\x80"], ids=repr)
def test_what_does_not_decode_is_answered_as_an_exception(exchange: Exchange, kernel: Kernel, body: bytes) -> None:
    for answer in (
        exchange.answer(PendingRequest([], body)),
        exchange.refuse(PendingRequest([], body), OverloadedError("busy")),
    ):
        is_text = b"\xff" not in body and b"\xed" not in body
        said = "the request could not be verified or decrypted" if is_text else "the request's body is not UTF-8"
        assert json.loads(answer.body) == {"errcode": 710660, "errmsg": said}
        assert answer.headers == [(b"ww-kind", b"exception"), (b"content-length", str(len(answer.body)).encode())]
    assert kernel.sdk.calls == []


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
