"""An SDK that misbehaves is answered for: whatever its module raises, nobody is let in and the call is answered."""

import asyncio
import json
from collections.abc import Callable
from contextvars import copy_context
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from tests.hostile.conftest import NOT_DECODED
from tests.support.crashes import INTERNAL_ERROR
from tests.support.kernel import reference_table
from tests.support.tables import for_each
from wwspec_contracts.errors import SdkCallError
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.sdk.vendor import VendorSdk
from wwspec_router.serving.calls import Exchange, PendingRequest
from wwspec_router.stores import open_store


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("a-secret")

    @property
    def code(self) -> int:
        raise RuntimeError("a-secret")


KINDS = [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, MemoryError, RecursionError]
RAISED: list[BaseException] = [kind("a-secret") for kind in (*KINDS, MuteError)]
RAISED.append(BaseExceptionGroup("a-secret", [KeyboardInterrupt()]))


def raising(error: BaseException) -> Callable[..., Any]:
    def fails(*arguments: object) -> Any:
        raise error

    return fails


def module(**parts: Any) -> Any:
    """An SDK module in memory: it decodes to a call of `invoke_sync_msg`, unless a part says otherwise."""
    getters = {"get_corpid": "ww1", "get_agentid": 7, "get_call_type": 1, "get_is_async": False, "get_data": "{}"}
    getters |= {"get_ability_id": "invoke_sync_msg", "get_notify_id": "", "get_job_info": ""}
    request = {name: (lambda value=value: value) for name, value in getters.items()} | parts.get("getters", {})
    return SimpleNamespace(
        WWToSpecHTTPReqDecoder=parts.get("decoder", lambda headers, body: SimpleNamespace(**request)),
        WWToSpecHTTPRspConstructor=lambda text: SimpleNamespace(
            get_normal_header=lambda: {"ww-kind": "reply"},
            get_exception_header=lambda: {"ww-kind": "exception"},
            get_encoded_body=lambda: text,
        ),
        ChatDataSDK=parts.get("sdk", lambda *identity: SimpleNamespace(sync_msg=lambda request: '{"errcode":0}')),
        spec_gen_notify_id=parts.get("notify_id", lambda: "n"),
    )


def answered(sdk: Any) -> tuple[str, Any]:
    """Send one request through a program over this module; return the reply's kind and the reply."""
    store = open_store("memory:")
    vendor = VendorSdk(sdk)
    exchange = Exchange(vendor, Dispatcher(reference_table(), vendor, store))
    answer = copy_context().run(exchange.answer, PendingRequest([], b"a body"))
    store.close()
    return dict(answer.headers)[b"ww-kind"].decode(), json.loads(answer.body)


@for_each(RAISED)
def test_whatever_the_decoder_or_a_getter_raises_is_refused_under_the_exception_header(error: BaseException) -> None:
    assert answered(module(decoder=raising(error))) == ("exception", NOT_DECODED)
    assert answered(module(getters={"get_data": raising(error)})) == ("exception", NOT_DECODED)


@for_each(RAISED)
def test_whatever_an_sdk_call_raises_is_answered(error: BaseException) -> None:
    for sdk in (raising(error), lambda *identity: SimpleNamespace(sync_msg=raising(error))):
        kind, reply = answered(module(sdk=sdk))
        assert (kind, reply["errcode"]) == ("reply", 710660)
        assert reply["errmsg"] in ("sync_msg: the SDK call failed", INTERNAL_ERROR)


def test_an_error_of_the_sdk_that_has_no_text_is_an_sdk_error_all_the_same() -> None:
    vendor = VendorSdk(module(sdk=raising(MuteError()), notify_id=raising(MuteError())))
    with pytest.raises(SdkCallError, match="spec_gen_notify_id") as caught:
        vendor.new_notify_id()
    assert caught.value.return_code is None
    with pytest.raises(SdkCallError, match="sync_msg") as caught:
        vendor.client("ww1", 7, "", "").invoke("sync_msg", "{}")
    assert caught.value.return_code is None


GARBAGE = {"None": None, "object": object(), "bytes": b"\xff", "list": [], "deep": "[" * 100_000, "NaN": float("nan")}


@for_each(product(["get_corpid", "get_agentid", "get_call_type", "get_ability_id", "get_data"], GARBAGE))
def test_a_getter_that_returns_garbage_lets_nobody_in(getter: str, name: str) -> None:
    value = GARBAGE[name]
    kind, reply = answered(module(getters={getter: lambda: value}))
    if isinstance(value, str) and getter not in ("get_agentid", "get_call_type"):
        assert kind == "reply"
    elif not value and getter in ("get_ability_id", "get_data"):  # nothing is nothing, however it is spelt
        assert (kind, reply["errcode"]) == ("reply", 710660)
    else:
        assert (kind, reply) == ("exception", NOT_DECODED)


@for_each(GARBAGE.values())
def test_an_sdk_call_that_returns_garbage_is_answered(value: object) -> None:
    kind, reply = answered(module(sdk=lambda *identity: SimpleNamespace(sync_msg=lambda request: value)))
    assert (kind, reply["errcode"]) == ("reply", 710660)
