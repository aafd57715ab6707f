"""What the program tells by itself: the app is notified again until it fetches, at most for `told_for`."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.kernel.test_notifications import Asked, Digest, Result
from tests.stores.suites.notifications import notification
from tests.stores.suites.rig import ManualClock
from tests.support.events import HIT, NOTIFY, EventProgram, running, with_code, with_kind
from tests.support.jobs import Wrapped, fails
from tests.support.kernel import Kernel, app_call, reference_table, with_handler
from tests.support.sdk import OK, MemorySdk, network_failure
from tests.support.waiting import DEADLINE, Gate, wait_until
from wwspec_contracts.errors import StoreError
from wwspec_contracts.events import hit_keyword
from wwspec_router import Context, EventContext, ability
from wwspec_router.monitoring.figures import EventCounts
from wwspec_router.registry.table import AbilityTable
from wwspec_router.stores import open_store
from wwspec_router.stores.base import Store
from wwspec_router.stores.failed import Failure

DAY = 86_400.0
OLD = '{"errcode":710646,"errmsg":"illegal notify_id"}'


@ability
def announce(request: Asked, ctx: Context) -> Result:
    return Result(notify_id=ctx.notify(Digest(messages=3), scene=7))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    with closing(open_store(f"sqlite:{tmp_path / 'jobs.db'}", clock=clock)) as opened:
        yield opened


@pytest.fixture
def memory(clock: ManualClock) -> Iterator[Store]:
    with closing(open_store("memory:", clock=clock)) as opened:
        yield opened


@pytest.fixture
def table() -> AbilityTable:
    return with_kind(with_handler(reference_table(), announce), "digest", Digest)


def once(act: Callable[[EventContext], object]) -> AbilityTable:
    """Return a table whose code on an event does what a test says, and may notify the app."""

    def handler(event: hit_keyword.Event, ctx: EventContext) -> None:
        act(ctx)

    return with_kind(with_code(handler), "digest", Digest)


def test_what_is_told_once_is_told_once_in_all_attempts_of_an_event_and_again_for_another_event() -> None:
    seen: list[list[str]] = []

    def act(ctx: EventContext) -> None:
        seen.append([ctx.notify(Digest(messages=ctx.attempt), once=each) for each in ("m1", "m1", "m2")])
        if ctx.attempt < 3:
            raise ValueError

    with closing(open_store("memory:")) as store, running(once(act), store) as program:
        for _ in range(2):
            program.event()
            program.wait_done()
        first, second = seen[0], seen[3]
        assert seen == [first] * 3 + [second] * 3
        assert len({*first, *second}) == 4
        sent = [each for each in program.notified if each in {*first, *second}]
        assert sorted(sent) == sorted({*first, *second}), "each once"
        assert program.stored(first[0])["digest"] == {"messages": 1}
        assert program.stored(second[2])["digest"] == {"messages": 1}


def test_what_a_killed_process_stored_once_but_not_told_is_told_by_its_job(store: Store, clock: ManualClock) -> None:
    seen: list[str] = []

    def act(ctx: EventContext) -> None:
        seen.append(ctx.notify(Digest(messages=1), once="alert"))

    def store_and_die(*args: Any, **more: Any) -> None:
        store.add_once(*args, **more)
        raise SystemExit

    with running(once(act), Wrapped(store, "add_once", store_and_die)) as program:
        program.event()
        wait_until(lambda: program.figures.snapshot().events.retried == 1 and program.jobs.running == 0)
        clock.advance(1)
        wait_until(lambda: program.figures.snapshot().events.ended == 1)
        [notify_id] = seen
        assert notify_id not in program.notified
        pass_by(program, clock, 10, len(program.notified) + 1)
        assert notify_id in program.notified


def test_a_job_tells_a_thousand_things_once_and_no_more(memory: Store) -> None:
    refused: list[str] = []

    def act(ctx: EventContext) -> None:
        for number in range(1001):
            try:
                ctx.notify(Digest(messages=number), once=str(number))
            except ValueError as error:
                refused.append(str(error))
        ctx.notify(Digest(messages=0), once="0")

    with running(once(act), memory) as program:
        program.event()
        wait_until(lambda: program.figures.snapshot().events.ended == 1)
    assert refused == ["once='1000': a job has at most 1000 notifications with once"]
    assert memory.job_figures().unfetched == 1000


def notified(program: EventProgram) -> str:
    text = program.dispatcher.dispatch(app_call("announce")).text
    return str(json.loads(text)["notify_id"])


def pass_by(program: EventProgram, clock: ManualClock, seconds: float, notified: int) -> None:
    """Let time pass, and wait until the app was notified so often in all, and its pause has begun."""
    clock.advance(seconds)
    wait_until(lambda: len(program.notified) == notified and program.jobs.running == 0)


def test_pauses_grow_until_the_app_fetches(table: AbilityTable, store: Store, clock: ManualClock) -> None:
    with running(table, store) as program:
        assert notified(program) == "notify-0"
        assert program.notified == ["notify-0"], "at once"
        for number, pause in enumerate([10, 20, 40, 80, 160], 2):
            clock.advance(pause - 2)
            assert store.claim("another", 9, 1) == [], "it is not due"
            pass_by(program, clock, 2, number)
        assert program.stored("notify-0")["digest"] == {"messages": 3}
        scenes = {request["notify_scene"] for _, request in program.sdk.requests}
    assert scenes == {7}


def test_what_was_fetched_is_kept_and_not_told_again(table: AbilityTable, store: Store, clock: ManualClock) -> None:
    with running(table, store) as program:
        first = notified(program)
        clock.advance(5000)
        assert program.stored(first) == program.stored(first)
        wait_until(lambda: not store.job_figures().unfetched)
        before = program.notified.count(first)
        second = notified(program)
        pass_by(program, clock, 10, len(program.notified) + 1)
        assert program.notified[-1] == second
        assert program.notified.count(first) == before
        clock.advance(1189)
        assert program.stored(first)
        clock.advance(2)
        assert program.stored(first) is None


def test_a_result_and_its_event_are_told_until_they_are_fetched(store: Store, clock: ManualClock) -> None:
    def handler(event: hit_keyword.Event, ctx: EventContext) -> Digest:
        return Digest(messages=4)

    with running(with_code(handler, notify="after"), store) as program:
        program.event()
        program.wait_done()
        pass_by(program, clock, 10, 2)
        assert program.notified == ["notify-0", "notify-0"]
        assert program.stored("notify-0") == {**json.loads(HIT), "hit_keyword_result": {"messages": 4}}
        wait_until(lambda: not store.job_figures().unfetched)
        scene = reference_table().registry.notify_scenes["hit_keyword"]
        assert {request["notify_scene"] for _, request in program.sdk.requests} == {scene}


@pytest.mark.parametrize("answer", [network_failure(NOTIFY), '{"errcode":48002,"errmsg":"a-secret"}', "<html>"])
def test_an_app_that_can_not_be_told_now_is_told_later(
    table: AbilityTable, memory: Store, clock: ManualClock, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sdk = MemorySdk({NOTIFY: answer})
    with running(table, memory, sdk) as program:
        assert notified(program) == "notify-0", "the handler is not to tell it twice"
        sdk.replies[NOTIFY] = OK
        pass_by(program, clock, 10, 2)
    assert "of notify:digest: the app is not told, " in caplog.text
    assert "a-secret" not in caplog.text


def test_after_nine_minutes_it_is_told_under_a_fresh_id(table: AbilityTable, store: Store, clock: ManualClock) -> None:
    with running(table, store) as program:
        notified(program)
        pass_by(program, clock, 541, 2)
        assert program.notified == ["notify-0", "notify-1"]
        assert program.stored("notify-0") is None
        pass_by(program, clock, 20, 3)
        assert program.notified[-1] == "notify-1"
        assert program.stored("notify-1")["digest"] == {"messages": 3}


def test_a_notify_id_that_is_refused_is_replaced_at_once(table: AbilityTable, store: Store, clock: ManualClock) -> None:
    sdk = MemorySdk()
    with running(table, store, sdk) as program:
        notified(program)
        sdk.replies[NOTIFY] = lambda request: OLD if "notify-0" in request else OK
        pass_by(program, clock, 10, 3)
        assert program.notified == ["notify-0", "notify-0", "notify-1"]
        assert program.stored("notify-0") is None
        assert program.stored("notify-1")["digest"] == {"messages": 3}


def test_what_is_never_fetched_is_set_aside_and_can_be_retried_under_a_fresh_notify_id(
    table: AbilityTable, store: Store, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    with running(table, store) as program:
        notified(program)
        clock.advance(DAY)
        wait_until(lambda: store.job_figures().failed)
        assert program.notified == ["notify-0"]
        assert program.figures.snapshot().events == EventCounts(unfetched=1)
        (found,) = store.failed_jobs("corp", 7, 9)
        assert (found.name, found.failure) == ("notify:digest", Failure(error="not fetched"))
        wait_until(lambda: "of notify:digest given up: the app did not fetch it within 86400 s" in caplog.text)
        assert store.retry("corp", 7, found.job_id)
        wait_until(lambda: len(program.notified) == 2)
        assert program.notified[-1] == "notify-1"
        assert program.stored("notify-1")["digest"] == {"messages": 3}
        wait_until(lambda: not store.job_figures().unfetched)


def test_short_told_for_ends_it_before_the_first_repeat(table: AbilityTable, memory: Store, clock: ManualClock) -> None:
    registry = replace(table.registry, program=replace(table.registry.program, told_for=3.0))
    with running(replace(table, registry=registry), memory) as program:
        notified(program)
        clock.advance(3)
        wait_until(lambda: memory.job_figures().failed)
        assert program.notified == ["notify-0"]


def test_a_corp_gets_one_repeat_a_second_in_all(table: AbilityTable, store: Store, clock: ManualClock) -> None:
    """The clock stands while they try, so that each corp has one turn."""
    sdk = MemorySdk()
    programs: list[EventProgram] = []

    def has_calls(number: int) -> bool:
        return len(sdk.calls) >= number and not any(each.jobs.running for each in programs)

    for number in range(8):
        store.add(notification(f"{number}", corpid=f"corp {number % 2}"), delay=10)
    with ExitStack() as stack:
        alike = partial(running, table, store, sdk, lease=1000.0)  # no lease ends meanwhile
        programs.extend(stack.enter_context(alike()) for _ in range(3))
        clock.advance(10)
        wait_until(partial(has_calls, 2))
        assert len(sdk.calls) == 2
        assert {call.corpid for call in sdk.calls} == {"corp 0", "corp 1"}
        for turn in range(2, 5):  # those that wait are due one after the other
            clock.advance(9)
            wait_until(partial(has_calls, 2 * turn))
            assert len(sdk.calls) == 2 * turn


def test_what_is_fetched_while_a_repeat_is_under_way_is_over(
    table: AbilityTable, store: Store, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()

    def answer(request: str) -> str:
        gate.hold()
        return OK

    sdk = MemorySdk()
    with running(table, store, sdk) as program:
        notified(program)
        sdk.replies[NOTIFY] = answer
        clock.advance(10)
        assert gate.begun.wait(DEADLINE)
        assert program.stored("notify-0")
        wait_until(lambda: not store.job_figures().unfetched)
        gate.go_on.set()
        wait_until(lambda: program.jobs.running == 0)
    assert "gone" not in caplog.text


def test_a_repeat_that_hangs_is_given_back(table: AbilityTable, memory: Store, clock: ManualClock) -> None:
    gate = Gate()

    def answer(request: str) -> str:
        gate.hold()
        return OK

    sdk = MemorySdk()
    with running(table, memory, sdk, threads=1, report_within=0.5) as program:
        notified(program)
        sdk.replies[NOTIFY] = answer
        pass_by(program, clock, 10, 2)
        wait_until(lambda: program.jobs.running == 0)
        sdk.replies[NOTIFY] = OK
        pass_by(program, clock, 20, 3)
        gate.go_on.set()


@pytest.mark.parametrize("method", ["begin", "postpone", "claim", "write_kept", "replace_notify_id"])
def test_it_outlives_a_failing_store(table: AbilityTable, memory: Store, clock: ManualClock, method: str) -> None:
    EventProgram(table, memory).dispatcher.dispatch(app_call("announce"))
    wrapped = Wrapped(memory, method, fails(StoreError("gone")), times=2)
    with running(table, wrapped) as program:

        def is_notified() -> bool:
            clock.advance(60)
            return len(program.notified) > 1

        wait_until(is_notified)
        assert program.stored(program.notified[-1])["digest"] == {"messages": 3}


def test_a_delivery_that_was_cut_off_tells_nothing_twice(memory: Store, clock: ManualClock) -> None:
    """Its process has stored the result for the app, and died before it finished the job."""

    def handler(event: hit_keyword.Event) -> Digest:
        return Digest(messages=1)

    table = with_code(handler, notify="after")
    wrapped = Wrapped(memory, "finish_soon", fails(StoreError("gone")), times=1)
    with running(table, wrapped, lease=3.0) as program:
        program.event()
        wait_until(lambda: program.notified)
        assert program.stored("notify-0")
        clock.advance(3)
        program.wait_done()
    assert program.notified == ["notify-0"]
    assert memory.job_figures().unfetched == 0


def test_a_program_without_jobs_tells_once_and_says_when_it_could_not(table: AbilityTable, memory: Store) -> None:
    kernel = Kernel(table, memory)
    assert kernel.call("announce")["notify_id"] == "notify-0"
    assert memory.job_figures().unfetched == 0
    assert memory.get("corp", 7, "notify-0")
    kernel.sdk.replies[NOTIFY] = network_failure(NOTIFY)
    assert kernel.call("announce")["errmsg"] == "spec_notify_app: the SDK call failed (-10002)"


def test_a_program_without_the_kind_tells_the_app_too(table: AbilityTable, store: Store, clock: ManualClock) -> None:
    notified(EventProgram(table, store))
    with running(reference_table(), store) as later:
        pass_by(later, clock, 10, 1)
        assert later.notified == ["notify-0"]
        clock.advance(DAY)
        wait_until(lambda: store.job_figures().failed)
        assert later.stored("notify-0") is None
