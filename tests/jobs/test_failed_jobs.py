"""Jobs that failed for good: set aside with what failed, run again, dropped; and runs of jobs that were forgotten."""

import json
import threading
from contextlib import closing
from typing import Any

import pytest

from tests.jobs.code import Code, failing
from tests.stores.suites.rig import ManualClock
from tests.support.events import NOTIFY, EventProgram, handled, no_code, running, with_code
from tests.support.jobs import (
    Held,
    Platform,
    Result,
    Wrapped,
    all_reported,
    answer,
    fails,
    job,
    leave_behind,
    reported,
    wait_empty,
    working,
)
from tests.support.sdk import OK, MemorySdk, network_failure
from tests.support.waiting import DEADLINE, Gate, wait_until
from wwspec_contracts.errors import StoreError
from wwspec_router import AbilityError, EventContext
from wwspec_router.envelope import Call
from wwspec_router.jobs.executor import GIVE_UP_AFTER, MAX_RUNS
from wwspec_router.monitoring.figures import EventCounts, Figures, JobCounts
from wwspec_router.stores import open_store
from wwspec_router.stores.base import Store
from wwspec_router.stores.failed import FailedJob, Failure
from wwspec_router.stores.program_keys import forget


def failed(store: Store) -> list[FailedJob]:
    return store.failed_jobs("corp", 7, 9)


def test_an_event_that_ended_none_of_its_runs_is_set_aside(store: Store) -> None:
    table = with_code(no_code, retries=0, notify="after")
    EventProgram(table, store).event()
    leave_behind(store, MAX_RUNS)
    with running(table, store) as program:
        program.wait_done()
    assert program.notified == ["notify-0"], "it still reaches the app"
    assert program.figures.snapshot().events == EventCounts(ended=1, failed=1)
    assert [each.failure for each in failed(store)] == [Failure(error="ended none of its runs", errcode=710660)]


def test_an_event_that_could_not_be_stored_for_the_app_for_a_day_is_set_aside_with_its_result() -> None:
    clock, may_add = ManualClock(), threading.Event()
    code = Code(lambda ctx: None, notify="after")
    with closing(open_store("memory:", clock=clock)) as store:

        def add(*job: Any, **more: Any) -> None:
            if not may_add.is_set():
                raise StoreError("full")
            store.add(*job, **more)

        EventProgram(code.table, store).event()
        wrapped = Wrapped(store, "add", add, times=9999)
        with running(code.table, wrapped) as program:
            wait_until(lambda: wrapped.calls and store.job_figures().waiting == 1)
            clock.advance(GIVE_UP_AFTER)
            program.wait_done()
            assert [each.failure for each in failed(store)] == [Failure(error="app not notified")]
            may_add.set()
            assert store.retry("corp", 7, failed(store)[0].job_id)
            program.wait_done()
        assert program.stored("notify-0")["hit_keyword_result"] == {"messages": 1}
        assert code.attempts == [1], "it is delivered, and does not run again"
        assert failed(store) == []


@pytest.mark.parametrize("notify", ["now", "after"])
def test_an_event_that_is_run_again_runs_its_code_from_the_first_attempt(store: Store, notify: str) -> None:
    code = Code(failing(LookupError(), times=2), notify=notify, retries=1)
    with running(code.table, store) as program:
        program.event()
        program.wait_done()
        assert store.retry("corp", 7, failed(store)[0].job_id)
        program.wait_done()
    assert code.attempts == [1, 2, 1]
    assert failed(store) == []
    assert program.figures.snapshot().events == EventCounts(ended=2, retried=1, failed=1)
    if notify == "after":
        assert program.notified == ["notify-0", "notify-1"]
        assert "hit_keyword_result" not in program.stored("notify-0")
        assert program.stored("notify-1")["hit_keyword_result"] == {"messages": 3}


def test_a_crash_that_can_not_be_set_aside_is_tried_again_when_its_lease_is_over_and_is_under_the_class_that_was_raised(
    memory: Store,
) -> None:
    once = Wrapped(memory, "set_aside", fails(StoreError("no answer")))
    handled(Code(failing(LookupError("a-secret")), retries=0).table, once, lease=2.0)
    assert once.calls == 2
    (found,) = failed(memory)
    assert (found.attempt, found.failure) == (2, Failure(error="LookupError", errcode=710660))


def test_a_call_of_which_nothing_is_taken_is_given_up_counted_and_set_aside_and_reported_when_it_is_run_again(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    sdk, run, figures = Platform(790014, 790014, 790014), Held(), Figures(())
    run.go_on.set()
    with working(store, sdk, run, figures=figures) as process:
        process.accept(job())
        reports = all_reported(store, sdk, 3)
        assert reports[2:] == [("job-1", {"errcode": 790014, "result": "{}"})]
        assert "given up: not even {} was accepted (790014)" in caplog.text
        assert figures.snapshot().jobs == JobCounts(ended=1, failed=0, given_up=1)
        (found,) = store.failed_jobs("corp", 7, 9)
        assert (found.name, found.failure) == ("any", Failure(error="report refused"))
        assert store.retry("corp", 7, found.job_id)
        assert json.loads(sdk.wait_for(4)[-1][1]["result"])["said"] == "{}"
        wait_empty(store)
    assert run.order == ["job-1"], "its result was kept"
    assert store.job_figures().failed == 0


def test_a_call_that_failed_is_not_set_aside_when_its_error_was_reported(memory: Store) -> None:
    def run(call: Call) -> Result:
        raise AbilityError("no", errcode=1001)

    [(_, report)] = reported(memory, Platform(), run)
    assert report["errcode"] == 1001
    assert memory.job_figures().failed == 0


@pytest.mark.parametrize("ending", ["ends", "fails"])
def test_a_job_that_is_forgotten_while_it_runs_reports_nothing_and_keeps_nothing(store: Store, ending: str) -> None:
    def fail(call: Call) -> Result:
        raise AbilityError("no")

    sdk, run = Platform(), Held(result=fail if ending == "fails" else answer)
    with working(store, sdk, run) as process:
        process.accept(job())
        assert run.begun.wait(DEADLINE)
        assert forget(store, job().corpid).jobs == 1
        run.go_on.set()
        wait_until(lambda: process.jobs.running == 0)
    assert sdk.reports == []
    assert store.job_figures().failed == 0


def test_an_event_that_is_forgotten_while_its_code_runs_is_neither_delivered_nor_run_again(store: Store) -> None:
    gate = Gate()

    def run(ctx: EventContext) -> None:
        gate.hold()
        raise LookupError

    code = Code(run, notify="after")
    with running(code.table, store) as program:
        program.event()
        assert gate.begun.wait(DEADLINE)
        forget(store, "corp")
        gate.go_on.set()
        wait_until(lambda: program.jobs.running == 0)
    assert (code.attempts, program.notified) == ([1], [])
    assert (store.figures().rows, store.job_figures().failed) == (0, 0)


def test_a_job_of_another_corp_that_a_store_has_lost_is_still_reported(memory: Store) -> None:
    """Only the runs of the corp that was forgotten say nothing."""
    sdk, run = Platform(), Held()
    with working(memory, sdk, run) as process:
        process.accept(job())
        assert run.begun.wait(DEADLINE)
        forget(memory, "another corp")
        memory.forget(job().corpid)  # as a lost store: nothing says why the job is gone
        run.go_on.set()
        assert json.loads(sdk.wait_for(1)[0][1]["result"])["said"] == "{}"
        wait_until(lambda: process.jobs.running == 0)


def test_event_that_a_store_has_lost_is_delivered_again_and_its_failed_code_does_not_run_again(memory: Store) -> None:
    def lose(ctx: EventContext) -> None:
        memory.forget("corp")  # as a lost store: nothing says why the job is gone
        raise LookupError

    def notify(request: str) -> str:
        for error in answers:
            raise error
        return OK

    answers = iter([network_failure(NOTIFY)])
    code = Code(lose, notify="after", retries=0)
    with running(code.table, memory, MemorySdk({NOTIFY: notify})) as program:
        program.event()
        wait_until(lambda: len(program.notified) == 2 and program.jobs.running == 0)
    assert code.attempts == [1]
