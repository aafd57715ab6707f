"""`ctx.notify`: stored durably under a fresh notify_id, then the app is told, which fetches it as an event."""

import json
import logging
from collections.abc import Callable
from time import time
from typing import Any

import pytest

from tests.support.events import HIT, NOTIFY, handled, with_kind
from tests.support.kernel import Kernel, reference_table, with_handler
from tests.support.sdk import OK, network_failure
from wwspec_router import AsyncContext, Context, Contract, Output, ability
from wwspec_router.stores import Store, StoreLimits, open_store

KernelOf = Callable[..., Kernel]
REGISTRY = "[abilities.get]\nkind='callback_data'\n[notifications.hits]\ncontract='tests.support.event_handlers:Hits'\n"


class Digest(Contract):
    messages: int


class Asked(Contract):
    """A request."""


class Result(Output):
    notify_id: str = ""


def notifying(store: Store, run: Callable[[Context], str], **more: Any) -> Kernel:
    """Return a kernel with an ability that notifies the app something."""

    @ability
    def notify(request: Asked, ctx: Context) -> Result:
        return Result(notify_id=run(ctx))

    return Kernel(with_kind(with_handler(reference_table(), notify, **more), "digest", Digest), store)


def notify(ctx: Context) -> str:
    return ctx.notify(Digest(messages=3), scene=7)


def test_a_payload_is_stored_under_a_fresh_notify_id_and_the_app_told(store: Store) -> None:
    kernel = notifying(store, notify)
    found: list[Any] = []

    def read_stored(request: str) -> str:
        found.append(store.get("corp", 7, json.loads(request)["notify_id"]))
        return OK

    kernel.sdk.replies[NOTIFY] = read_stored
    since = int(time())
    assert kernel.call("notify")["notify_id"] == "notify-0"
    stored = json.loads(found[0])
    assert since <= stored.pop("timestamp") <= time()
    assert stored == {"event_type": "digest", "digest": {"messages": 3}}
    assert kernel.sdk.requests == [(NOTIFY, {"notify_id": "notify-0", "notify_scene": 7})]
    [call] = kernel.sdk.calls
    assert (call.corpid, call.agentid, call.ability_id) == ("corp", 7, "notify")


def test_an_async_def_handler_tells_as_well(store: Store) -> None:
    @ability
    async def notify(request: Asked, ctx: AsyncContext) -> Result:
        return Result(notify_id=await ctx.notify(Digest(messages=1)))

    kernel = Kernel(with_kind(with_handler(reference_table(), notify), "digest", Digest), store)
    assert kernel.call("notify")["notify_id"] == "notify-0"
    assert kernel.sdk.requests == [(NOTIFY, {"notify_id": "notify-0", "notify_scene": 0})]


def test_the_app_fetches_it_through_the_contract_of_stored_events(kernel_of: KernelOf) -> None:
    kernel = kernel_of(
        f"{REGISTRY}[events.hit_keyword]\nhandler='tests.support.event_handlers:on_hit'\nnotify='after'\n"
    )
    handled(kernel.table, kernel.store, kernel.sdk, data=HIT)
    notified, event = (kernel.call("get", notify_id=each) for each in ("notify-1", "notify-0"))
    assert {**notified, "timestamp": 0} == {"event_type": "hits", "timestamp": 0, "hits": {"hits": 2}}
    assert event == {**json.loads(HIT), "hit_keyword_result": {"hits": 1}}
    assert [request["notify_scene"] for _, request in kernel.sdk.requests] == [9, 0]


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (network_failure(NOTIFY), "spec_notify_app: the SDK call failed (-10002)"),
        ('{"errcode":48002,"errmsg":"no right"}', "spec_notify_app: no right"),
        ("<html>", "spec_notify_app: the platform's reply is not readable"),
    ],
)
def test_a_handler_sees_that_the_app_could_not_be_told(store: Store, reply: Any, message: str) -> None:
    kernel = notifying(store, notify)
    kernel.sdk.replies[NOTIFY] = reply
    assert kernel.call("notify")["errmsg"] == message


@pytest.mark.parametrize("limits", [None, StoreLimits(max_rows=1)])
def test_a_handler_sees_that_a_payload_could_not_be_stored(limits: StoreLimits | None) -> None:
    store = open_store("memory:", limits or StoreLimits())
    kernel = notifying(store, notify)
    if limits is None:
        store.close()
    else:
        assert kernel.call("notify")["errcode"] == 0
    before = len(kernel.sdk.calls)
    assert kernel.call("notify") == {"errcode": 710660, "errmsg": "the notification could not be stored"}
    assert len(kernel.sdk.calls) == before, "nobody is told"
    store.close()


@pytest.mark.parametrize(
    ("run", "logged"),
    [
        (lambda ctx: ctx.notify(Asked()), "TypeError"),
        (lambda ctx: ctx.notify(Digest(messages=1), scene=256), "ValueError"),
        (lambda ctx: ctx.notify(Digest(messages=1), scene=-1), "ValueError"),
        (lambda ctx: ctx.notify(Digest(messages="a-secret")), "OutputError"),  # type: ignore[arg-type]  # what it is about
    ],
)
def test_what_can_not_be_told_is_stored_nowhere(
    store: Store, run: Callable[[Context], str], logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        kernel = notifying(store, run)
        assert kernel.call("notify")["errcode"] == 710660
    assert logged in caplog.text
    assert "a-secret" not in caplog.text
    assert store.figures().rows == 0
    assert kernel.sdk.calls == []


def test_nothing_is_told_when_the_time_is_over(store: Store) -> None:
    def late(ctx: Context) -> str:
        while ctx.remaining:
            pass
        return notify(ctx)

    kernel = notifying(store, late, timeout=0.01)
    assert kernel.call("notify")["errmsg"] == "the ability took longer than its timeout"
    assert store.figures().rows == 0
