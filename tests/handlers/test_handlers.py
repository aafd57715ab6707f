import asyncio
import json
import logging
import re
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest

from tests.support.crashes import INTERNAL, INTERNAL_ERROR
from tests.support.kernel import Kernel
from tests.support.sdk import network_failure
from tests.support.tables import for_each
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts import get_group_chat, sync_msg
from wwspec_contracts.base import ApiRequest
from wwspec_contracts.errors import HandlerTimeoutError, OutputError
from wwspec_router import (
    AbilityError,
    ApiError,
    AsyncContext,
    CallError,
    Context,
    Contract,
    Output,
    SdkCallError,
    ability,
)
from wwspec_router.handlers.async_bridge import AT_ONCE, LoopPortal, Portal, PrivateLoopPortal

ZoneWith = Callable[..., Kernel]
REFUSED = '{"errcode":710611,"errmsg":"invalid cursor"}'
LATE = {"errcode": 710660, "errmsg": "the ability took longer than its timeout"}


class Ask(Contract):
    what: str = ""


class Result(Output):
    text: str = ""
    numbers: list[int] = []


@pytest.fixture(params=["server's loop", "private loop"])
def portal(request: pytest.FixtureRequest, running_loop: asyncio.AbstractEventLoop) -> Portal:
    return LoopPortal(running_loop) if request.param == "server's loop" else PrivateLoopPortal()


def on_worker(function: Callable[[], Any]) -> Any:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function()), name="worker")
    thread.start()
    thread.join(DEADLINE)
    assert not thread.is_alive(), "the worker hangs"
    [result] = results
    return result


def both(answer: Callable[[Ask], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:

    @ability
    def plain(request: Ask) -> Result:
        return cast(Result, answer(request))

    @ability
    async def asynchronous(request: Ask) -> Result:
        return cast(Result, answer(request))

    return plain, asynchronous


def raising(error: BaseException) -> Callable[[Ask], Any]:
    def answer(request: Ask) -> Any:
        raise error

    return answer


def refused(errcode: int, errmsg: str) -> dict[str, Any]:
    return {"errcode": errcode, "errmsg": errmsg}


def both_pulling(check: bool = True) -> tuple[Callable[..., Any], Callable[..., Any]]:

    @ability
    def pull(request: Ask, ctx: Context) -> Result:
        return Result(numbers=[ctx.invoke(sync_msg.Request(), check=check).errcode])

    @ability
    async def pull_later(request: Ask, ctx: AsyncContext) -> Result:
        return Result(numbers=[(await ctx.invoke(sync_msg.Request(), check=check)).errcode])

    return pull, pull_later


def test_a_def_handler_gets_its_request_who_calls_and_how_much_time_is_left(kernel_with: ZoneWith) -> None:
    seen: list[Any] = []

    @ability
    def who(request: Ask, ctx: Context) -> Result:
        seen.extend([ctx.corpid, ctx.agentid, ctx.ability_id, ctx.notify_id, ctx.call.job_info, ctx.remaining])
        return Result(text=request.what)

    answer = kernel_with(who).call("who", '{"what":"中"}', corpid="corp-2", agentid=9, notify_id="n", job_info="job")
    assert answer == {"errcode": 0, "errmsg": "ok", "text": "中", "numbers": []}
    assert seen == ["corp-2", 9, "who", "n", "job", None]
    kernel_with(who, timeout=60.0).call("who")
    assert 0 < seen[-1] <= 60


def test_a_def_handler_calls_the_sdk_on_its_own_thread(kernel_with: ZoneWith) -> None:
    @ability
    def pull(request: Ask, ctx: Context) -> Result:
        page = ctx.invoke(sync_msg.Request(limit=5))
        return Result(text=page.next_cursor)

    kernel = kernel_with(pull)
    kernel.sdk.replies["sync_msg"] = '{"errcode":0,"next_cursor":"c","brand_new":1}'
    assert on_worker(lambda: kernel.call("pull"))["text"] == "c"
    [call] = kernel.sdk.calls
    assert (call.api, call.request, call.thread) == ("sync_msg", '{"limit":5}', "worker")
    assert (call.corpid, call.agentid, call.ability_id) == ("corp", 7, "pull")


def test_sdk_calls_that_an_async_handler_waits_for_run_on_the_worker(kernel_with: ZoneWith, portal: Portal) -> None:
    threads: list[str] = []

    @ability
    async def one_by_one(request: Ask, ctx: AsyncContext) -> Result:
        threads.append(threading.current_thread().name)
        pages = [await ctx.invoke(sync_msg.Request(limit=number)) for number in range(1, 50)]
        group = await ctx.invoke(get_group_chat.Request(chatid="c"))
        return Result(text=group.creator, numbers=[page.has_more for page in pages[:5]])

    kernel = kernel_with(one_by_one, portal=portal)
    kernel.sdk.replies["sync_msg"] = lambda request: json.dumps({"has_more": json.loads(request)["limit"] % 2})
    kernel.sdk.replies["get_group_chat"] = '{"creator":"zhangsan"}'
    answer = on_worker(lambda: kernel.call("one_by_one"))
    assert (answer["text"], answer["numbers"]) == ("zhangsan", [1, 0, 1, 0, 1])
    assert {call.thread for call in kernel.sdk.calls} == {"worker"}
    assert threads == ["the loop" if isinstance(portal, LoopPortal) else "worker"]


def test_eight_gathered_calls_run_at_once(kernel_with: ZoneWith, running_loop: asyncio.AbstractEventLoop) -> None:
    lock, all_there = threading.Lock(), threading.Barrier(AT_ONCE)
    running: list[str] = []
    most: list[int] = []

    @ability
    async def gather(request: Ask, ctx: AsyncContext) -> Result:
        pages = await asyncio.gather(*(ctx.invoke(sync_msg.Request(limit=1 + each)) for each in range(3 * AT_ONCE)))
        return Result(numbers=[page.has_more for page in pages])

    def reply(request: str) -> str:
        with lock:
            running.append(request)
            most.append(len(running))
        all_there.wait(DEADLINE)
        with lock:
            running.remove(request)
        return json.dumps({"has_more": json.loads(request)["limit"] % 2})

    kernel = kernel_with(gather, portal=LoopPortal(running_loop))
    kernel.sdk.replies["sync_msg"] = reply
    answer = on_worker(lambda: kernel.call("gather"))
    assert answer["numbers"] == [1, 0] * (3 * AT_ONCE // 2)
    assert max(most) == AT_ONCE == 8
    assert len({call.thread for call in kernel.sdk.calls} - {"worker"}) == 1
    assert not [each for each in threading.enumerate() if each.name == "wwspec-helper"]


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (AbilityError("no such chat"), (710660, "no such chat")),
        (AbilityError("no such chat", errcode=5), (5, "no such chat")),
        (AbilityError("没有", errcode=2**63 - 1, detail="for the log"), (2**63 - 1, "没有")),
        (AbilityError("\ud800"), (710660, "\\ud800")),
        (ApiError("sync_msg", 710611, "invalid cursor"), (710611, "sync_msg: invalid cursor")),
        (SdkCallError("sync_msg", -10002), (710660, "sync_msg: the SDK call failed (-10002)")),
        (CallError("odd"), (710660, "odd")),
    ],
    ids=ascii,
)
def test_a_handler_may_refuse(kernel_with: ZoneWith, portal: Portal, error: CallError, answer: tuple[int, str]) -> None:
    for function in both(raising(error)):
        assert kernel_with(function, portal=portal).call(function.__name__) == refused(*answer)


@pytest.mark.parametrize(
    ("message", "errcode"),
    [(3, None), (None, None), (b"bytes", None), ("text", "5"), ("text", 1.5), ("text", True), ("text", object())]
    + [("text", 2**63), ("text", -(10**400))],
    ids=lambda value: ascii(value)[:20],
)
def test_an_error_of_wrong_types_is_the_program_s_own_failure(
    kernel_with: ZoneWith, message: Any, errcode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @ability
    def fails(request: Ask) -> Result:
        raise AbilityError(message, errcode=errcode)

    assert kernel_with(fails).call("fails") == INTERNAL
    assert "TypeError at errors.py" in caplog.text


class _Exotic(BaseException):
    def __str__(self) -> str:
        raise NotImplementedError


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a-secret"),
        SystemExit("a-secret"),
        KeyboardInterrupt("a-secret"),
        StopIteration("a-secret"),
        UnicodeDecodeError("utf-8", b"a-secret", 0, 1, "a-secret"),
        ExceptionGroup("a-secret", [ValueError("a-secret")]),
        _Exotic("a-secret"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_unexpected_exception_is_an_internal_error_without_its_text(
    kernel_with: ZoneWith, portal: Portal, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for function in both(raising(error)):
        name = function.__name__
        assert on_worker(partial(kernel_with(function, portal=portal).call, name)) == INTERNAL
        [record] = [record for record in caplog.records if record.name.startswith("wwspec_")]
        pattern = rf"{name} failed in test_handlers:\d+: {type(error).__name__} at test_handlers.py:"
        if name == "asynchronous" and isinstance(error, StopIteration):  # a coroutine can't raise it
            pattern = f"{name} failed: RuntimeError at async_bridge.py:"
        assert re.match(f"[0-9a-f]{{6}} ability {pattern}", record.getMessage())
        assert (record.levelname, record.exc_info) == ("ERROR", None)
        assert "a-secret" not in caplog.text
        caplog.clear()


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), StopIteration()], ids=repr)
def test_sdk_exceptions_reach_the_async_handler(kernel_with: ZoneWith, portal: Portal, error: BaseException) -> None:
    @ability
    async def survives(request: Ask, ctx: AsyncContext) -> Result:
        try:
            await ctx.invoke(sync_msg.Request())
        except BaseException as caught:
            return Result(text=type(caught).__name__)
        raise NotImplementedError

    def reply(request: str) -> str:
        raise error

    kernel = kernel_with(survives, portal=portal)
    kernel.sdk.replies["sync_msg"] = reply
    name = on_worker(lambda: kernel.call("survives"))["text"]
    assert name == type(error).__name__ or (isinstance(error, StopIteration) and name == "RuntimeError")


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (REFUSED, (710611, "sync_msg: invalid cursor")),
        (network_failure("sync_msg"), (710660, "sync_msg: the SDK call failed (-10002)")),
        ('{"errcode":"0"}', (710660, "output contract: expected int, got str at $.errcode")),
        ("oops", (710660, "output contract: not valid JSON at $")),
        (RuntimeError("a-secret"), (710660, INTERNAL_ERROR)),
    ],
    ids=["refused", "network", "misfit", "not JSON", "bug"],
)
def test_a_failed_sdk_call_ends_the_call_unless_the_handler_catches_it(
    kernel_with: ZoneWith, portal: Portal, reply: Any, answer: tuple[int, Any]
) -> None:
    for function in both_pulling():
        kernel = kernel_with(function, portal=portal)
        kernel.sdk.replies["sync_msg"] = reply
        assert on_worker(partial(kernel.call, function.__name__)) == refused(*answer)


@for_each([(REFUSED, ApiError), (network_failure("sync_msg"), SdkCallError), ('{"errcode":"0"}', OutputError)])
def test_a_handler_may_catch_what_an_sdk_call_raises(reply: Any, error: type[Exception], kernel_with: ZoneWith) -> None:
    @ability
    def careful(request: Ask, ctx: Context) -> Result:
        with pytest.raises(error):
            ctx.invoke(sync_msg.Request())
        return Result(text="caught")

    kernel = kernel_with(careful)
    kernel.sdk.replies["sync_msg"] = reply
    assert kernel.call("careful")["text"] == "caught"


def test_without_check_a_handler_reads_the_errcode_itself(kernel_with: ZoneWith, portal: Portal) -> None:
    for function in both_pulling(check=False):
        kernel = kernel_with(function, portal=portal)
        kernel.sdk.replies["sync_msg"] = REFUSED
        assert on_worker(partial(kernel.call, function.__name__))["numbers"] == [710611]


class Unlisted(ApiRequest[Result]):
    """The request of no API that the application has a contract of."""


def test_no_handler_calls_an_api_without_contract(kernel_with: ZoneWith, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    @ability
    def wanders(request: Ask, ctx: Context) -> Result:
        try:
            return ctx.invoke(Unlisted())
        except TypeError as error:
            seen.append(str(error))
            raise

    kernel = kernel_with(wanders)
    assert kernel.call("wanders") == INTERNAL
    assert kernel.sdk.calls == []
    assert seen[0].endswith(
        "test_handlers.Unlisted is not the Request of a known SDK API, such as get_group_chat.Request"
    )


def test_a_handler_over_its_timeout_is_answered_as_late(kernel_with: ZoneWith, portal: Portal) -> None:
    seen: list[str] = []

    @ability
    def late(request: Ask, ctx: Context) -> Result:
        wait_until(lambda: ctx.remaining == 0.0)
        seen.append("late")
        return Result()

    @ability
    async def endless(request: Ask, ctx: AsyncContext) -> Result:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            seen.append("cancelled")
        raise NotImplementedError

    for function in (late, endless):
        kernel = kernel_with(function, timeout=0.2, portal=portal)
        assert on_worker(partial(kernel.call, function.__name__)) == LATE
    assert seen == ["late", "cancelled"]


def test_a_handler_is_cancelled_in_its_sdk_call(kernel_with: ZoneWith, running_loop: asyncio.AbstractEventLoop) -> None:
    cancelled = threading.Event()

    @ability
    async def waits(request: Ask, ctx: AsyncContext) -> Result:
        try:
            await asyncio.gather(*(ctx.invoke(sync_msg.Request(limit=1 + each)) for each in range(AT_ONCE + 2)))
        finally:
            cancelled.set()
        raise NotImplementedError

    def reply(request: str) -> str:
        assert cancelled.wait(DEADLINE)
        return "{}"

    kernel = kernel_with(waits, timeout=0.5, portal=LoopPortal(running_loop))
    kernel.sdk.replies["sync_msg"] = reply
    assert on_worker(lambda: kernel.call("waits")) == LATE
    assert 1 <= len(kernel.sdk.calls) <= AT_ONCE, "calls that still waited for a thread are never begun"


def test_after_the_deadline_no_sdk_call_is_begun(kernel_with: ZoneWith, portal: Portal) -> None:
    seen: list[str] = []

    @ability
    def late(request: Ask, ctx: Context) -> Result:
        while ctx.remaining != 0.0:
            pass
        try:
            ctx.invoke(sync_msg.Request())
        except HandlerTimeoutError as error:
            seen.append(str(error))
        return Result()

    @ability
    async def late_too(request: Ask, ctx: AsyncContext) -> Result:
        while ctx.remaining != 0.0:
            pass
        try:
            await ctx.invoke(sync_msg.Request())
        finally:
            seen.append("left")
        raise NotImplementedError

    for function in (late, late_too):
        kernel = kernel_with(function, timeout=0.2, portal=portal)
        assert on_worker(partial(kernel.call, function.__name__)) == LATE
        assert kernel.sdk.calls == []
    assert seen == ["the ability took longer than its timeout", "left"]


def test_a_timeout_of_the_handler_s_own_is_no_timeout_of_the_ability(kernel_with: ZoneWith, portal: Portal) -> None:
    @ability
    async def impatient(request: Ask, ctx: AsyncContext) -> Result:
        async with asyncio.timeout(0):
            await asyncio.get_running_loop().create_future()
        raise NotImplementedError

    assert on_worker(lambda: kernel_with(impatient, timeout=60.0, portal=portal).call("impatient")) == INTERNAL


def test_a_task_after_its_call_gets_no_sdk_call(kernel_with: ZoneWith, running_loop: asyncio.AbstractEventLoop) -> None:
    outcome: list[str] = []
    go, over = asyncio.Event(), threading.Event()
    tasks: list[asyncio.Task[None]] = []

    async def later(ctx: AsyncContext) -> None:
        await go.wait()
        try:
            await ctx.invoke(sync_msg.Request())
        except CallError as error:
            outcome.append(error.message)
        finally:
            over.set()

    @ability
    async def hasty(request: Ask, ctx: AsyncContext) -> Result:
        tasks.append(asyncio.create_task(later(ctx)))
        return Result()

    kernel = kernel_with(hasty, portal=LoopPortal(running_loop))
    assert on_worker(lambda: kernel.call("hasty"))["errcode"] == 0
    running_loop.call_soon_threadsafe(go.set)
    assert over.wait(DEADLINE)
    assert outcome == ["the call is over"]
    assert kernel.sdk.calls == []
