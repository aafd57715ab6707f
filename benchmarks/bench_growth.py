"""What happens to the cost of a call as abilities, stored events and replies grow?

`python -m benchmarks.bench_growth [--json] [--quick]`

Abilities and stored events: the whole program over HTTP, with 500 different calls by turns, to all abilities and to
events all over the file, which a SQLite store holds; each turn has a new process. Events are taken in by the kernel
alone, with an SDK that answers at once, so that nothing hides a difference. Replies: the whole program over HTTP beside
limit-1, each on a core of its own. Needs `wrk`, and 0.7 GB of disk for a minute.
"""

import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks import rig
from benchmarks.applications import call, kernel
from benchmarks.bench_exchange import CONNECTIONS
from benchmarks.command import Benchmark, Effort, run
from benchmarks.contenders import LIMIT, PROGRAM, peer, program
from benchmarks.figures import Samples
from benchmarks.zones import AGENTID, CORPID, PASSTHROUGH, BenchmarkZone, event, zone
from wwspec_router.envelope import Call, Reply
from wwspec_router.stores import StoreLimits
from wwspec_router.stores.sqlite.events import SqliteStore

ABILITIES = (10, 100, 1_000, 10_000)
EVENTS = (0, 10_000, 100_000, 1_000_000)
REPLIES = {"3 KB": 10, "30 KB": 100, "300 KB": 1_000, "3 MB": 10_000, "10 MB": 33_333}
LARGE_CONNECTIONS = 4
DIFFERENT = 500
"""Different calls that are made over HTTP by turns."""
LIMITS = StoreLimits(max_rows=2_000_000, max_bytes=1 << 31)

Dispatch = Callable[[Call], Reply]


def microseconds(dispatch: Dispatch, calls: Sequence[Call]) -> float:
    """Return what one of many calls takes."""
    begun = time.perf_counter()
    for each in calls:
        dispatch(each)
    return (time.perf_counter() - begun) / len(calls) * 1e6


def abilities(samples: Samples, effort: Effort, folder: Path) -> None:
    """Grow the table: rows that answer with sync_msg, called in an order that no cache foresees."""
    order = random.Random(1)  # noqa: S311 - an order, not a secret
    files, known = {}, {}
    for number in ABILITIES[: effort.pick(full=4, quick=2)]:
        path = folder / f"registry-{number}.toml"
        rows = (f'[abilities.extra_{each:05d}]\napi = "sync_msg"\n' for each in range(number - 1))
        path.write_text(f'[abilities.{PASSTHROUGH}]\napi = "sync_msg"\n{"".join(rows)}')
        files[f"{number:,}"] = path
        known[f"{number:,}"] = [PASSTHROUGH, *(f"extra_{each:05d}" for each in range(number - 1))]
    with zone(messages=10) as served:
        options = {name: ("--registry", str(path)) for name, path in files.items()}
        asked = {
            name: [served.seal(order.choice(abilities)) for _ in range(DIFFERENT)] for name, abilities in known.items()
        }
        over_http(samples, effort, "abilities, over HTTP", served, options, asked)


def stored_events(samples: Samples, effort: Effort, folder: Path) -> None:
    """Grow the store: fetch events all over it, and bring new ones in."""
    intake, order = "stored events, intake", random.Random(1)  # noqa: S311 - an order
    text, numbers = event(), EVENTS[: effort.pick(full=4, quick=2)]
    arrivals = [call("", text, call_type=2)] * effort.pick(full=2_000, quick=200)
    with ExitStack() as stack:
        ways: dict[str, Dispatch] = {}
        for number in numbers:
            path = folder / f"events-{number}.db"
            store = stack.enter_context(closing(SqliteStore(path, LIMITS)))
            known = fill(path, max(number, 1), text)
            dispatch, _ = kernel(store, {})
            if text != dispatch(call("get_callback_data", "{}", notify_id=order.choice(known))).text:
                raise RuntimeError("an event that was filled in can't be fetched")
            ways[f"{number:,}"] = dispatch
        samples.refer(intake, f"{numbers[0]:,}")
        fetched_over_http(samples, effort, {f"{number:,}": folder / f"events-{number}.db" for number in numbers})
        for _ in range(effort.rounds):
            for name, dispatch in ways.items():
                samples.add(intake, name, "per call", "µs", microseconds(dispatch, arrivals))


def over_http(
    samples: Samples,
    effort: Effort,
    case: str,
    served: BenchmarkZone,
    options: Mapping[str, Sequence[str]],
    calls: Mapping[str, Sequence[tuple[dict[str, str], str]]],
) -> None:
    """Make many different calls of the whole program with these or those options; the first are the reference.

    Each turn has a process of its own: where its memory happens to lie makes a difference of up to 3 %.
    """
    samples.refer(case, next(iter(options)))
    for _ in range(effort.rounds):
        for name, each in options.items():
            with program(served, *each, core=rig.CORES[0]) as server:
                rig.load(server, served, connections=CONNECTIONS, seconds=1, calls=calls[name])
                turn = rig.load(server, served, connections=CONNECTIONS, seconds=effort.seconds, calls=calls[name])
            samples.add(case, name, "per call", "µs", 1e6 / turn.rate)


def fetched_over_http(samples: Samples, effort: Effort, files: dict[str, Path]) -> None:
    """Fetch events through the whole program."""
    with zone(messages=0) as served:
        calls = {}
        for name, path in files.items():
            with closing(sqlite3.connect(path)) as db:
                rows = db.execute("SELECT notify_id FROM notify ORDER BY random() LIMIT ?", (DIFFERENT,)).fetchall()
            rows = (rows * DIFFERENT)[:DIFFERENT]  # as many calls where there is only one event
            calls[name] = [served.seal("get_callback_data", "{}", notify_id=notify_id) for (notify_id,) in rows]
        options = {name: ("--store", f"sqlite:{path}") for name, path in files.items()}
        over_http(samples, effort, "stored events, fetch over HTTP", served, options, calls)


def fill(path: Path, number: int, text: str) -> list[str]:
    """Put events into a store's file in one transaction; return some of their notify_ids."""
    order = random.Random(2)  # noqa: S311 - an order
    notify_ids = [f"{order.getrandbits(128):039d}" for _ in range(number)]
    expires, size = time.time() + 86_400, len(text.encode())
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany(
            "INSERT INTO notify (corpid, agentid, notify_id, expires, size, text) VALUES (?, ?, ?, ?, ?, ?)",
            ((CORPID, AGENTID, each, expires + order.random(), size, text) for each in sorted(notify_ids)),
        )
        db.execute("UPDATE notify_usage SET rows = rows + ?, bytes = bytes + ?", (number, number * size))
    return notify_ids[:10_000]


def replies(samples: Samples, effort: Effort) -> None:
    """Grow the reply."""
    for size, messages in list(REPLIES.items())[: effort.pick(full=5, quick=1)]:
        case = f"replies of {size}"
        samples.refer(case, LIMIT)
        with zone(messages) as served, ExitStack() as stack:
            core = rig.CORES[0]
            servers = {
                LIMIT: stack.enter_context(peer(LIMIT, served, core=core)),
                PROGRAM: stack.enter_context(program(served, core=core)),
            }
            for _ in range(effort.rounds):
                for name, server in servers.items():
                    turn = rig.load(server, served, connections=LARGE_CONNECTIONS, seconds=effort.seconds)
                    samples.add(case, name, "rate", "calls/s", turn.rate)


def measure(effort: Effort) -> Samples:
    """Measure all three."""
    samples = Samples(LIMIT, seconds_of_a_turn=effort.seconds)
    with tempfile.TemporaryDirectory(prefix="wwspec-bench-growth-") as name:
        abilities(samples, effort, Path(name))
        stored_events(samples, effort, Path(name))
    replies(samples, effort)
    return samples


BENCHMARK = Benchmark(
    "growth",
    "What happens to the cost of a call as abilities, stored events and replies grow?",
    measure,
)

if __name__ == "__main__":
    run(BENCHMARK)
