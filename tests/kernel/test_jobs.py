"""Asynchronous calls: kept before they are accepted, run at least once, reported until heard."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.conftest import DEADLINE, MemorySdk, app_call, network_failure
from wwspec_router.dispatch import Dispatcher
from wwspec_router.envelope import Call, Reply
from wwspec_router.errors import StoreError
from wwspec_router.jobs import Jobs
from wwspec_router.stores import open_store
from wwspec_router.stores.base import Store
from wwspec_router.table import AbilityTable

REPORT = "program_async_job_call_back"


class Platform(MemorySdk):
    """The platform's end of the reports: what it was told, and what it answers."""

    def __init__(self, *answers: int | str | Exception) -> None:
        super().__init__()
        self.answers = list(answers)
        self.heard: list[tuple[str, Any]] = []
        self.changed = threading.Condition()
        self.replies[REPORT] = self._hear

    def _hear(self, request: str) -> str:
        answer = self.answers.pop(0) if self.answers else 0
        with self.changed:
            self.heard.append((self.calls[-1].job_info, json.loads(request)))
            self.changed.notify_all()
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return answer
        return json.dumps({"errcode": answer, "errmsg": "x"})

    def wait_for(self, reports: int) -> list[tuple[str, Any]]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.heard) >= reports, DEADLINE)
            return list(self.heard)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = "memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'jobs.db'}"
    with closing(open_store(url)) as store:
        yield store


@contextmanager
def working(store: Store, sdk: MemorySdk, run: Callable[[Call], Reply], threads: int = 2) -> Iterator[Jobs]:
    jobs = Jobs(store, sdk, threads)
    jobs.start(run)
    try:
        yield jobs
    finally:
        assert jobs.stop(DEADLINE) == 0


def wait_empty(store: Store) -> None:
    """Wait until the journal holds no job."""
    for _ in range(int(DEADLINE / 0.01)):
        figures = store.job_figures()
        if figures.waiting + figures.claimed == 0:
            return
        threading.Event().wait(0.01)
    raise AssertionError("jobs are left in the journal")


def answer(call: Call) -> Reply:
    return Reply(json.dumps({"errcode": 0, "errmsg": "ok", "said": call.data}))


def job(job_info: str = "job-1", data: str = "{}") -> Call:
    return app_call("any", data, is_async=True, job_info=job_info)


def test_a_job_is_answered_as_accepted_and_its_result_reported(store: Store) -> None:
    sdk = Platform()
    with working(store, sdk, answer) as jobs:
        assert json.loads(jobs.accept(job("info-7", '{"a":1}'))) == {"errcode": 0, "errmsg": "ok"}
        ((job_info, report),) = sdk.wait_for(1)
        wait_empty(store)
    assert job_info == "info-7"
    assert report["errcode"] == 0
    assert json.loads(report["result"])["said"] == '{"a":1}'


def test_the_kernel_answers_asynchronous_calls_through_the_journal(store: Store, reference_table: AbilityTable) -> None:
    sdk = Platform()
    jobs = Jobs(store, sdk, 2)
    kernel = Dispatcher(reference_table, sdk, store, jobs=jobs)
    jobs.start(kernel.run_job)
    accepted = kernel.dispatch(app_call("invoke_sync_msg", '{"limit":1}', is_async=True, job_info="j"))
    refused = kernel.dispatch(app_call("no_such", is_async=True, job_info="k"))
    assert (accepted.errcode, refused.errcode) == (0, 710660)
    assert sdk.wait_for(1) == [("j", {"errcode": 0, "result": '{"errcode":0,"errmsg":"ok"}'})]
    assert jobs.stop(DEADLINE) == 0


def test_an_error_of_the_ability_is_reported_as_such(store: Store, reference_table: AbilityTable) -> None:
    sdk = Platform()
    kernel = Dispatcher(reference_table, sdk, store)
    with working(store, sdk, kernel.run_job) as jobs:
        jobs.accept(app_call("invoke_sync_msg", '{"limit":"x"}', is_async=True, job_info="j"))
        ((_, report),) = sdk.wait_for(1)
    assert report["errcode"] == 710660
    assert "$.limit" in json.loads(report["result"])["errmsg"]


def test_a_job_that_can_not_be_stored_is_not_accepted(reference_table: AbilityTable) -> None:
    store = open_store("memory:")
    store.close()
    sdk = Platform()
    reply = Dispatcher(reference_table, sdk, store, jobs=Jobs(store, sdk, 1)).dispatch(
        app_call("invoke_sync_msg", is_async=True, job_info="j")
    )
    assert json.loads(reply.text) == {"errcode": 710660, "errmsg": "the job could not be stored"}


@pytest.mark.parametrize(
    "failure",
    [network_failure(REPORT), -1, 45033, "[" * 100_000, "[" + "9" * 5000 + "]", "{"],
    ids=["network", "busy", "concurrency", "too deep", "too long a number", "no JSON"],
)
def test_a_report_that_is_not_heard_is_sent_again_without_running_the_ability_again(
    store: Store, failure: int | str | Exception
) -> None:
    sdk = Platform(failure)
    runs: list[int] = []

    def run(call: Call) -> Reply:
        runs.append(call.attempt)
        return answer(call)

    with working(store, sdk, run) as jobs:
        jobs.accept(job())
        reports = sdk.wait_for(2)
        wait_empty(store)
    assert runs == [1]
    assert reports[0] == reports[1]


@pytest.mark.parametrize("errcode", [790010, 790013, 790017])
def test_a_refusal_that_another_attempt_can_not_change_ends_the_job(
    store: Store, errcode: int, caplog: pytest.LogCaptureFixture
) -> None:
    sdk = Platform(errcode)
    with working(store, sdk, answer) as jobs:
        jobs.accept(job())
        sdk.wait_for(1)
        wait_empty(store)
    assert f"({errcode})" in caplog.text


def test_a_result_that_does_not_match_is_replaced_by_an_error_that_does(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    sdk = Platform(790014)
    with working(store, sdk, answer) as jobs:
        jobs.accept(job(data='"a secret"'))
        reports = sdk.wait_for(2)
        wait_empty(store)
    assert reports[1][1]["errcode"] == 790014
    assert set(json.loads(reports[1][1]["result"])) == {"errcode", "errmsg"}
    assert "result refused (790014)" in caplog.text
    assert "secret" not in caplog.text


def test_when_not_even_the_error_matches_the_job_ends(store: Store) -> None:
    sdk = Platform(790014, 790014)
    with working(store, sdk, answer) as jobs:
        jobs.accept(job())
        sdk.wait_for(2)
        wait_empty(store)
    assert len(sdk.heard) == 2


def test_a_job_that_was_left_behind_is_begun_again_with_its_attempt_told(store: Store) -> None:
    sdk = Platform()
    attempts: list[int] = []
    Jobs(store, sdk, 1).accept(job())
    (claimed,) = store.claim("a process that died", 1, 0.05)
    assert claimed.attempt == 1

    def run(call: Call) -> Reply:
        attempts.append(call.attempt)
        return answer(call)

    with working(store, sdk, run):
        sdk.wait_for(1)
        wait_empty(store)
    assert attempts == [2]


def test_jobs_beyond_the_threads_wait_their_turn(store: Store) -> None:
    sdk = Platform()
    running, most = [0], [0]
    lock = threading.Lock()

    def run(call: Call) -> Reply:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        threading.Event().wait(0.005)
        with lock:
            running[0] -= 1
        return answer(call)

    with working(store, sdk, run, threads=3) as jobs:
        for number in range(30):
            jobs.accept(job(f"job-{number}"))
        reports = sdk.wait_for(30)
        wait_empty(store)
    assert sorted(info for info, _ in reports) == sorted(f"job-{number}" for number in range(30))
    assert most[0] <= 3


def test_a_job_that_hangs_is_reported_and_takes_no_thread_from_the_others(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    sdk = Platform()
    released = threading.Event()

    def run(call: Call) -> Reply:
        if call.job_info == "hangs":
            assert released.wait(DEADLINE)
        return answer(call)

    jobs = Jobs(store, sdk, 1, hang_after=0.05)
    jobs.start(run)
    jobs.accept(job("hangs"))
    jobs.accept(job("waits"))
    assert [info for info, _ in sdk.wait_for(1)] == ["waits"]
    assert jobs.replaced == 1
    released.set()
    assert [info for info, _ in sdk.wait_for(2)] == ["waits", "hangs"]
    wait_empty(store)
    assert jobs.stop(DEADLINE) == 0
    assert jobs.replaced == 0
    assert "a job has been running for" in caplog.text
    assert "test_jobs.py:" in caplog.text


def test_stopping_keeps_what_was_not_begun(store: Store) -> None:
    sdk = Platform()
    begun, go_on = threading.Semaphore(0), threading.Event()

    def run(call: Call) -> Reply:
        begun.release()
        assert go_on.wait(DEADLINE)
        return answer(call)

    jobs = Jobs(store, sdk, 1)
    jobs.start(run)
    for number in range(3):
        jobs.accept(job(f"job-{number}"))
    assert begun.acquire(timeout=DEADLINE)
    assert jobs.stop(0.05) == 1
    go_on.set()
    assert jobs.stop(DEADLINE) == 0
    assert [info for info, _ in sdk.heard] == ["job-0"]
    with working(store, sdk, answer):
        reports = sdk.wait_for(3)
        wait_empty(store)
    assert {info for info, _ in reports} == {"job-0", "job-1", "job-2"}


def test_a_failing_journal_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        """A journal whose first look fails."""

        def __init__(self, store: Store) -> None:
            self._store = store
            self._failed = False

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        def claim(self, owner: str, limit: int, lease: float) -> list[Any]:
            if not self._failed:
                self._failed = True
                raise StoreError("the disk is on fire")
            return self._store.claim(owner, limit, lease)

    sdk = Platform()
    with closing(open_store("memory:")) as store, working(Failing(store), sdk, answer) as jobs:
        jobs.accept(job())
        sdk.wait_for(1)
        wait_empty(store)
    assert "the disk is on fire" in caplog.text
