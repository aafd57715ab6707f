"""What a job keeps counts with its run: it is stored with the job's outcome or its end, or the job runs again."""

import json
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.handlers.contracts import Ask, Said
from tests.stores.suites.rig import ManualClock
from tests.support.events import PAUSE, EventProgram, handled, running, with_code
from tests.support.jobs import Platform, Wrapped, all_reported, fails, reported, working
from tests.support.kernel import app_call, reference_table, with_handler
from tests.support.sdk import MemorySdk
from tests.support.waiting import DEADLINE, Gate, wait_until
from wwspec_contracts.errors import KeptConflictError, StoreError
from wwspec_contracts.events import hit_keyword
from wwspec_router import Context, Contract, EventContext, ability
from wwspec_router.jobs.executor import MAX_RUNS
from wwspec_router.jobs.runner import LEASE
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.monitoring.figures import EventCounts, Figures, JobCounts
from wwspec_router.registry.file import OnceRow
from wwspec_router.registry.table import AbilityTable
from wwspec_router.stores import Store, open_store
from wwspec_router.stores.kept import KeptKey, KeptWrite

CALL = app_call("act", is_async=True, job_info="j")
Act = Callable[[Any], Any]


class Result(Contract):
    runs: int = 0


def calls(store: Any, sdk: Platform, act: Act, timeout: float | None = None, once: Any = None) -> Dispatcher:

    @ability
    def handler(request: Ask, ctx: Context) -> Said:
        return act(ctx) or Said()

    handler.__name__ = "act"
    return Dispatcher(with_handler(reference_table(), handler, timeout, once=once), sdk, store)


def events(act: Act, **row: Any) -> AbilityTable:

    def handler(event: hit_keyword.Event, ctx: EventContext) -> Result:
        return act(ctx) or Result()

    return with_code(handler, **row)


def kept(store: Store, key: str = "runs") -> Any:
    value = store.read_kept(KeptKey("corp", 7, "app", key))
    return None if value is None else json.loads(value.text)


def count(ctx: Context) -> None:
    ctx.kept.set("runs", (ctx.kept.get("runs", int) or 0) + 1, unchanged=True)


def change(store: Store, number: int) -> None:
    key = KeptKey("corp", 7, "app", "runs")
    store.write_kept([KeptWrite(key=key, text=str(number), version=f"other {number}")])


def test_a_call_stores_what_it_keeps_before_its_result_is_reported(store: Store) -> None:
    sdk, seen = Platform(), []
    sdk.on_report = lambda job_info, report: seen.append(kept(store))
    reported(store, sdk, calls(store, sdk, count), CALL)
    assert seen == [1]


@pytest.mark.parametrize("error", [StoreError("the disk is full"), KeptConflictError()])
def test_a_call_whose_outcome_is_not_kept_reports_nothing_and_runs_again(store: Store, error: StoreError) -> None:
    sdk, figures, attempts = Platform(), Figures(()), []

    def act(ctx: Context) -> None:
        attempts.append((ctx.attempt, len(sdk.reports), kept(store)))
        count(ctx)

    journal = Wrapped(store, "keep_outcome", fails(error))
    [(_, report)] = reported(journal, sdk, calls(store, sdk, act), CALL, figures=figures, retry_pause=PAUSE)
    assert attempts == [(1, 0, None), (2, 0, None)]
    assert report["errcode"] == 0
    assert kept(store) == 1
    assert figures.snapshot().jobs == JobCounts(ended=1)


def test_a_call_that_can_never_store_what_it_keeps_is_reported_as_failed(store: Store) -> None:
    sdk, attempts = Platform(), []

    def act(ctx: Context) -> None:
        attempts.append(ctx.attempt)
        ctx.kept.get("runs", int)
        change(store, -ctx.attempt)
        ctx.kept.set("runs", 1, unchanged=True)

    [(_, report)] = reported(store, sdk, calls(store, sdk, act), CALL, retry_pause=PAUSE / 100)
    assert attempts == list(range(1, MAX_RUNS + 1))
    assert json.loads(report["result"])["errmsg"] == "what the ability keeps could not be stored"
    assert kept(store) == -MAX_RUNS


def test_a_run_that_another_process_took_over_stores_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sdk, clock, gate = Platform(), ManualClock(), Gate()

    def act(ctx: Context) -> None:
        count(ctx)
        gate.hold()

    with closing(open_store(f"sqlite:{tmp_path / 'taken.db'}", clock=clock)) as store:
        with working(store, sdk, calls(store, sdk, act), threads=1) as process:
            process.accept(CALL)
            assert gate.begun.wait(DEADLINE)
            clock.advance(LEASE)
            assert store.claim("another process", 1, LEASE)
            gate.go_on.set()
            wait_until(lambda: process.jobs.running == 0)
        assert kept(store) is None
    assert sdk.reports == []
    assert "was taken over by another process" in caplog.text


def refuses(ctx: Context) -> Any:
    count(ctx)
    return Said(errcode=7)


def breaks(ctx: Context) -> None:
    count(ctx)
    raise ValueError


@pytest.mark.parametrize("act", [refuses, breaks])
def test_a_call_that_fails_is_reported_and_stores_nothing(store: Store, act: Act) -> None:
    sdk = Platform()
    [(_, report)] = reported(store, sdk, calls(store, sdk, act), CALL)
    assert report["errcode"] != 0
    assert kept(store) is None


def test_a_run_that_ends_after_its_time_out_was_reported_stores_nothing(store: Store) -> None:
    sdk, gate = Platform(), Gate()

    def act(ctx: Context) -> None:
        count(ctx)
        gate.hold()

    once = OnceRow(key="*")  # its function does not mind that it is late
    kernel = calls(store, sdk, act, timeout=0.05, once=once)
    with working(store, sdk, kernel, hang_after=0.05, lease=3.0) as process:
        process.accept(CALL)
        [(_, report)] = sdk.wait_for(1)
        assert "took longer than its timeout" in report["result"]
        gate.go_on.set()
        wait_until(lambda: process.jobs.threads.replaced == 0)
    assert kept(store) is None
    assert store.forget("corp").replies == 0  # its key is free again


def test_a_call_that_runs_once_stores_what_it_keeps_although_its_first_try_failed(store: Store) -> None:
    """Its reply is kept after that: else the second run would take the reply, and its changes would be lost."""
    sdk = Platform()
    journal = Wrapped(store, "keep_outcome", fails(KeptConflictError()))
    kernel = calls(store, sdk, count, once=OnceRow(key="*"))
    with working(journal, sdk, kernel, retry_pause=PAUSE) as process:
        process.accept(CALL)
        all_reported(store, sdk)
        assert kept(store) == 1
        assert json.loads(kernel.dispatch(app_call("act")).text)["errcode"] == 0
    assert kept(store) == 1, "the repeat gets the reply"


def test_a_job_that_is_gone_from_the_journal_stores_and_reports_no_success(store: Store) -> None:
    sdk = Platform()

    def act(ctx: Context) -> None:
        count(ctx)
        steps = ctx.call.run.steps
        assert store.finish(steps._owner, steps._job_id)

    with working(store, sdk, calls(store, sdk, act)) as process:
        process.accept(CALL)
        [(_, report)] = sdk.wait_for(1)
    assert report["errcode"] != 0
    assert kept(store) is None


@pytest.mark.parametrize("notify", ["now", "after", "never"])
def test_code_on_an_event_stores_what_it_keeps_once(store: Store, notify: str) -> None:
    with running(events(count, notify=notify), store) as program:
        program.event()
        program.event()
        program.wait_done()
    assert kept(store) == 2
    snapshot = program.figures.snapshot().events
    assert (snapshot.ended, snapshot.failed) == (2, 0)


@pytest.mark.parametrize(("notify", "method"), [("now", "finish"), ("after", "keep_outcome"), ("never", "finish")])
def test_an_event_whose_changes_are_not_stored_is_handled_again_before_the_app_is_notified(
    store: Store, notify: str, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    attempts = []

    def act(ctx: EventContext) -> None:
        attempts.append((ctx.attempt, len(program.notified)))
        count(ctx)

    journal = Wrapped(store, method, fails(StoreError("the disk is full")))
    with running(events(act, notify=notify), journal) as program:
        program.event()
        wait_until(lambda: len(attempts) == 2)
        program.wait_done()
    before = int(notify == "now")
    assert attempts == [(1, before), (2, before)]
    assert kept(store) == 1
    assert len(program.notified) == int(notify != "never")
    assert program.figures.snapshot().events == EventCounts(ended=1, retried=1)
    assert re.search(r"what it keeps is not stored, it runs again in \d\.\d s: the disk is full", caplog.text)


def test_a_finish_that_was_done_and_seemed_to_fail_is_not_done_twice(store: Store) -> None:
    def finish(*arguments: Any) -> bool:
        store.finish(*arguments)
        raise StoreError("the connection is lost")

    with running(events(count), Wrapped(store, "finish", finish)) as program:
        program.event()
        wait_until(lambda: program.figures.snapshot().events.ended == 1)
        program.wait_done()
    assert kept(store) == 1
    assert program.figures.snapshot().events == EventCounts(ended=1)


def test_an_event_whose_job_could_not_be_finished_counts_once(store: Store) -> None:
    runs = []
    journal = Wrapped(store, "finish", fails(StoreError("the disk is full")))
    with running(events(lambda ctx: runs.append(1)), journal, lease=0.3) as program:
        program.event()
        wait_until(lambda: len(runs) == 2)
        program.wait_done()
    assert program.figures.snapshot().events == EventCounts(ended=1)


def test_code_that_fails_stores_nothing_until_it_works(store: Store) -> None:
    def act(ctx: EventContext) -> None:
        ctx.kept.set(f"attempt {ctx.attempt}", 1)
        if ctx.attempt < 3:
            raise ValueError

    handled(events(act), store)
    assert [kept(store, f"attempt {each}") for each in (1, 2, 3)] == [None, None, 1]


def test_a_program_that_runs_no_jobs_has_no_run(store: Store) -> None:
    program = EventProgram(events(count), store, MemorySdk())
    program.event()
    assert kept(store) is None
    assert store.job_figures().waiting == 1
