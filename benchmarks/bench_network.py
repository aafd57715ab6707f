"""How many calls does a program carry when its SDK waits for WeCom, and at what cost, beside others that wait?

`python -m benchmarks.bench_network [--json] [--quick]`. The SDK takes 5 ms for `sync_msg` and 128 callers ask, or 50 ms
and 256 do; everybody has as many threads as there are callers, and each worker process so many. In the cases named
"free" nothing is pinned from outside, but for "program, pinned", which shows what one process loses by more than one
core. "Own core" is the program with `--pin-workers on`. In the cases of a handler the call takes 5 ms of processor time
instead, with the interpreter's lock or without it. Needs `wrk`.
"""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

from benchmarks import rig
from benchmarks.bench_exchange import SIZES, Start, add_turn
from benchmarks.command import Benchmark, Effort, run
from benchmarks.contenders import (
    OWN_CORES,
    PROGRAM,
    THREAD_LIMIT,
    THREADED,
    TWO_THREAD_LIMITS,
    asgi_programs,
    missing,
    peer,
    program,
)
from benchmarks.figures import Samples
from benchmarks.zones import PASSTHROUGH, BenchmarkZone, zone
from wwspec_router.codecs.fitting import ENGINE

PINNED = f"{PROGRAM}, pinned"
TWO = f"{PROGRAM} --workers 2"
OWN_CORE, TWO_OWN_CORES = f"{PROGRAM}, own core", f"{TWO}, own cores"

KNOWN = ("FastAPI sync", "Flask, gunicorn gthread", "http.server threads")
"""Who takes part where a call takes 50 ms: with that much waiting most of the others come to the same."""

Contenders = Callable[[BenchmarkZone, int], dict[str, Start]]


class Case(NamedTuple):
    """What is asked, and of whom."""

    name: str
    messages: int
    cursor: str
    """What a call takes: see the light SDK."""
    least: float
    """Microseconds that no call can be quicker than."""
    callers: int
    reference: str
    contenders: Contenders


def pinned(served: BenchmarkZone, threads: int, peers: Iterable[str] = THREADED) -> dict[str, Start]:
    """The reference, the program and those who wait on threads, each on the first core."""
    core = rig.CORES[0]
    names = [THREAD_LIMIT, *(name for name in peers if not missing(name))]
    starts: dict[str, Start] = {name: partial(peer, name, served, core=core, threads=threads) for name in names}
    ours = {PROGRAM: partial(program, served, "--threads", str(threads), core=core)}
    return starts | ours | asgi_programs(served, core, threads)


def free(served: BenchmarkZone, threads: int) -> dict[str, Start]:
    """The reference and the program, with one process and with two, not pinned; and once more the program pinned."""
    ours = partial(program, served, "--threads", str(threads))
    return {
        THREAD_LIMIT: partial(peer, THREAD_LIMIT, served, threads=threads),
        TWO_THREAD_LIMITS: partial(peer, TWO_THREAD_LIMITS, served, threads=threads),
        PROGRAM: partial(ours, "--workers", "1"),
        PINNED: partial(ours, "--workers", "1", core=rig.CORES[0]),
        OWN_CORE: partial(ours, "--workers", "1", *OWN_CORES),
        TWO: partial(ours, "--workers", "2"),
        TWO_OWN_CORES: partial(ours, "--workers", "2", *OWN_CORES),
    }


def alone(served: BenchmarkZone, threads: int) -> dict[str, Start]:
    """The program on all cores, and on cores of its own."""
    ours = partial(program, served, "--threads", str(threads))
    return {
        PROGRAM: partial(ours, "--workers", "1"),
        OWN_CORE: partial(ours, "--workers", "1", *OWN_CORES),
        TWO: partial(ours, "--workers", "2"),
        TWO_OWN_CORES: partial(ours, "--workers", "2", *OWN_CORES),
    }


def _waiting(milliseconds: int, callers: int, everybody: Contenders) -> list[Case]:
    about = (f"wait {milliseconds}", milliseconds * 1e3, callers, THREAD_LIMIT)
    return [
        Case(f"SDK of {milliseconds} ms, {size}{end}", SIZES[size], *about, contenders)
        for size in ("3 KB", "60 KB")
        for end, contenders in (("", everybody), (", free", free))
    ]


CASES = (
    *_waiting(5, 128, pinned),
    *_waiting(50, 256, partial(pinned, peers=KNOWN)),
    Case("handler of 5 ms, lock held", SIZES["3 KB"], "compute 5", 0, 16, PROGRAM, alone),
    Case("handler of 5 ms, without the lock", SIZES["3 KB"], "work 5", 0, 16, PROGRAM, alone),
)
WARM_UP = 2
"""Seconds; in one, while 256 connections and threads are started, a server may not get to a whole answer."""
QUICK = CASES[:2]
"""The cases of a quick run."""


def measure(effort: Effort) -> Samples:
    """Measure the cases, one after the other."""
    samples = Samples(THREAD_LIMIT, seconds_of_a_turn=effort.seconds, contracts=ENGINE)
    samples.notes += [
        f"{name} was left out: {package} is not installed" for name in THREADED if (package := missing(name))
    ]
    for case in CASES:
        if effort.runs(case.name, by_default=case in QUICK or not effort.quick):
            compare(samples, case, effort)
    return samples


def compare(samples: Samples, case: Case, effort: Effort) -> None:
    """Measure one case, in turns.

    Raises:
        RuntimeError: A contender answered before its SDK can have done so.
    """
    samples.refer(case.name, case.reference)
    with ExitStack() as stack:
        served = stack.enter_context(zone(case.messages))
        calls = [served.seal(PASSTHROUGH, f'{{"cursor":"{case.cursor}"}}')]
        load = partial(rig.load, zone=served, connections=case.callers, calls=calls)
        starts = effort.chosen(case.contenders(served, case.callers), case.reference)
        servers = {name: stack.enter_context(start()) for name, start in starts.items()}
        for server in () if effort.quick else servers.values():
            load(server, seconds=WARM_UP)
        for _ in range(effort.rounds):
            for name, server in servers.items():
                turn = load(server, seconds=effort.seconds)
                if turn.p50 < case.least:
                    raise RuntimeError(f"{name} answered after {turn.p50:.0f} µs, before its SDK did")
                add_turn(samples, case.name, name, turn)


BENCHMARK = Benchmark(
    "network",
    "How many calls does a program carry when its SDK waits for WeCom, and at what cost, beside others that wait?",
    measure,
    seconds=2,
)

if __name__ == "__main__":
    run(BENCHMARK)
