"""Asynchronous calls: kept before they are accepted, run at least once, reported until the platform accepts it."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import product
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from msgspec.structs import replace

from tests.stores.suites.rig import ManualClock
from tests.support.apps import ROOT
from tests.support.jobs import (
    REPORT,
    SHORT,
    Held,
    Platform,
    Process,
    Result,
    Work,
    Wrapped,
    accept,
    all_reported,
    answer,
    fails,
    job,
    leave_behind,
    reported,
    wait_empty,
    working,
)
from tests.support.kernel import app_call, reference_table, with_handler
from tests.support.redis_server import local_redis
from tests.support.sdk import network_failure
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.errors import StoreError
from wwspec_router.envelope import Call, Deadline
from wwspec_router.handlers.ability import ability
from wwspec_router.jobs.executor import GIVE_UP_AFTER, MAX_RUNS
from wwspec_router.jobs.reports import PATIENCE, REFUSALS, Verdict, report
from wwspec_router.jobs.runner import LEASE, Jobs
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.kernel.intake import JobIntake
from wwspec_router.monitoring.figures import Figures, JobCounts
from wwspec_router.registry.file import Program
from wwspec_router.registry.table import build_table
from wwspec_router.stores import open_store
from wwspec_router.stores.base import Store
from wwspec_router.stores.failed import Failure
from wwspec_router.stores.job import Job, Outcome


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'jobs.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(open_store(url)) as store:
        yield store


def test_the_kernel_answers_asynchronous_calls_through_the_journal(store: Store) -> None:
    sdk = Platform()
    wake = threading.Event()
    kernel = Dispatcher(reference_table(), sdk, store, jobs=JobIntake(store, wake.set))
    jobs = Jobs(store, sdk, kernel, Figures(()), wake, 2)
    jobs.start()
    accepted = kernel.dispatch(app_call("invoke_sync_msg", '{"limit":1}', is_async=True, job_info="j"))
    refused = kernel.dispatch(app_call("no_such", is_async=True, job_info="k"))
    assert (accepted.errcode, refused.errcode) == (0, 710660)
    assert sdk.wait_for(1) == [("j", {"errcode": 0, "result": '{"errcode":0,"errmsg":"ok"}'})]
    assert jobs.stop(DEADLINE) == 0


@pytest.mark.parametrize(
    "failure",
    [network_failure(REPORT), -1, 45033, 45009, 48002, 799999, "[" * 100_000, "[" + "9" * 5000 + "]", "{"],
    ids=["network", "busy", "concurrency", "rate", "right", "unknown", "too deep", "too long a number", "no JSON"],
)
def test_a_report_that_is_not_accepted_is_sent_again_without_a_run(
    store: Store, failure: int | str | Exception
) -> None:
    sdk = Platform(failure)
    runs: list[int] = []

    def run(call: Call) -> Result:
        runs.append(call.attempt)
        return answer(call)

    reports = reported(store, sdk, run, job(), 2)
    assert runs == [1]
    assert reports[0] == reports[1]


@pytest.mark.parametrize("errcode", [790010, 790017])
def test_a_refusal_for_good_ends_the_job(store: Store, errcode: int, caplog: pytest.LogCaptureFixture) -> None:
    sdk = Platform(errcode)
    reported(store, sdk, answer)
    assert f"({errcode})" in caplog.text


@pytest.mark.parametrize("errcode", [40058, 40063, 40206, 45029, 710639, 790013, 790014, 790022])
def test_a_refused_result_is_replaced_by_an_error(store: Store, errcode: int, caplog: pytest.LogCaptureFixture) -> None:
    sdk = Platform(errcode)
    reports = reported(store, sdk, answer, job(data='{"note":"a secret"}'), 2)
    assert reports[1][1]["errcode"] == errcode
    assert json.loads(reports[1][1]["result"])["errcode"] == errcode
    assert json.loads(reports[1][1]["result"])["errmsg"].startswith("the platform refused the result: ")
    assert f"result refused ({errcode})" in caplog.text
    assert "secret" not in caplog.text


def test_a_refusal_that_nobody_knows_is_one_of_the_result_when_it_comes_again_and_again(store: Store) -> None:
    sdk = Platform(799999)
    accept(store, job())
    for _ in range(PATIENCE - 1):
        wait_until(lambda: store.claim("one whose reports were refused", 1, 0.001))
    with working(store, sdk, answer):
        reports = all_reported(store, sdk, 2)
    assert [report["errcode"] for _, report in reports] == [0, 799999]


@pytest.mark.parametrize("claims", [1, PATIENCE - 1, PATIENCE])
def test_a_refusal_that_may_pass_costs_no_result_however_often_it_comes(claims: int) -> None:
    claimed = Job(job_id="j", corpid="corp", agentid=1, ability_id="any", data="{}", notify_id="", claims=claims)
    tokens = (40014, 42001)
    for errcode in (-1, *tokens, 45009, 45033, 45036, 48001, 48002, 710641, 710645, 710671, 710673, 790020, 790021):
        sdk = Platform(errcode)
        assert report(sdk, claimed, Outcome(errcode=0, result="{}")) is Verdict.FAILED, errcode
        assert len(sdk.reports) == 1, errcode


def test_each_errcode_of_a_report_is_in_one_table_with_a_reason() -> None:
    assert all(refusal.reason for refusal in REFUSALS.values())
    assert {refusal.verdict for refusal in REFUSALS.values()} == {*Verdict, None}
    assert 0 not in REFUSALS


def test_a_report_is_sent_for_a_day_and_then_given_up_and_its_job_set_aside(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    sdk, figures, clock = Platform(*[-1] * 100), Figures(()), ManualClock()
    with (
        closing(open_store(url, clock=clock)) as store,
        working(store, sdk, answer, lease=SHORT, figures=figures) as process,
    ):
        process.accept(job())
        for reports in range(1, 41):
            sdk.wait_for(reports)
            wait_until(lambda: store.job_figures().waiting == 1)
            clock.advance(60.0)
        sdk.wait_for(41)
        wait_until(lambda: store.job_figures().waiting == 1)
        assert "given up" not in caplog.text
        clock.advance(GIVE_UP_AFTER)
        all_reported(store, sdk, 42)
        assert [each.failure for each in store.failed_jobs("corp", 7, 9)] == [Failure(error="report not accepted")]
    assert "given up" in caplog.text
    assert figures.snapshot().jobs.given_up == 1


def test_a_job_that_never_ends_is_an_error_and_not_begun_again(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    @ability
    def poison(request: Work) -> Result:
        raise NotImplementedError

    sdk, figures = Platform(), Figures(())
    registry = replace(reference_table().registry, program=Program(crash_errcode=9003))
    kernel = Dispatcher(with_handler(replace(reference_table(), registry=registry), poison), sdk, store)
    accept(store, app_call("poison", is_async=True, job_info="j"))
    leave_behind(store, MAX_RUNS)
    with working(store, sdk, kernel, figures=figures):
        ((_, report),) = all_reported(store, sdk)
    assert report["errcode"] == 9003
    assert json.loads(report["result"])["errmsg"] == "the ability was begun 5 times and never ended"
    assert "ended none of its 5 runs" in caplog.text
    assert figures.snapshot().jobs == JobCounts(ended=1, failed=1, given_up=0)


def test_an_unstorable_reply_is_an_error(store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    registry = tmp_path / "registry.toml"
    registry.write_text("[program]\ncrash_errcode = 9003\n[abilities.odd]\napi = 'sync_msg'\noutput_policy = 'off'\n")
    sdk = Platform()
    sdk.replies["sync_msg"] = '{"secret":"\ud800"}'
    kernel = Dispatcher(build_table(ROOT, registry), sdk, store)
    ((_, report),) = reported(store, sdk, kernel, app_call("odd", is_async=True, job_info="j"))
    assert json.loads(report["result"]) == {"errcode": 9003, "errmsg": "internal error of the program"}
    assert "of odd: its result holds a lone surrogate" in caplog.text
    assert "secret" not in caplog.text


def test_a_call_that_is_over_its_time_is_not_accepted(store: Store) -> None:
    sdk = Platform()
    kernel = Dispatcher(reference_table(), sdk, store, jobs=JobIntake(store, lambda: None))
    call = app_call("invoke_sync_msg", is_async=True, job_info="j")
    assert "longer than its timeout" in kernel.answer(call, kernel.route(call), Deadline(monotonic())).text
    assert store.job_figures().waiting == 0


def test_a_job_that_outlasts_its_lease_is_run_once_while_its_process_lives(store: Store) -> None:
    sdk, run = Platform(), Held()
    with working(store, sdk, run, lease=1.0), working(store, sdk, run, lease=1.0) as other:
        other.accept(job())
        wait_until(lambda: store.job_figures().oldest_age > 3.0)
        assert store.job_figures().claimed == 1
        run.go_on.set()
        all_reported(store, sdk)
    assert run.order == ["job-1"]
    assert len(sdk.reports) == 1


def test_a_job_that_runs_on_after_its_lease_is_not_begun_again_by_its_own_process(url: str) -> None:
    sdk, clock, run = Platform(), ManualClock(), Held()
    with closing(open_store(url, clock=clock)) as store, working(store, sdk, run) as process:
        process.accept(job())
        assert run.begun.wait(DEADLINE)
        clock.advance(LEASE)
        wait_until(lambda: store.job_figures().claimed == 1)
        run.go_on.set()
        all_reported(store, sdk)
    assert run.order == ["job-1"]


@pytest.mark.slow  # an outage of seconds
def test_a_process_whose_renewals_fail_for_a_while_tries_them_again_in_time(store: Store) -> None:
    sdk, run, failures = Platform(), Held(), 6
    journal = Wrapped(store, "renew", fails(StoreError("no answer")), failures)
    with working(journal, sdk, run, lease=6.0) as owner:
        owner.accept(job())
        assert run.begun.wait(DEADLINE)
        with working(store, sdk, run, lease=6.0):  # which would take the job as soon as its lease is over
            wait_until(lambda: journal.calls > failures + 1)
            run.go_on.set()
            all_reported(store, sdk)
    assert run.order == ["job-1"]


@pytest.mark.slow  # an outage of seconds
def test_a_process_that_reaches_the_journal_again_after_an_outage_leaves_the_jobs_to_those_that_run_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sdk, run, lease = Platform(), Held("long"), 3.0
    with (
        local_redis(tmp_path) as server,
        closing(open_store(server.url)) as its_own,
        closing(open_store(server.url)) as another,
        ExitStack() as others,
        working(its_own, sdk, run, threads=1, lease=lease) as owner,
    ):
        owner.accept(job("long"))
        assert run.begun.wait(DEADLINE)
        finders = [others.enter_context(working(another, sdk, run, threads=1, lease=lease)) for _ in range(4)]
        server.kill()
        down = monotonic()
        wait_until(lambda: monotonic() > down + lease)  # the server's clock runs on: every lease is over
        server.start()
        finders[0].accept(job("short"))
        assert [info for info, _ in sdk.wait_for(1)] == ["short"]
        run.go_on.set()
        all_reported(another, sdk, 2)
    assert run.order == ["long", "short"]
    assert len(sdk.reports) == 2
    assert "the journal of jobs failed" in caplog.text


def test_a_journal_that_fails_each_tick_is_logged_once_a_second(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    journal = Wrapped(store, "claim", fails(StoreError("the disk is gone")), times=10)
    sdk = Platform()

    def is_reported() -> bool:
        process.wake.set()  # each look at the journal is a tick
        return bool(sdk.reports)

    with working(journal, sdk, answer) as process:
        process.accept(job("late"))
        wait_until(is_reported)
    lines = [each.getMessage() for each in caplog.records if "the journal of jobs failed" in each.getMessage()]
    assert lines[0] == "the journal of jobs failed: the disk is gone"
    assert len(lines) < journal.calls / 2


def test_a_hanging_job_is_reported_and_takes_no_other_s_thread(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    sdk, run = Platform(), Held("hangs")
    process = Process(store, sdk, run, 1, hang_after=0.05)
    process.jobs.start()
    process.accept(job("hangs"))
    process.accept(job("waits"))
    assert [info for info, _ in sdk.wait_for(1)] == ["waits"]
    assert process.jobs.threads.replaced == 1
    run.go_on.set()
    assert [info for info, _ in sdk.wait_for(2)] == ["waits", "hangs"]
    wait_empty(store)
    assert process.jobs.stop(DEADLINE) == 0
    assert process.jobs.threads.replaced == 0
    assert "a job of any has been running on wwspec-job-1 for" in caplog.text
    assert "the thread was replaced" in caplog.text
    assert " < jobs.py:" in caplog.text


def test_a_job_that_hangs_is_logged_also_when_its_thread_stays(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    sdk, run = Platform(), Held()
    with working(store, sdk, run, threads=1, hang_after=0.05) as process:
        process.accept(job("hangs"))
        process.accept(job("hangs too"))
        wait_until(lambda: "no thread takes its place" in caplog.text)
        assert process.jobs.threads.replaced == 1
        run.go_on.set()
        sdk.wait_for(2)
    # Of the reports of both nothing is said: they may take far longer than a job, also on a slow machine.
    hanging = [line for line in caplog.messages if "has been running" in line]
    assert [line.partition(" has")[0] for line in hanging] == ["a job of any"] * 2


def test_a_job_that_hangs_beyond_its_timeout_is_reported_late(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    released = threading.Event()

    @ability
    def hanging(request: Work) -> Result:
        assert released.wait(DEADLINE)
        return Result()

    sdk, figures = Platform(), Figures(())
    kernel = Dispatcher(with_handler(reference_table(), hanging, timeout=1.0), sdk, store)
    with working(store, sdk, kernel, threads=1, hang_after=0.05, figures=figures) as process:
        process.accept(app_call("hanging", is_async=True, job_info="j"))
        ((_, report),) = all_reported(store, sdk)
        wait_until(lambda: process.jobs.running == 0)
        assert process.jobs.threads.replaced == 1
        released.set()
        wait_until(lambda: process.jobs.threads.replaced == 0)
    assert report["errcode"] == 710660
    assert "longer than its timeout" in report["result"]
    assert "ended after its timeout was reported" in caplog.text
    assert len(sdk.reports) == 1
    assert figures.snapshot().jobs == JobCounts(ended=1, failed=1, given_up=0)


def test_stopping_keeps_what_was_not_begun(store: Store) -> None:
    sdk, run = Platform(), Held()
    process = Process(store, sdk, run, 1)
    process.jobs.start()
    for number in range(3):
        process.accept(job(f"job-{number}"))
    assert run.begun.wait(DEADLINE)
    assert process.jobs.stop(0.05) == 1
    run.go_on.set()
    assert process.jobs.stop(DEADLINE) == 0
    assert [info for info, _ in sdk.reports] == ["job-0"]
    with working(store, sdk, answer):
        reports = all_reported(store, sdk, 3)
    assert {info for info, _ in reports} == {"job-0", "job-1", "job-2"}


@pytest.mark.parametrize(
    ("method", "error"),
    [
        *product(["claim", "keep_outcome"], [StoreError("the disk is on fire"), ValueError("a secret")]),
        ("claim", LookupError("a secret")),
        ("keep_outcome", SystemExit("a secret")),
    ],
)
def test_whatever_a_journal_raises_is_logged_and_ends_no_thread_and_the_job_is_run_again(
    method: str, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    sdk = Platform()
    with closing(open_store("memory:")) as store:
        reported(Wrapped(store, method, fails(error)), sdk, answer, threads=1, lease=SHORT)
    assert "the disk is on fire" in caplog.text or type(error).__name__ in caplog.text
    assert "secret" not in caplog.text


def test_an_sdk_that_ends_the_thread_is_a_report_that_was_not_accepted(store: Store) -> None:
    def end_the_thread() -> None:
        raise SystemExit("a secret")

    reported(store, Platform(end_the_thread), answer)


def test_what_is_claimed_while_a_stop_begins_is_given_back_and_was_no_attempt(store: Store) -> None:
    sdk = Platform()
    go_on = threading.Event()

    def claim_late(owner: str, limit: int, lease: float, **more: Any) -> list[Any]:
        assert go_on.wait(DEADLINE)
        return store.claim(owner, limit, lease, **more)

    journal = Wrapped(store, "claim", claim_late)
    process = Process(journal, sdk, answer, 1)
    process.jobs.start()
    wait_until(lambda: journal.calls)
    process.accept(job())
    process.jobs.stop(0.05)
    go_on.set()
    assert process.jobs.stop(DEADLINE) == 0
    assert sdk.reports == []
    assert [each.attempt for each in store.claim("the next", 1, LEASE)] == [0]


def test_a_process_without_jobs_asks_the_journal_once_a_tick() -> None:
    with closing(open_store("memory:")) as store:
        journal = Wrapped(store, "claim", store.claim)
        process = Process(journal, Platform(), answer, 1)
        process.jobs.start()
        wait_until(lambda: journal.calls)
        process.jobs.stop(DEADLINE)
        assert journal.calls == 1
