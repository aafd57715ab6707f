"""Own code on events: stored with its event, run at least once, again after errors; the app is told as its row says."""

import json
import logging
import threading
from contextlib import closing
from typing import Any

import msgspec
import pytest

from tests.jobs.code import Code, failing
from tests.serving.test_late_code import late_lines
from tests.support.events import (
    ACCEPTED,
    HIT,
    NOTIFY,
    Archived,
    EventProgram,
    handled,
    no_code,
    running,
    with_code,
    with_event,
)
from tests.support.jobs import SHORT, Wrapped, fails
from tests.support.kernel import app_call, reference_table
from tests.support.sdk import OK, MemorySdk, network_failure
from tests.support.waiting import DEADLINE, Gate, wait_until
from wwspec_contracts import sync_msg
from wwspec_contracts.errors import StoreError
from wwspec_contracts.events import conversation_new_message, hit_keyword
from wwspec_router import AbilityError, EventContext
from wwspec_router.jobs.executor import MAX_RUNS
from wwspec_router.monitoring.figures import EventCounts
from wwspec_router.stores import open_store
from wwspec_router.stores.base import Store
from wwspec_router.stores.failed import Failure

NEW_MESSAGE = '{"event_type":"conversation_new_message","timestamp":5,"conversation_new_message":{"token":"m"}}'


def test_the_handler_gets_the_event_and_who_it_is_about(store: Store) -> None:
    seen: list[Any] = []

    def handler(event: hit_keyword.Event, ctx: EventContext) -> None:
        page = ctx.invoke(sync_msg.Request(limit=1))
        seen.append((event, ctx.corpid, ctx.agentid, ctx.event_type, ctx.notify_id, ctx.attempt, page.errcode))
        assert ctx.remaining is not None
        assert 0 < ctx.remaining <= 60

    program = handled(with_code(handler, timeout=60.0), store)
    event = msgspec.json.decode(HIT, type=hit_keyword.Event)
    assert seen == [(event, "corp", 7, "hit_keyword", "notify-0", 1, 0)]
    assert program.figures.snapshot().events == EventCounts(ended=1)


def test_event_and_job_are_stored_before_the_app_is_told(store: Store) -> None:
    found: list[Any] = []

    def read_stored(request: str) -> str:
        found.append((program.stored(json.loads(request)["notify_id"]), store.job_figures().waiting))
        return OK

    program = EventProgram(with_code(no_code), store, MemorySdk({NOTIFY: read_stored}))
    assert program.event() == ACCEPTED
    assert found == [(json.loads(HIT), 1)]


@pytest.mark.parametrize("notify", ["now", "after", "never"])
def test_an_event_that_can_not_be_stored_is_refused_and_nothing_runs(memory: Store, notify: str) -> None:
    memory.close()
    program = EventProgram(with_code(no_code, notify=notify), memory)
    assert program.event() == {"errcode": 710660, "errmsg": "the event could not be stored"}
    assert program.notified == []


def test_the_handler_runs_also_when_the_app_could_not_be_told_now(memory: Store) -> None:
    """The platform sends such an event again."""
    code = Code(lambda ctx: None)
    with running(code.table, memory, MemorySdk({NOTIFY: network_failure(NOTIFY)})) as program:
        assert program.event()["errmsg"] == "spec_notify_app: the SDK call failed (-10002)"
        program.wait_done()
    assert code.attempts == [1]


def test_after_means_that_the_app_is_told_when_the_handler_has_ended_and_gets_its_result(store: Store) -> None:
    gate = Gate()

    def handler(event: hit_keyword.Event, ctx: EventContext) -> Archived:
        assert ctx.notify_id == "notify-0"
        gate.hold()
        return Archived(messages=3)

    with running(with_code(handler, notify="after"), store) as program:
        assert program.event() == ACCEPTED
        assert program.notified == []
        assert program.stored("notify-0") is None
        gate.go_on.set()
        program.wait_done()
    assert program.notified == ["notify-0"]
    assert program.stored("notify-0") == {**json.loads(HIT), "hit_keyword_result": {"messages": 3}}
    [call] = program.sdk.calls
    assert (call.corpid, call.agentid, call.ability_id, call.job_info) == ("corp", 7, "", "")
    scene = reference_table().registry.notify_scenes["hit_keyword"]
    assert program.sdk.requests == [(NOTIFY, {"notify_id": "notify-0", "notify_scene": scene})]


def test_never_means_that_nothing_is_stored_for_the_app(store: Store) -> None:
    seen: list[str] = []

    def handler(event: hit_keyword.Event, ctx: EventContext) -> None:
        seen.append(ctx.notify_id)

    program = handled(with_code(handler, notify="never"), store)
    assert seen == [""]
    assert program.notified == []
    assert store.figures().rows == 0


@pytest.mark.parametrize("error", [ValueError("a-secret"), AbilityError("a-secret", errcode=0), SystemExit()])
def test_a_failing_handler_is_run_again(store: Store, error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    code = Code(failing(error, times=3), notify="after")
    program = handled(code.table, store)
    assert code.attempts == [1, 2, 3, 4]
    assert program.notified == ["notify-0"]
    assert program.stored("notify-0")["hit_keyword_result"] == {"messages": 4}
    assert program.figures.snapshot().events == EventCounts(ended=1, retried=3)
    assert "of event:hit_keyword: run 1 of 4 failed, the next is in 0.0 s" in caplog.text
    assert "a-secret" not in caplog.text


@pytest.mark.parametrize("notify", ["now", "after", "never"])
def test_an_event_whose_retries_are_used_up_reaches_the_app_and_is_set_aside_with_its_last_error(
    store: Store, notify: str, caplog: pytest.LogCaptureFixture
) -> None:
    code = Code(failing(AbilityError("a-secret", errcode=1001)), notify=notify, retries=2)
    program = handled(code.table, store)
    assert code.attempts == [1, 2, 3]
    assert program.notified == ["notify-0"] * (notify != "never")
    assert program.stored("notify-0") == (json.loads(HIT) if notify != "never" else None)
    (found,) = store.failed_jobs("corp", 7, 9)
    assert (found.name, found.attempt) == ("event:hit_keyword", 3)
    assert found.failure == Failure(error="AbilityError", errcode=1001)
    assert "a-secret" not in repr(found)
    assert program.figures.snapshot().events == EventCounts(ended=1, retried=2, failed=1)
    assert "of event:hit_keyword failed, and is not run again" in caplog.text


def test_more_retries_than_the_runs_of_a_job_that_never_ends_are_all_made(memory: Store) -> None:
    code = Code(failing(ValueError()), retries=MAX_RUNS + 2)
    handled(code.table, memory, retry_pause=1e-6)
    assert code.attempts == list(range(1, MAX_RUNS + 4))


def test_a_handler_runs_again_while_the_thread_of_its_first_run_still_gives_the_job_back(store: Store) -> None:
    def postpone(*args: Any, **more: Any) -> bool:
        is_kept = store.postpone(*args, **more)
        wait_until(lambda: len(code.attempts) == 2)
        return is_kept

    code = Code(failing(ValueError(), times=1))
    program = handled(code.table, Wrapped(store, "postpone", postpone))
    assert code.attempts == [1, 2]
    assert program.figures.snapshot().events == EventCounts(ended=1, retried=1)


def test_a_handler_that_is_too_late_has_failed(memory: Store) -> None:
    code = Code(lambda ctx: wait_until(lambda: ctx.remaining == 0), timeout=0.01, retries=1)
    program = handled(code.table, memory)
    assert code.attempts == [1, 2]
    assert program.figures.snapshot().events == EventCounts(ended=1, retried=1, failed=1)


def test_a_handler_that_hangs_beyond_its_time_out_is_named_while_it_runs_and_given_up_and_its_event_delivered(
    memory: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """It still runs, so it is not begun a second time."""
    gate = Gate()
    code = Code(gate.hold, notify="after", timeout=1.0)
    with running(code.table, memory, threads=1, hang_after=0.05) as program:
        assert program.event() == ACCEPTED
        wait_until(lambda: late_lines(caplog) != [])
        program.wait_done()
        assert program.notified == ["notify-0"]
        gate.go_on.set()
    (line,) = late_lines(caplog)
    assert line.startswith(
        "event:hit_keyword refused, HandlerTimeoutError: the ability took longer than its timeout (1 s, "
        "at waiting.py:N hold < code.py:N handler, in threading.py:N wait"
    )
    assert code.attempts == [1]
    assert program.figures.snapshot().events == EventCounts(ended=1, failed=1)
    assert [each.failure.error for each in memory.failed_jobs("corp", 7, 9)] == ["HandlerTimeoutError"]


def test_no_more_events_of_a_type_are_handled_at_once_than_its_row_says(store: Store) -> None:
    lock = threading.Lock()
    inside: list[int] = [0, 0]
    handled: list[str] = []
    other = threading.Event()

    def limited(event: hit_keyword.Event) -> None:
        with lock:
            inside[0] += 1
            inside[1] = max(inside)
        assert other.wait(DEADLINE), "what has no limit goes on beside them"
        with lock:
            inside[0] -= 1
            handled.append(event.hit_keyword.token)

    def free(event: conversation_new_message.Event) -> None:
        other.set()

    table = with_code(limited, notify="never", concurrency=2)
    table = with_event(table, free, "conversation_new_message", notify="never")
    with running(table, store, threads=6) as program:
        for number in range(12):
            assert program.event(HIT.replace('"t"', f'"{number}"')) == ACCEPTED
        wait_until(lambda: inside[0] == 2)
        assert program.event(NEW_MESSAGE) == ACCEPTED
        program.wait_done()
    assert sorted(map(int, handled)) == list(range(12))
    assert inside[1] == 2
    assert program.figures.snapshot().events == EventCounts(ended=13)


def test_a_result_is_delivered_again_without_another_run(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    code = Code(lambda ctx: None, notify="after")
    assert EventProgram(code.table, store).event() == ACCEPTED
    with running(code.table, Wrapped(store, "add", fails(StoreError("gone")), times=2)) as program:
        program.wait_done()
    assert code.attempts == [1]
    assert program.notified == ["notify-0"]
    assert program.stored("notify-0")["hit_keyword_result"] == {"messages": 1}
    assert "of event:hit_keyword: the app is not told, CallError (gone); it will be tried again" in caplog.text


@pytest.mark.parametrize("method", ["begin", "keep_outcome", "add", "postpone", "finish_soon", "claim", "renew"])
def test_an_event_outlives_a_store_that_fails_in_between(store: Store, method: str) -> None:
    code = Code(failing(ValueError(), times=1), notify="after")
    assert EventProgram(code.table, store).event() == ACCEPTED
    wrapped = Wrapped(store, method, fails(StoreError("gone")), times=2)
    with running(code.table, wrapped, lease=SHORT) as program:
        program.wait_done()
    assert len(code.attempts) >= 2
    assert set(program.notified) == {"notify-0"}
    assert program.stored("notify-0")["hit_keyword_result"]["messages"] >= 2


def test_a_handler_whose_job_is_gone_from_the_store_runs_again_from_memory() -> None:
    """Somebody has emptied the store."""

    def clear_once(ctx: EventContext) -> None:
        if ctx.attempt == 1:
            store._jobs.clear()  # type: ignore[attr-defined]  # as FLUSHALL does
            raise ValueError

    code = Code(clear_once)
    with closing(open_store("memory:")) as store, running(code.table, store) as program:
        assert program.event() == ACCEPTED
        wait_until(lambda: len(code.attempts) == 2)
        wait_until(lambda: program.figures.snapshot().events.ended)
    assert code.attempts == [1, 2]


def test_what_no_contract_lists_is_left_out_of_what_the_handler_gets(memory: Store) -> None:
    tokens: list[str] = []

    def handler(event: hit_keyword.Event) -> None:
        tokens.append(event.hit_keyword.token)

    with running(with_code(handler), memory) as program:
        text = HIT.replace('"token"', '"new":[1.50],"token"')
        assert program.event(text) == ACCEPTED
        program.wait_done()
    assert tokens == ["t"]
    assert program.store.get("corp", 7, "notify-0") == text


def test_an_event_that_does_not_fit_its_contract_fails_and_still_reaches_the_app(memory: Store) -> None:
    code = Code(lambda ctx: None, notify="after", retries=0)
    text = '{"event_type":"hit_keyword","timestamp":"soon"}'
    program = handled(code.table, memory, data=text)
    assert code.attempts == []
    assert program.notified == ["notify-0"]
    assert program.stored("notify-0") == json.loads(text)


def test_a_result_outside_of_its_contract_is_an_error(memory: Store) -> None:
    def handler(event: hit_keyword.Event) -> Archived:
        return Archived(messages="many")  # type: ignore[arg-type]  # what the test is about

    program = handled(with_code(handler, notify="after", retries=0), memory)
    assert program.stored("notify-0") == json.loads(HIT)
    assert program.figures.snapshot().events.failed == 1


def test_programs_that_share_a_store_leave_each_other_s_events_alone(store: Store) -> None:
    handled: list[str] = []

    def of_one(event: hit_keyword.Event) -> None:
        handled.append("one")

    def of_two(event: conversation_new_message.Event) -> None:
        handled.append("two")

    one = with_code(of_one, notify="never")
    two = with_code(of_two, "conversation_new_message", notify="never")
    with running(two, store) as second:
        assert EventProgram(one, store).event() == ACCEPTED
        assert second.event(NEW_MESSAGE) == ACCEPTED
        wait_until(lambda: handled == ["two"])
        assert store.job_figures().waiting + store.job_figures().claimed >= 1
        with running(one, store) as first:
            first.wait_done()
    assert handled == ["two", "one"]


def test_no_call_reaches_an_event_s_handler(memory: Store) -> None:
    code = Code(lambda ctx: None)
    program = EventProgram(code.table, memory)
    for is_async in (False, True):
        call = app_call("event:hit_keyword", HIT, is_async=is_async, job_info="job")
        assert "unknown ability_id" in program.dispatcher.dispatch(call).text
    assert (memory.job_figures().waiting, code.attempts) == (0, [])


def test_nothing_of_an_event_reaches_the_log(memory: Store, caplog: pytest.LogCaptureFixture) -> None:
    def handler(event: hit_keyword.Event) -> Archived:
        raise ValueError(event.hit_keyword.token)

    with caplog.at_level(logging.DEBUG), running(with_code(handler, notify="after", retries=1), memory) as program:
        assert program.event(HIT.replace('"t"', '"a-secret"')) == ACCEPTED
        program.wait_done()
    assert "event:hit_keyword failed in test_events:" in caplog.text
    assert "a-secret" not in caplog.text
