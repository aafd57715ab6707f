"""Jobs that end their process, hang, or belong to another program; and journals that lose what they were given."""

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.suites.rig import ManualClock
from tests.support.jobs import (
    Platform,
    Process,
    Result,
    Work,
    accept,
    all_reported,
    answer,
    job,
    leave_behind,
    wait_empty,
    working,
)
from tests.support.kernel import app_call, reference_table, with_handler
from tests.support.processes import WITH_ROUTER
from tests.support.redis_server import LocalRedis, local_redis
from tests.support.waiting import DEADLINE, Gate, wait_until
from wwspec_router.envelope import Call
from wwspec_router.handlers.ability import ability
from wwspec_router.handlers.context import Context
from wwspec_router.jobs.executor import MAX_RUNS
from wwspec_router.jobs.runner import LEASE
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.kernel.intake import JobIntake
from wwspec_router.stores import open_store
from wwspec_router.stores.base import Store

PROCESS = Path(__file__).with_name("job_process.py")


@pytest.mark.slow  # a lease has to be over after each death
def test_a_job_that_kills_its_process_again_and_again_takes_no_neighbour(
    url: str, store: Store, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    accepting = JobIntake(store, lambda: None)
    for number in range(8):
        accepting.accept(job(f"job-{number}", '{"kill":true}' if number == 3 else "{}"))
    command = [sys.executable, str(PROCESS), url, str(notes), "8"]
    for died in range(MAX_RUNS + 1):
        done = subprocess.run(command, env=WITH_ROUTER, timeout=DEADLINE, check=False)
        assert (done.returncode == 0) is (died == MAX_RUNS)
    lines = [line.split() for line in notes.read_text().splitlines()]
    reports = {info: (int(errcode), int(attempt)) for what, info, errcode, attempt in lines if what == "reported"}
    assert reports.pop("job-3") == (710660, 0), "it was begun five times and never ended"
    assert [errcode for errcode, _ in reports.values()] == [0] * 7
    assert all(attempt <= 2 for _, attempt in reports.values()), "none is hit twice"
    assert Counter(info for what, info, *_ in lines if what == "begun")["job-3"] == MAX_RUNS


@pytest.mark.parametrize(("begun", "claimed"), [(0, 0), (1, 0), (0, 2 * MAX_RUNS)])
def test_a_handler_sees_its_attempt_and_a_claim_without_a_run_is_none(store: Store, begun: int, claimed: int) -> None:
    @ability
    def counting(request: Work, ctx: Context) -> Result:
        return Result(attempt=ctx.attempt)

    sdk = Platform()
    kernel = Dispatcher(with_handler(reference_table(), counting), sdk, store)
    accept(store, app_call("counting", is_async=True, job_info="j"))
    leave_behind(store, begun)
    for _ in range(claimed):
        wait_until(lambda: store.claim("a process that died before it came to it", 1, 0.001))
    with working(store, sdk, kernel):
        ((_, report),) = all_reported(store, sdk)
    assert json.loads(report["result"])["attempt"] == 1 + begun


class Track:
    """Which jobs run at once. Those that are named wait until they are let go on."""

    def __init__(self, *waiting: str) -> None:
        self.order: list[str] = []
        self.together: dict[str, set[str]] = {}
        self._running: set[str] = set()
        self._lock = threading.Lock()
        self._go_on = {info: threading.Event() for info in waiting}

    def __call__(self, call: Call) -> Result:
        info = call.job_info
        with self._lock:
            self.order.append(info)
            self._running.add(info)
            for each in self._running:
                self.together.setdefault(each, set()).update(self._running)
        if info in self._go_on:
            assert self._go_on[info].wait(DEADLINE)
        else:
            threading.Event().wait(0.01)
        with self._lock:
            self._running.discard(info)
        return answer(call)

    def let_go_on(self, info: str) -> None:
        self._go_on[info].set()


def add_suspects(store: Store, number: int) -> list[str]:
    """Leave jobs behind of which their process may have died."""
    names = [f"suspect-{each}" for each in range(number)]
    accepting = JobIntake(store, lambda: None)
    for name in names:
        accepting.accept(job(name))
    for _ in names:
        leave_behind(store)
    return names


def test_a_suspect_begins_when_no_other_runs_and_others_wait_for_its_end(store: Store) -> None:
    sdk, track = Platform(), Track("before", "suspect-0")
    accepting = JobIntake(store, lambda: None)
    with working(store, sdk, track, threads=4) as process:
        accepting.accept(job("before"))
        wait_until(lambda: track.order == ["before"])
        add_suspects(store, 1)
        wait_until(lambda: process.jobs.running == 2)  # it is claimed, and waits
        accepting.accept(job("after"))
        track.let_go_on("before")
        wait_until(lambda: "suspect-0" in track.order)
        assert track.order == ["before", "suspect-0"]
        track.let_go_on("suspect-0")
        all_reported(store, sdk, 3)
    assert track.order == ["before", "suspect-0", "after"]
    assert track.together["suspect-0"] == {"suspect-0"}


def test_a_suspect_that_hangs_and_jobs_that_hang_keep_nobody_waiting(store: Store) -> None:
    sdk, track = Platform(), Track("hangs", "suspect-0")
    accepting = JobIntake(store, lambda: None)
    with working(store, sdk, track, threads=4, hang_after=0.1) as process:
        accepting.accept(job("hangs"))
        wait_until(lambda: track.order == ["hangs"])
        add_suspects(store, 1)
        wait_until(lambda: track.order == ["hangs", "suspect-0"])
        accepting.accept(job("another"))
        assert [info for info, _ in sdk.wait_for(1)] == ["another"]
        track.let_go_on("hangs")
        track.let_go_on("suspect-0")
        all_reported(store, sdk, 3)
        wait_until(lambda: process.jobs.threads.replaced == 0)


def test_neither_suspects_nor_others_starve(store: Store) -> None:
    sdk, track = Platform(), Track()
    suspects = add_suspects(store, 6)
    wait_until(lambda: store.job_figures().waiting == 6)
    accepting = JobIntake(store, lambda: None)
    others = [f"other-{number}" for number in range(60)]
    for each in others:
        accepting.accept(job(each))
    with working(store, sdk, track, threads=2):
        sdk.wait_for(len(suspects) + len(others))
        wait_empty(store)
    assert sorted(track.order) == sorted(suspects + others)
    assert all(track.together[each] == {each} for each in suspects)
    places = [track.order.index(each) for each in suspects]
    first_suspect, last_suspect = min(places), max(places)
    assert any(first_suspect < track.order.index(each) < last_suspect for each in others), "others run in between"
    assert first_suspect < len(track.order) / 2, "the first suspect does not wait for all others"


def test_jobs_that_a_stop_cuts_off_are_no_suspects() -> None:
    clock, track = ManualClock(), Track("long")
    with closing(open_store("memory:", clock=clock)) as store:
        process = Process(store, Platform(), track, 1)
        process.jobs.start()
        process.accept(job("long"))
        wait_until(lambda: track.order == ["long"])
        assert process.jobs.stop(0.0) == 1
        clock.advance(LEASE)
        (claimed,) = store.claim("the next process", 1, LEASE)
        assert (claimed.suspect, claimed.attempt) == (False, 1)
        track.let_go_on("long")
        assert process.jobs.stop(DEADLINE) == 0


def test_a_program_leaves_jobs_of_abilities_that_it_does_not_know_to_those_that_do(store: Store) -> None:
    sdk, ran = Platform(), Counter[str]()
    accepting = JobIntake(store, lambda: None)

    def old(call: Call) -> Result:
        ran["old"] += call.ability_id == "new"
        return answer(call)

    def new(call: Call) -> Result:
        ran["new"] += call.ability_id == "new"
        return answer(call)

    with working(store, sdk, old, threads=8, abilities=frozenset({"old"})):
        for number in range(40):
            accepting.accept(app_call("new", is_async=True, job_info=f"new-{number}"))
        accepting.accept(app_call("old", is_async=True, job_info="old"))
        assert [info for info, _ in sdk.wait_for(1)] == ["old"]
        with working(store, sdk, new, threads=1, abilities=frozenset({"old", "new"})):
            all_reported(store, sdk, 41)
    assert ran == {"old": 0, "new": 40}


def test_a_report_that_hangs_is_sent_again_by_another_thread(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    sdk = Platform(gate.hold)
    with working(store, sdk, answer, threads=1, report_within=1.0) as process:
        process.accept(job("first"))
        process.accept(job("second"))
        assert sorted(info for info, _ in sdk.wait_for(2)) == ["first", "second"]
        wait_empty(store)
        assert process.jobs.threads.replaced == 1
        assert not process.jobs.threads.exhausted
        gate.go_on.set()
        wait_until(lambda: process.jobs.threads.replaced == 0)
    assert "the report of a job of any has been running on wwspec-job-1 for" in caplog.text
    assert "the thread was replaced" in caplog.text


def test_jobs_say_when_no_thread_is_left_and_none_can_be_added(store: Store) -> None:
    gate = Gate()
    sdk = Platform(*[gate.hold] * 4)
    with working(store, sdk, answer, threads=2, report_within=1.0) as process:
        assert not process.jobs.threads.exhausted
        for number in range(4):
            process.accept(job(f"job-{number}"))
        wait_until(lambda: process.jobs.threads.exhausted)
        assert process.jobs.threads.replaced == 2
        gate.go_on.set()
        wait_until(lambda: not process.jobs.threads.exhausted)
        wait_empty(store)


@pytest.mark.parametrize(
    ("timeout", "hang_after", "exhausted"), [(1.0, 0.05, True), (None, 0.02, True), (None, 10.0, False)]
)
def test_abilities_that_hang_for_good_exhaust_the_threads_and_long_ones_do_not(
    store: Store, timeout: float | None, hang_after: float, exhausted: bool
) -> None:
    go_on, begun = threading.Event(), threading.Semaphore(0)

    @ability
    def hanging(request: Work) -> Result:
        begun.release()
        assert go_on.wait(DEADLINE)
        return Result()

    sdk = Platform()
    kernel = Dispatcher(with_handler(reference_table(), hanging, timeout=timeout), sdk, store)
    with working(store, sdk, kernel, threads=1, hang_after=hang_after) as process:
        for number in range(2):
            process.accept(app_call("hanging", is_async=True, job_info=f"job-{number}"))
        assert begun.acquire(timeout=DEADLINE)
        if exhausted:
            wait_until(lambda: process.jobs.threads.exhausted)
        assert process.jobs.threads.exhausted is exhausted
        go_on.set()
        wait_until(lambda: not process.jobs.threads.exhausted)
        wait_empty(store)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[LocalRedis]:
    with local_redis(tmp_path) as server:
        yield server


def test_a_result_whose_entry_is_gone_is_still_reported(redis: LocalRedis, caplog: pytest.LogCaptureFixture) -> None:
    sdk, track = Platform(-1, -1), Track("job")
    with closing(open_store(redis.url)) as store, working(store, sdk, track) as process:
        process.accept(job("job"))
        wait_until(lambda: track.order == ["job"])
        redis.run("FLUSHALL")
        track.let_go_on("job")
        assert [(info, report["errcode"]) for info, report in sdk.wait_for(3)] == [("job", 0)] * 3
        wait_until(lambda: process.jobs.running == 0)
    assert track.order == ["job"]
    assert "is gone from the journal; its result is reported anyway" in caplog.text
    assert "taken over" not in caplog.text


def test_a_job_that_is_gone_before_it_was_begun_is_run_all_the_same(redis: LocalRedis) -> None:
    sdk, track = Platform(), Track("first")
    with closing(open_store(redis.url)) as store:
        (suspect,) = add_suspects(store, 1)
        accept(store, job("first"))
        with working(store, sdk, track) as process:
            wait_until(lambda: process.jobs.running == 2)  # one runs, the suspect waits for its end
            redis.run("FLUSHALL")
            track.let_go_on("first")
            assert {info for info, _ in sdk.wait_for(2)} == {"first", suspect}


def test_a_result_that_can_not_be_kept_is_reported_all_the_same(tmp_path: Path) -> None:
    sdk, track = Platform(), Track("job")
    path = tmp_path / "jobs.db"
    with closing(open_store(f"sqlite:{path}")) as store, working(store, sdk, track) as process:
        process.accept(job("job"))
        wait_until(lambda: track.order == ["job"])
        path.unlink()
        track.let_go_on("job")
        ((info, report),) = sdk.wait_for(1)
    assert (info, report["errcode"]) == ("job", 0)
