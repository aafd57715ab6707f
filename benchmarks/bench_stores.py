"""What do the stores add to the bare calls that they make, and get_callback_data to an ability that stores nothing?

`python -m benchmarks.bench_stores [--json] [--quick]`

Event intake is the kernel's whole way of an event: check, store, notify through an SDK that answers at once. The bare
calls store the same text: SQLite with one durable transaction for each (`synchronous=FULL`, WAL, one connection under
a lock), Redis with one SET, at a server that syncs each write. Asynchronous calls are accepted by as many threads as
run them; an ability answers at once, and they are kept, reported and removed. SQLite's bare way for these is a job that
is inserted, begun, answered and deleted, with a durable transaction for each step. `get_callback_data` is called over
HTTP and compared with a passthrough whose reply is as long; with Redis also with a program that decodes, makes the same
GET with redis-py and encodes, inline on its loop. Needs `wrk`; Redis is left out where redis-server is missing.
"""

import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from itertools import count
from math import inf
from pathlib import Path

import msgspec
from redis import Redis

from benchmarks import rig
from benchmarks.applications import REGISTRY, InstantSdk, call, kernel
from benchmarks.bench_exchange import CONNECTIONS
from benchmarks.command import Benchmark, Effort, run
from benchmarks.contenders import PROGRAM, REDIS_GET, peer, program
from benchmarks.figures import Samples
from benchmarks.zones import CORPID, PASSTHROUGH, ROOT, BenchmarkZone, event, zone
from tests.support.redis_server import local_redis
from wwspec_router.envelope import Call
from wwspec_router.jobs.reports import REPORT_API
from wwspec_router.jobs.runner import Jobs
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.kernel.intake import JobIntake
from wwspec_router.monitoring.figures import Figures
from wwspec_router.registry.table import build_table
from wwspec_router.stores import Store, StoreLimits, open_store

THREADS = (1, 16)
JOB_THREADS = 8
BARE = "bare"
LIMITS = StoreLimits(max_rows=10_000_000, max_bytes=1 << 33, max_jobs=10_000_000)
"""More than any round brings in: a full store refuses, which costs nothing."""
REDIS_KEY = f"inline:notify:entry:{CORPID}:1:notify-1_1"
"""Where the event is for the inline program: a key as long as the program's own."""
TTL = 1200
"""Seconds, as the reference program keeps events."""

Step = Callable[[], object]


def bare_sqlite(path: Path, text: str) -> tuple[Step, Step]:
    """Return one durable insert, and what closes the file."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for statement in (
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "CREATE TABLE event (corpid TEXT, agentid INTEGER, notify_id TEXT, expires REAL, text TEXT, "
        "PRIMARY KEY (corpid, agentid, notify_id)) WITHOUT ROWID",
    ):
        db.execute(statement)
    numbers, lock = count(), threading.Lock()

    def insert() -> None:
        row = (CORPID, 1, f"{next(numbers):039d}", time.time() + TTL, text)
        with lock:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", row)
            db.execute("COMMIT")

    return insert, db.close


def bare_jobs(path: Path, result: str) -> tuple[Step, Step]:
    """Return the four durable transactions of a job, and what closes the file."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for statement in (
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY, text TEXT, attempt INTEGER, result TEXT)",
    ):
        db.execute(statement)
    numbers, lock = count(), threading.Lock()

    def job() -> None:
        number = next(numbers)
        for statement, values in (
            ("INSERT INTO job VALUES (?, ?, 0, NULL)", (number, "j" * 64)),
            ("UPDATE job SET attempt = attempt + 1 WHERE id = ?", (number,)),
            ("UPDATE job SET result = ? WHERE id = ?", (result, number)),
            ("DELETE FROM job WHERE id = ?", (number,)),
        ):
            with lock:
                db.execute(statement, values)

    return job, db.close


def bare_redis(socket: str, text: str) -> tuple[Step, Step]:
    """Return one SET, and what closes the client."""
    client, numbers = Redis(unix_socket_path=socket), count()
    return lambda: client.set(f"bare:{CORPID}:1:{next(numbers):039d}", text, px=TTL * 1000), client.close


def taking(name: str, store: Store, arrived: Call) -> Step:
    """Return what takes an event in, and fails when it was refused: a refusal costs less."""
    dispatch, _ = kernel(store, {})

    def accept() -> None:
        if dispatch(arrived).errcode:
            raise RuntimeError(f"{name}: the event was not taken in")

    return accept


def rate(step: Step, threads: int, seconds: float = inf, *, steps: float = inf) -> float:
    """Let threads repeat a step, for a time or so many times each; return steps a second."""
    done = [0] * threads
    failures: list[Exception] = []
    deadline = time.perf_counter() + seconds

    def work(number: int) -> None:
        try:
            while done[number] < steps and time.perf_counter() < deadline:
                step()
                done[number] += 1
        except Exception as error:
            failures.append(error)

    begun = time.perf_counter()
    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]
    return sum(done) / (time.perf_counter() - begun)


def intake(samples: Samples, effort: Effort, redis: str | None, folder: Path) -> None:
    """Measure event intake beside the bare calls, in turns."""
    text = event()
    arrived = call("", text, call_type=2)
    with ExitStack() as stack:
        ways: dict[str, dict[str, Step]] = {}
        insert, close = bare_sqlite(folder / "bare.db", text)
        stack.callback(close)
        urls = {"SQLite": f"sqlite:{folder / 'notify.db'}"}
        bare = {"SQLite": insert}
        if redis is not None:
            urls["Redis"] = f"unix://{redis}"
            bare["Redis"], close = bare_redis(redis, text)
            stack.callback(close)
        for name, url in urls.items():
            store = stack.enter_context(closing(open_store(url, LIMITS)))
            ways[name] = {BARE: bare[name], PROGRAM: taking(name, store, arrived)}
        for _ in range(effort.rounds):
            for threads in THREADS:
                for name, steps in ways.items():
                    if not effort.runs(case := f"event intake, {name}, threads: {threads}"):
                        continue
                    for contender, step in steps.items():
                        samples.add(
                            case,
                            contender,
                            "rate",
                            "calls/s",
                            rate(step, threads, 0.1 if effort.quick else effort.seconds),
                        )


def asynchronous(samples: Samples, effort: Effort, redis: str | None, folder: Path) -> None:
    """Measure asynchronous calls, from the acceptance of the first to the end of the last one."""
    case = f"asynchronous calls, {{}}, threads: {JOB_THREADS}".format
    arrived = msgspec.structs.replace(call(), is_async=True, job_info="j" * 64)
    sdk = InstantSdk({REPORT_API: '{"errcode":0}', "sync_msg": padded(200)})
    table = build_table(ROOT, REGISTRY)
    urls = {"SQLite": f"sqlite:{folder / 'jobs.db'}"}
    if redis is not None:
        urls["Redis"] = f"unix://{redis}?db=2"
    for _ in range(effort.rounds):
        for name, url in urls.items():
            with closing(open_store(url, LIMITS)) as store:
                wake = threading.Event()
                intake = JobIntake(store, wake.set)
                jobs = Jobs(store, sdk, Dispatcher(table, sdk, store), Figures(()), wake, JOB_THREADS)
                jobs.start()
                begun = time.perf_counter()
                accepted = effort.pick(4000, 400)
                rate(partial(intake.accept, arrived), JOB_THREADS, steps=accepted // JOB_THREADS)
                while store.job_figures().waiting + store.job_figures().claimed:
                    time.sleep(0.005)
                samples.add(case(name), PROGRAM, "rate", "calls/s", accepted / (time.perf_counter() - begun))
                jobs.stop(10.0)
        step, close = bare_jobs(folder / "bare-jobs.db", padded(200))
        samples.add(case("SQLite"), BARE, "rate", "calls/s", rate(step, JOB_THREADS, steps=effort.pick(200, 20)))
        close()


def fetching(samples: Samples, effort: Effort, redis: str | None, folder: Path) -> None:
    """Measure get_callback_data beside a passthrough over HTTP, in turns."""
    text = event()
    case = f"fetch of {len(text)} bytes, {{}}".format
    with zone(messages=0) as served, ExitStack() as stack:
        (served.folder / "sync_msg.json").write_text(padded(len(text)))
        stores = {"SQLite": f"sqlite:{folder / 'served.db'}"}
        if redis is not None:
            stores["Redis"] = f"unix://{redis}?db=1"
        passing, fetch = (
            served.seal(PASSTHROUGH),
            served.seal("get_callback_data", "{}", notify_id="notify-1_1"),
        )
        contenders = {}
        for name, url in stores.items():
            if effort.runs(case(name)):
                samples.refer(case(name), "passthrough")
                server = stack.enter_context(program(served, "--store", url, core=rig.CORES[0]))
                store_event(served, server, text)
                contenders[name] = {"passthrough": (server, passing), "get_callback_data": (server, fetch)}
        if redis is not None and "Redis" in contenders:
            with closing(Redis.from_url(stores["Redis"])) as client:
                client.set(REDIS_KEY, text)
            server = stack.enter_context(peer(REDIS_GET, served, stores["Redis"], REDIS_KEY, core=rig.CORES[0]))
            check_fetch(served, server)
            contenders["Redis"][REDIS_GET] = (server, fetch)
        for _ in range(effort.rounds):
            for name, ways in contenders.items():
                for contender, (server, one) in ways.items():
                    turn = rig.load(server, served, connections=CONNECTIONS, seconds=effort.seconds, calls=[one])
                    samples.add(case(name), contender, "rate", "calls/s", turn.rate)


def store_event(served: BenchmarkZone, server: rig.Server, text: str) -> None:
    """Bring an event in, and make sure that it can be fetched."""
    rig.ask(server.port, served, "", data=text, call_type=2)
    check_fetch(served, server)


def check_fetch(served: BenchmarkZone, server: rig.Server) -> None:
    """Make sure that the event can be fetched."""
    fetched = rig.ask(server.port, served, "get_callback_data", data="{}", notify_id="notify-1_1")
    if not (isinstance(fetched, dict) and "event_type" in fetched):
        raise RuntimeError(f"the event can't be fetched: {fetched}")


def padded(size: int) -> str:
    """Return a reply of sync_msg of so many bytes."""
    head, tail = '{"errcode":0,"errmsg":"ok","has_more":0,"next_cursor":"', '","msg_list":[]}'
    return head + "x" * (size - len(head) - len(tail)) + tail


def measure(effort: Effort) -> Samples:
    """Measure both questions."""
    samples = Samples(BARE, connections=CONNECTIONS, seconds_of_a_turn=effort.seconds)
    with tempfile.TemporaryDirectory(prefix="wwspec-bench-stores-") as name, ExitStack() as stack:
        folder = Path(name)
        redis = None
        if shutil.which("redis-server") is None:
            samples.notes.append("Redis was left out: redis-server is not installed")
        else:
            redis = str(stack.enter_context(local_redis(folder)).path)
        intake(samples, effort, redis, folder)
        if not effort.cases:
            asynchronous(samples, effort, redis, folder)
        fetching(samples, effort, redis, folder)
    return samples


BENCHMARK = Benchmark(
    "stores",
    "What do the stores add to the bare calls that they make, and get_callback_data to an ability without a store?",
    measure,
    seconds=2,
)

if __name__ == "__main__":
    run(BENCHMARK)
