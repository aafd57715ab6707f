"""The line of figures and the status reply: what they say, of one process and of several, and that they go on."""

import logging
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.reduction import DupFd
from typing import Any

import msgspec
import pytest

from tests.stores.suites.job_samples import job
from tests.support.tables import for_each
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.errors import StoreFullError
from wwspec_router.monitoring.figures import EVENT, UNDECODED, UNKNOWN, Figures, Gauges, JobCounts
from wwspec_router.monitoring.monitor import Monitor
from wwspec_router.monitoring.shared import SharedFigures
from wwspec_router.serving.program import read_stored
from wwspec_router.stores import open_store
from wwspec_router.stores.base import Store
from wwspec_router.stores.capacity import StoreLimits
from wwspec_router.stores.failed import Failure

TICK = 0.02
"""A short interval, in seconds."""


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._changed:
            self.texts.append(f"{record.levelname} {record.getMessage()}")
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[str], object]) -> str:
        """Return the first line, among those to come too, that meets a condition."""

        def found() -> str | None:
            return next((text for text in self.texts if condition(text)), None)

        with self._changed:
            text = self._changed.wait_for(found, DEADLINE)
        assert text is not None, self.texts
        return text

    def wait_more(self, count: int) -> list[str]:
        """Wait for so many lines more than there are now, and return those."""
        with self._changed:
            before = len(self.texts)
            assert self._changed.wait_for(lambda: len(self.texts) >= before + count, DEADLINE)
            return self.texts[before:]


@contextmanager
def logged() -> Iterator[Lines]:
    """Return the lines of the monitor, from now on."""
    handler = Lines()
    logger = logging.getLogger("wwspec_router.monitoring.monitor")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield handler
    finally:
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)


@pytest.fixture
def lines() -> Iterator[Lines]:
    with logged() as handler:
        yield handler


@pytest.fixture
def store() -> Iterator[Store]:
    with closing(open_store("memory:")) as store:
        yield store


@pytest.fixture
def figures() -> Figures:
    figures = Figures(["invoke_sync_msg", "digest", "never called"])
    for _ in range(9):
        figures.count("invoke_sync_msg", 0, 0.0001, 0.002)
    figures.count("invoke_sync_msg", 40058, 0.05, 1.5)
    figures.count(EVENT, 0, 0.0001, 0.003)
    figures.count("tenant's secret", 710660, 0.0, 0.0)
    figures.count(UNDECODED, 710660, 0.0, 0.0)
    figures.add(JobCounts(ended=3, failed=1, given_up=1))
    return figures


GAUGES = Gauges(busy=3, threads=8, queued=2, jobs_running=1, hung=1)


@contextmanager
def watching(
    figures: Figures,
    store: Store,
    interval: float,
    shared: SharedFigures | None = None,
    gauges: Callable[[], Gauges] = lambda: GAUGES,
) -> Iterator[Monitor]:
    monitor = Monitor(figures, gauges, partial(read_stored, store, ["digest"]), interval, shared)
    monitor.start()
    try:
        yield monitor
    finally:
        monitor.stop()
        assert "wwspec-monitor" not in [thread.name for thread in threading.enumerate()]


def fill(store: Store) -> None:
    store.put("corp", 7, "notify-1", "0123456789", 100.0)
    for number in (1, 2):
        store.add(job(str(number), ability_id="digest"))
    store.claim("somebody", 1, 100.0)


COUNTED = (
    "processes=1 calls=13 busy=3 threads=8 queued=2 hung=1 jobs_running=1 jobs_ended=3 jobs_failed=1 jobs_given_up=1 "
    "jobs_waiting=1 jobs_claimed=1 store_rows=1 store_bytes=10"
).split()
"""What the line and the status reply say alike of these figures and this store."""


def near(exact: int) -> Any:
    return pytest.approx(exact, rel=0.045)


def test_a_line_has_all_the_figures_of_its_interval(lines: Lines, figures: Figures, store: Store) -> None:
    fill(store)
    with watching(figures, store, TICK):
        line = lines.wait_for(lambda text: "calls=13 " in text)
    head, *abilities = line.split("; ")
    level, *pairs = head.split(" ")
    assert level == "INFO"
    said = dict(pair.split("=") for pair in pairs)
    assert int(said.pop("queue_p50_us")) == near(100)
    assert int(said.pop("queue_p99_us")) == near(50_000)
    shown = {f"{name}={value}" for name, value in said.items()}
    assert shown == {*COUNTED, "errors=3", "errcode_40058=1", "errcode_710660=2", "jobs_oldest_s=0"}
    assert [text.split(" p50")[0] for text in abilities] == [
        "invoke_sync_msg calls=10 errors=1",
        "(event) calls=1 errors=0",
        "(undecoded) calls=1 errors=1",
        "(unknown) calls=1 errors=1",
    ]
    found = re.fullmatch(r".* p50_us=(\d+) p99_us=(\d+)", abilities[0])
    assert found is not None
    assert int(found[1]) == near(2_000)
    assert int(found[2]) == near(1_500_000)


def test_the_next_line_counts_only_what_came_since(lines: Lines, figures: Figures, store: Store) -> None:
    with watching(figures, store, TICK) as monitor:
        lines.wait_for(lambda text: "calls=13 " in text)
        quiet = lines.wait_more(3)[-1]
        assert "_us=" not in quiet, "a percentile of no call"
        assert {"queue_p50_us", "queue_p99_us"}.isdisjoint(msgspec.to_builtins(monitor.status()))
        assert " calls=0 errors=0 busy=3 " in quiet
        assert " jobs_ended=0 jobs_failed=0 jobs_given_up=0 " in quiet
        assert "invoke_sync_msg" not in quiet
        assert "errcode" not in quiet
        figures.count("digest", -5, 0.0, 0.001)
        line = lines.wait_for(lambda text: "digest" in text)
        assert " calls=1 errors=1 errcode_-5=1 " in line
        assert "; digest calls=1 errors=1 " in line
        assert "invoke_sync_msg" not in line
        assert monitor.status().calls == 14
        assert set(msgspec.to_builtins(monitor.status().abilities[0])) == {"ability_id", "calls", "errors"}
    assert sum(int(each) for text in lines.texts for each in re.findall(r"^\S+ processes=1 calls=(\d+)", text)) == 14


def test_a_line_names_the_20_busiest_abilities_and_counts_the_others(lines: Lines, store: Store) -> None:
    figures = Figures(f"ability_{number}" for number in range(1, 151))
    for number in range(1, 151):
        for _ in range(number):
            figures.count(f"ability_{number}", 0, 0.0, 0.001)
    with watching(figures, store, TICK) as monitor:
        line = lines.wait_for(lambda text: "ability_" in text)
        status = monitor.status()
    names = [text.split(" ")[0] for text in line.split("; ")[1:-1]]
    assert names == [f"ability_{number}" for number in range(150, 130, -1)]
    assert line.endswith("; and 130 more")
    assert [each.ability_id for each in status.abilities] == [f"ability_{number}" for number in range(150, 50, -1)]


def test_long_and_odd_ability_ids_keep_a_line_short_and_whole(lines: Lines, store: Store) -> None:
    name = "odd\nability\u2028" + "x" * 1_000
    figures = Figures([name])
    figures.count(name, 0, 0.0, 0.001)
    with watching(figures, store, TICK) as monitor:
        line = lines.wait_for(lambda text: "odd" in text)
        assert monitor.status().abilities[0].ability_id == name
    assert line.isprintable()
    assert len(line) < 400


def test_a_lost_store_is_said_to_be_unavailable_and_stops_nothing(lines: Lines, figures: Figures, store: Store) -> None:
    store.close()
    with watching(figures, store, TICK) as monitor:
        more = lines.wait_more(2)
        status = monitor.status()
    for line in more:
        assert " store=unavailable" in line
        assert "store_rows" not in line
    assert (status.store, status.store_rows, status.jobs_waiting) == ("unavailable", 0, 0)
    assert (status.calls, status.errcode) == (13, 0)


def test_gauges_that_fail_once_stop_nothing(lines: Lines, figures: Figures, store: Store, file: int) -> None:
    failures = [RuntimeError("tenant's secret"), LookupError("tenant's secret")]
    main = threading.main_thread()

    def gauges() -> Gauges:
        if failures and threading.current_thread() is not main:
            raise failures.pop()
        return GAUGES

    with watching(figures, store, TICK, SharedFigures(file, 8, 7), gauges):
        lines.wait_for(lambda text: "calls=13 " in text)
    assert sum(text.startswith("ERROR the monitor failed: ") for text in lines.texts) == 2
    assert "secret" not in str(lines.texts)


@for_each([0.0, 3_600.0, 1e12, float("inf")])
def test_no_or_a_long_interval_gives_no_line_and_does_not_hold_up_the_end(
    interval: float, lines: Lines, figures: Figures, store: Store
) -> None:
    with watching(figures, store, interval) as monitor:
        assert (monitor.status().processes, monitor.status().calls) == (1, 13)
    assert lines.texts == []


def test_status_has_all_the_figures(figures: Figures, store: Store) -> None:
    fill(store)
    with watching(figures, store, 60.0) as monitor:
        said = msgspec.to_builtins(monitor.status())
    busiest, *others = said.pop("abilities")
    assert (busiest.pop("p50_us"), busiest.pop("p99_us")) == (near(2_000), near(1_500_000))
    assert busiest == {"ability_id": "invoke_sync_msg", "calls": 10, "errors": 1}
    assert [each["ability_id"] for each in others] == [EVENT, UNDECODED, UNKNOWN]
    assert (said.pop("queue_p50_us"), said.pop("queue_p99_us")) == (near(100), near(50_000))
    assert 0 <= said.pop("uptime") < DEADLINE
    assert said.pop("start_id")
    assert 0 < said["oldest_jobs"][0].pop("lease_s") <= 100
    assert said.pop("errors") == [{"errcode": 710660, "count": 2}, {"errcode": 40058, "count": 1}]
    assert said.pop("oldest_jobs") == [
        {"ability_id": "digest", "state": "claimed", "attempt": 0, "age_s": 0},
        {"ability_id": "digest", "state": "waiting", "attempt": 0, "lease_s": 0, "age_s": 0},
    ]
    shown = {f"{name}={value}" for name, value in said.items()}
    assert shown == {*COUNTED, "errcode=0", "errmsg=ok", "store=ok", "jobs_oldest_age_s=0"}


def test_jobs_that_failed_for_good_are_in_the_figures_when_there_are_some(lines: Lines, figures: Figures) -> None:
    """A status ability whose contract was registered before has neither key as long as nothing has failed."""
    names = ("jobs_set_aside", "jobs_forgotten")
    with closing(open_store("memory:", StoreLimits(max_failed=1))) as store, watching(figures, store, TICK) as monitor:
        assert not set(names) & msgspec.to_builtins(monitor.status()).keys()
        for job_id in ("a", "b"):
            store.add(job(job_id, ability_id="digest"))
            store.claim("one", 1, 60.0)
            store.set_aside("one", job_id, Failure(error="LookupError"))
        said = msgspec.to_builtins(monitor.status())
        assert [said[name] for name in names] == [1, 1]
        assert lines.wait_for(lambda line: "jobs_set_aside=1 jobs_forgotten=1" in line)


def test_an_event_counts_until_notify_ttl_is_over_also_when_it_was_fetched() -> None:
    with closing(open_store("memory:", StoreLimits(max_rows=1))) as store:
        store.put("corp", 7, "notify-1", "text", 100.0)
        assert store.get("corp", 7, "notify-1") == "text"
        assert read_stored(store, ["digest"]).store_rows == 1
        with pytest.raises(StoreFullError, match="shorten notify_ttl: .* also one that was fetched"):
            store.put("corp", 7, "notify-2", "text", 100.0)


def test_a_job_of_no_ability_of_this_program_is_told_without_its_name(store: Store) -> None:
    fill(store)
    stored = read_stored(store, ["another"])
    assert [each.ability_id for each in stored.oldest_jobs] == [UNKNOWN, UNKNOWN]


def test_nothing_of_a_tenant_is_said(lines: Lines, figures: Figures, store: Store, file: int) -> None:
    with watching(figures, store, TICK, SharedFigures(file, 8, 7)) as monitor:
        lines.wait_for(lambda text: "calls=13 " in text)
        status = msgspec.json.encode(monitor.status())
    assert "secret" not in str(lines.texts)
    assert b"secret" not in status
    content = os.pread(file, os.fstat(file).st_size, 0)
    assert b"invoke_sync_msg" in status
    assert b"invoke_sync_msg" in content
    assert b"secret" not in content


def count_when_asked(file: Any, interval: float, own_ability: str, number: int, asked: Connection) -> None:
    """Be a worker process: count as many calls as are asked for, and tell its status and its lines."""
    warnings.simplefilter("error")
    figures, gauges = Figures(["digest", own_ability]), Gauges(busy=1, threads=4)
    shared = SharedFigures(file.detach(), 8, number)
    with (
        logged() as lines,
        closing(open_store("memory:")) as store,
        watching(figures, store, interval, shared, lambda: gauges) as monitor,
    ):
        while (calls := asked.recv()) is not None:
            for _ in range(calls):
                figures.count("digest", 710660, 0.001, 0.01)
            asked.send((msgspec.to_builtins(monitor.status()), lines.texts))


FORKS = get_context("forkserver")


class Worker:
    """A worker process that counts, and answers what it is asked."""

    def __init__(self, file: int, interval: float, own_ability: str, number: int) -> None:
        self._asking, asked = FORKS.Pipe()
        with asked:
            arguments = (DupFd(file), interval, own_ability, number, asked)
            self.process = FORKS.Process(target=count_when_asked, args=arguments)
            self.process.start()

    def count(self, calls: int) -> tuple[Any, list[str]]:
        """Let it count; return its status, and the lines that it has written."""
        self._asking.send(calls)
        assert self._asking.poll(DEADLINE)
        answer: tuple[Any, list[str]] = self._asking.recv()
        return answer

    def status(self) -> Any:
        return self.count(0)[0]

    def wait_status(self, condition: Callable[[Any], bool]) -> Any:
        wait_until(lambda: condition(self.status()))
        return self.status()

    @property
    def lines(self) -> list[str]:
        return self.count(0)[1]

    @property
    def calls(self) -> int:
        return sum(int(each) for line in self.lines for each in re.findall(r" processes=\d+ calls=(\d+)", line))

    def kill(self) -> None:
        self.process.kill()
        self.process.join(DEADLINE)

    def end(self) -> None:
        self._asking.send(None)
        self.process.join(DEADLINE)
        assert self.process.exitcode == 0


@pytest.fixture
def file() -> Iterator[int]:
    file = os.memfd_create("shared")
    yield file
    os.close(file)


@pytest.fixture
def start(file: int) -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def start(interval: float = 0.1, own_ability: str = "other", number: int | None = None) -> Worker:
        workers.append(Worker(file, interval, own_ability, len(workers) if number is None else number))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()


def wait_leader(workers: list[Worker], lines: int) -> Worker:
    """Wait until one of them has written so many lines, and return it."""
    wait_until(lambda: any(len(worker.lines) >= lines for worker in workers))
    return next(worker for worker in workers if len(worker.lines) >= lines)


def test_one_process_writes_the_line_of_all_and_another_takes_over(start: Callable[..., Worker]) -> None:
    workers = [start() for _ in range(3)]
    for worker in workers:
        worker.wait_status(lambda status: status["processes"] == 3)
    for worker in workers:
        worker.count(10)
    workers[0].wait_status(lambda status: status["calls"] == 30 and status["processes"] == 3)
    leader = wait_leader(workers, 1)
    assert leader.lines[0].startswith("INFO ")
    leader = wait_leader(workers, len(leader.lines) + 2)
    workers.remove(leader)
    assert [worker.lines for worker in workers] == [[], []]
    assert " processes=3 " in leader.lines[-1]
    assert leader.calls == 30
    leader.kill()
    heir = wait_leader(workers, 2)
    workers.remove(heir)
    assert workers[0].lines == []
    assert " processes=2 " in heir.lines[-1]
    heir.end()  # in order, this time
    last = wait_leader(workers, 2)
    assert " processes=1 " in last.lines[-1]
    assert last.status()["calls"] == 30


def test_a_process_that_starts_later_repeats_nothing_in_its_lines(start: Callable[..., Worker]) -> None:
    first = start()
    first.count(10)
    wait_leader([first], 2)
    second = start()
    second.wait_status(lambda status: status["processes"] == 2 and status["calls"] == 10)
    first.kill()
    wait_leader([second], 2)
    second.count(3)
    wait_leader([second], len(second.lines) + 2)
    assert second.calls == 3


def test_status_of_each_process_speaks_of_all_also_without_an_interval(start: Callable[..., Worker]) -> None:
    first, second = start(own_ability="mine", interval=0.0), start(own_ability="yours", interval=0.0)
    first.count(3)
    second.count(4)
    for worker in (first, second):
        status = worker.wait_status(lambda status: status["calls"] == 7)
        assert (status["processes"], status["busy"], status["threads"]) == (2, 2, 8)
        assert status["errors"] == [{"errcode": 710660, "count": 7}]
        [ability] = status["abilities"]
        assert (ability["ability_id"], ability["calls"], ability["errors"]) == ("digest", 7, 7)
        assert ability["p50_us"] == near(10_000)
    assert first.lines == second.lines == []
