"""`[program] around`: a generator of the application that runs around its handlers and its code on events."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.handlers.contracts import Ask, Said
from tests.support.apps import ROOT, write_files
from tests.support.event_handlers import Hits
from tests.support.events import handled, with_code
from tests.support.kernel import app_call, reference_table, with_handler
from tests.support.sdk import MemorySdk
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.errors import HandlerTimeoutError, OutputError
from wwspec_contracts.events import hit_keyword
from wwspec_devtools.testing.zone import Zone
from wwspec_router import AbilityError, AsyncContext, AsyncEventContext, Context, EventContext, Run, ability
from wwspec_router.codecs.codec import OutputPolicy
from wwspec_router.envelope import Reply
from wwspec_router.handlers.around import Around
from wwspec_router.handlers.async_bridge import LoopPortal
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.registry.file import OnceRow
from wwspec_router.stores import Store

NAME = "abilities.audit:around"
OUTER: ContextVar[str] = ContextVar("OUTER", default="")


@ability
def plain(request: Ask, ctx: Context) -> Said:
    return Said(said=f"{request.word}{OUTER.get()}")


@ability
async def asynchronous(request: Ask, ctx: AsyncContext) -> Said:
    await asyncio.sleep(0)
    return Said(said=f"{request.word}{OUTER.get()}")


@ability
def without_context(request: Ask) -> Said:
    return Said(said=request.word)


@ability
async def asynchronous_without_context(request: Ask) -> Said:
    return Said(said=request.word)


@ability
def refusing(request: Ask) -> Said:
    raise AbilityError("not today", errcode=1001)


@ability
async def async_refusing(request: Ask) -> Said:
    raise AbilityError("not today", errcode=1001)


HANDLERS = (plain, asynchronous, without_context, asynchronous_without_context)
REFUSING = (refusing, async_refusing)


@pytest.fixture
def call(store: Store) -> Callable[..., Reply]:
    def call(
        function: Callable[..., Any], around: Callable[[Run], Any], data: str = '{"word":"tea"}', **options: Any
    ) -> Reply:
        settings = {name: options.pop(name) for name in ("state", "settings", "with_text") if name in options}
        table = replace(with_handler(reference_table(), function, **options), around=Around(NAME, around))
        return Dispatcher(table, MemorySdk(), store, **settings).dispatch(app_call(function.__name__, data))

    return call


def noting(seen: list[Any]) -> tuple[Callable[[Run], Any], Callable[[Run], Any]]:
    """Return a generator and an async generator that note how a run ends."""

    def around(run: Run) -> Iterator[None]:
        try:
            yield
        finally:
            seen.append((run.result, type(run.error), run.errcode, run.seconds > 0))

    async def around_async(run: Run) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await asyncio.sleep(0)
            seen.append((run.result, type(run.error), run.errcode, run.seconds > 0))

    return around, around_async


@pytest.mark.parametrize("function", HANDLERS)
def test_it_sees_who_asks_for_what_and_how_that_ended(call: Callable[..., Reply], function: Callable[..., Any]) -> None:
    seen: list[Any] = []

    def around(run: Run) -> Iterator[None]:
        seen.append((run.ability_id, run.event_type, run.corpid, run.agentid, run.attempt, run.request))
        seen.append((run.state, run.settings, run.result, run.error))
        yield
        seen.append((run.result, run.error, run.errcode, run.seconds > 0))

    reply = call(function, around, state="the state", settings="the settings")
    assert (reply.errcode, '"said":"tea"' in reply.text) == (0, True)
    assert seen == [
        (function.__name__, "", "corp", 7, 1, Ask(word="tea")),
        ("the state", "the settings", None, None),
        (Said(said="tea"), None, 0, True),
    ]


@pytest.mark.parametrize("function", REFUSING)
def test_an_error_of_the_handler_is_raised_at_the_yield_and_the_app_gets_it_or_another_in_its_place(
    call: Callable[..., Reply], function: Callable[..., Any]
) -> None:
    caught: list[BaseException] = []

    def around(run: Run) -> Iterator[None]:
        try:
            yield
        except AbilityError as error:
            caught.append(error)
            assert run.error is error
            raise

    assert call(function, around).text == '{"errcode":1001,"errmsg":"not today"}'
    assert [str(error) for error in caught] == ["not today"]
    seen: list[Any] = []
    for each in noting(seen)[: 1 if function is refusing else 2]:
        assert call(function, each).errcode == 1001
    assert {*seen} == {(None, AbilityError, 1001, True)}

    def replacing(run: Run) -> Iterator[None]:
        try:
            yield
        except AbilityError as error:
            raise AbilityError(f"{error}, but tomorrow", errcode=1002) from error

    assert call(function, replacing).text == '{"errcode":1002,"errmsg":"not today, but tomorrow"}'


def test_it_may_refuse_before_the_code_runs_and_after_it(call: Callable[..., Reply]) -> None:
    ran: list[str] = []

    @ability
    def handler(request: Ask) -> Said:
        ran.append(request.word)
        return Said()

    def before(run: Run) -> Iterator[None]:
        if run.corpid == "corp":
            raise AbilityError("this corp is suspended", errcode=1403)
        yield

    def after(run: Run) -> Iterator[None]:
        yield
        raise AbilityError("the audit failed", errcode=1500)

    assert call(handler, before).text == '{"errcode":1403,"errmsg":"this corp is suspended"}'
    assert ran == []
    assert call(handler, after).text == '{"errcode":1500,"errmsg":"the audit failed"}'
    assert ran == ["tea"]


def swallowing(run: Run) -> Iterator[None]:
    try:
        yield
    except AbilityError:
        pass


def twice(run: Run) -> Iterator[None]:
    yield
    yield


def never(run: Run) -> Iterator[None]:
    if run.corpid == "other":
        yield


async def async_swallowing(run: Run) -> AsyncIterator[None]:
    try:
        yield
    except AbilityError:
        pass


async def async_twice(run: Run) -> AsyncIterator[None]:
    yield
    yield


WRONG = [
    (refusing, swallowing, "it ended though the code raised AbilityError; raise that again, or another"),
    (plain, twice, "generator didn't stop; it must yield exactly once"),
    (plain, never, "generator didn't yield; it must yield exactly once"),
    (async_refusing, async_swallowing, "it ended though the code raised AbilityError; raise that again, or another"),
    (asynchronous, async_twice, "generator didn't stop; it must yield exactly once"),
]


@pytest.mark.parametrize(("function", "around", "fault"), WRONG, ids=lambda each: getattr(each, "__name__", None))
def test_one_that_swallows_an_error_or_does_not_yield_once_is_a_crash_that_development_explains(
    call: Callable[..., Reply],
    caplog: pytest.LogCaptureFixture,
    function: Callable[..., Any],
    around: Callable[[Run], Any],
    fault: str,
) -> None:
    with caplog.at_level(logging.WARNING):
        reply = call(function, around)
        assert reply.errcode == 710660
        assert "internal error " in reply.text
        [line] = caplog.messages
        assert "RuntimeError" in line
        assert fault not in line  # the text of an unknown error may quote what is secret
        caplog.clear()
        call(function, around, with_text=True)
        assert f"RuntimeError: around {NAME}: {fault}" in caplog.text


def test_an_error_of_its_own_is_a_crash(call: Callable[..., Reply], caplog: pytest.LogCaptureFixture) -> None:
    def around(run: Run) -> Iterator[None]:
        yield
        raise RuntimeError("the audit's disk is full")

    with caplog.at_level(logging.WARNING):
        assert "internal error " in call(plain, around, with_text=True).text
    assert "RuntimeError: the audit's disk is full" in caplog.text
    assert "must yield" not in caplog.text


def test_an_errcode_of_the_reply_or_that_it_fits_no_contract_is_the_outcome_that_it_sees(
    call: Callable[..., Reply],
) -> None:
    @ability
    def misfit(request: Ask) -> Said:
        return Said(said=7)  # type: ignore[arg-type]  # what is tested

    @ability
    async def failing(request: Ask) -> Said:
        return Said(errcode=1009, errmsg="sold out")

    seen: list[Any] = []
    assert call(misfit, noting(seen)[0], policy=OutputPolicy.STRICT).errcode == 710660
    for around in noting(seen):
        call(failing, around)
    outcome = (type(None), 1009)
    assert [(kind, errcode) for _, kind, errcode, _ in seen] == [(OutputError, 710660), outcome, outcome]
    assert seen[0][0].said == 7


def test_it_sees_that_the_code_was_too_late(call: Callable[..., Reply]) -> None:
    @ability
    def slow(request: Ask, ctx: Context) -> Said:
        while ctx.remaining:
            pass
        return Said()

    @ability
    async def hanging(request: Ask, ctx: AsyncContext) -> Said:
        await asyncio.Event().wait()
        return Said()

    seen: list[Any] = []
    around, around_async = noting(seen)
    replies = [call(slow, around, timeout=0.05), call(hanging, around, timeout=0.05)]
    replies.append(call(hanging, around_async, timeout=0.05))
    assert ["timeout" in reply.text for reply in replies] == [True] * 3
    assert [kind for _, kind, _, _ in seen] == [HandlerTimeoutError] * 3


def test_a_kept_reply_runs_neither_the_code_nor_what_is_around_it(call: Callable[..., Reply]) -> None:
    seen: list[Any] = []
    around, _ = noting(seen)
    first, repeat = (call(plain, around, once=OnceRow(key="word")) for _ in range(2))
    assert first.text == repeat.text
    assert len(seen) == 1


def test_a_def_generator_runs_on_the_thread_of_the_call_and_an_async_one_in_the_task_of_the_handler(
    store: Store, running_loop: asyncio.AbstractEventLoop
) -> None:
    seen: list[Any] = []

    @ability
    async def where(request: Ask) -> Said:
        seen.append(("code", threading.get_ident(), asyncio.current_task()))
        return Said(said=OUTER.get())

    def around(run: Run) -> Iterator[None]:
        OUTER.set("set before the yield")
        seen.append(("around", threading.get_ident(), None))
        yield
        seen.append(("around", threading.get_ident(), None))

    async def around_async(run: Run) -> AsyncIterator[None]:
        OUTER.set("set before the yield")
        seen.append(("around", threading.get_ident(), asyncio.current_task()))
        yield
        seen.append(("around", threading.get_ident(), asyncio.current_task()))

    def call(around: Callable[[Run], Any]) -> None:
        table = replace(with_handler(reference_table(), where), around=Around(NAME, around))
        reply = Dispatcher(table, MemorySdk(), store, LoopPortal(running_loop)).dispatch(app_call("where"))
        assert '"said":"set before the yield"' in reply.text

    for each in (around, around_async):
        thread = threading.Thread(target=call, args=(each,))
        thread.start()
        thread.join()
    (before, code, after), (async_before, async_code, async_after) = seen[:3], seen[3:]
    assert before == after != code
    assert code[1] not in (before[1], threading.get_ident())
    assert async_before[1:] == async_code[1:] == async_after[1:]


def test_code_on_an_event_has_it_around_each_of_its_runs(store: Store) -> None:
    seen: list[Any] = []

    def around(run: Run) -> Iterator[None]:
        try:
            yield
        finally:
            seen.append((run.ability_id, run.event_type, run.attempt, run.request.hit_keyword.token, run.errcode))
            seen.append((run.result, type(run.error)))

    def on_hit(event: hit_keyword.Event, ctx: EventContext) -> Hits:
        if ctx.attempt == 1:
            raise AbilityError("not yet", errcode=1001)
        return Hits(hits=ctx.attempt)

    async def on_hit_async(event: hit_keyword.Event, ctx: AsyncEventContext) -> None:
        on_hit(event, ctx)  # type: ignore[arg-type]

    for function, result in ((on_hit, Hits(hits=2)), (on_hit_async, None)):
        table = replace(with_code(function, notify="never"), around=Around(NAME, around))
        handled(table, store)
        assert seen == [
            ("", "hit_keyword", 1, "t", 1001),
            (None, AbilityError),
            ("", "hit_keyword", 2, "t", 0),
            (result, type(None)),
        ]
        seen.clear()


RUNS: list[str] = []


def noting_all(run: Run) -> Iterator[None]:
    try:
        yield
    finally:
        RUNS.append(f"{run.ability_id}{run.event_type} {run.errcode}")


REGISTRY = f"""
[program]
around = "{__name__}:noting_all"
[passthrough]
prefix = "invoke_"
apis = ["sync_msg"]
[abilities.get_callback_data]
kind = "callback_data"
[abilities.figures]
kind = "status"
[abilities.later]
handler = "{__name__}:asynchronous"
[abilities.now]
handler = "{__name__}:refusing"
[events.hit_keyword]
handler = "tests.support.events:no_code"
[func]
prefix = "input_"
apis = []
[func.functions]
later = "{__name__}:asynchronous"
"""


def test_a_program_has_it_around_its_own_code_and_around_nothing_else(tmp_path: Path) -> None:
    write_files(tmp_path, {"registry.toml": REGISTRY})
    with Zone.in_process(ROOT, tmp_path / "registry.toml") as zone:
        assert zone.call("later", {"word": "tea"}).reply["said"] == "tea"
        assert zone.call("now").errcode == 1001
        assert zone.call("input_later", {"input": {"func": "later", "func_req": {"word": "a"}}}).reply["said"] == "a"
        assert zone.call("invoke_sync_msg", {"limit": 1}).errcode == 0
        assert zone.call("figures").errcode == 0
        assert zone.submit("later", {"word": "x"}).result(timeout=DEADLINE).reply["said"] == "x"
        zone.fire("hit_keyword")
        assert zone.call("get_callback_data", notify_id=zone.notified()).errcode == 0
        wait_until(lambda: "hit_keyword 0" in RUNS)
    assert sorted(RUNS) == ["hit_keyword 0", "input_later 0", "later 0", "later 0", "now 1001"]
