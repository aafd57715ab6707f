"""What does a whole exchange cost beside a program that only decodes, calls and encodes, and beside other frameworks?

`python -m benchmarks.bench_exchange [--json] [--quick]`. Each server has one core to itself, and `wrk` another; in the
cases named "free" nothing is pinned. The program is started by run.sh, and all others get the environment that run.sh
sets, the allocator's bounds included. Needs `wrk`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial

from benchmarks import rig
from benchmarks.command import Benchmark, Effort, run
from benchmarks.contenders import (
    FRAMEWORKS,
    HARD_LIMIT,
    INLINE,
    LIMIT,
    OWN_CORES,
    PROGRAM,
    PURE,
    TWO_LIMITS,
    asgi_programs,
    missing,
    peer,
    program,
)
from benchmarks.figures import Samples
from benchmarks.zones import BenchmarkZone, SdkName, zone
from wwspec_router.codecs.fitting import ENGINE

SIZES = {"3 KB": 10, "60 KB": 200, "300 KB": 1000}
"""Size of the reply -> messages in it."""
CONNECTIONS = 16

Start = Callable[[], AbstractContextManager[rig.Server]]


def measure(effort: Effort) -> Samples:
    """Measure every contender with every size of reply."""
    samples = Samples(LIMIT, connections=CONNECTIONS, seconds_of_a_turn=effort.seconds, contracts=ENGINE)
    for name in FRAMEWORKS:
        if package := missing(name):
            samples.notes.append(f"{name} was left out: {package} is not installed")
    for number, (size, messages) in enumerate(SIZES.items()):
        small = number < effort.pick(full=3, quick=1)
        if effort.runs(size, by_default=small):
            compare(samples, size, messages, "light", effort, pinned)
        if effort.runs(case := f"{size}, free", by_default=small):
            compare(samples, case, messages, "light", effort, free)
        if effort.runs(case := f"{size}, stand-in as SDK", by_default=not effort.quick):
            compare(samples, case, messages, "standin", effort, few)
    return samples


def compare(
    samples: Samples,
    case: str,
    messages: int,
    sdk: SdkName,
    effort: Effort,
    contenders: Callable[[BenchmarkZone], dict[str, Start]],
) -> None:
    """Measure one case, in turns."""
    with ExitStack() as stack:
        served = stack.enter_context(zone(messages, sdk))
        starts = effort.chosen(contenders(served), LIMIT)
        servers = {name: stack.enter_context(start()) for name, start in starts.items()}
        for server in () if effort.quick else servers.values():
            rig.load(server, served, connections=CONNECTIONS, seconds=1)
        for _ in range(effort.rounds):
            for name, server in servers.items():
                turn = rig.load(server, served, connections=CONNECTIONS, seconds=effort.seconds)
                add_turn(samples, case, name, turn)


def add_turn(samples: Samples, case: str, name: str, turn: rig.Round) -> None:
    """Take in what one contender reached in one turn."""
    samples.add(case, name, "rate", "calls/s", turn.rate)
    samples.add(case, name, "p50", "µs", turn.p50)
    samples.add(case, name, "p99", "µs", turn.p99)
    samples.add(case, name, "processor", "s/1,000 calls", turn.processor)


def pinned(served: BenchmarkZone) -> dict[str, Start]:
    """Everybody, each on the first core."""
    core = rig.CORES[0]
    starts: dict[str, Start] = {
        HARD_LIMIT: partial(peer, HARD_LIMIT, served, core=core),
        LIMIT: partial(peer, LIMIT, served, core=core),
        INLINE: partial(peer, INLINE, served, core=core),
        PROGRAM: partial(program, served, core=core),
        PURE: partial(program, served, core=core, variables={"WWSPEC_PURE": "1"}),
        **asgi_programs(served, core),
    }
    return starts | {name: partial(peer, name, served, core=core) for name in FRAMEWORKS if not missing(name)}


def free(served: BenchmarkZone) -> dict[str, Start]:
    """The references and the program, none of them pinned, with one process and with two."""
    return {
        HARD_LIMIT: partial(peer, HARD_LIMIT, served),
        LIMIT: partial(peer, LIMIT, served),
        TWO_LIMITS: partial(peer, TWO_LIMITS, served),
        INLINE: partial(peer, INLINE, served),
        PROGRAM: partial(program, served, "--workers", "1"),
        f"{PROGRAM} --workers 2": partial(program, served, "--workers", "2"),
        f"{PROGRAM} --workers 2, own cores": partial(program, served, "--workers", "2", *OWN_CORES),
    }


def few(served: BenchmarkZone) -> dict[str, Start]:
    """The references and the program, each on the first core."""
    return {name: start for name, start in pinned(served).items() if name in (HARD_LIMIT, LIMIT, INLINE, PROGRAM)}


BENCHMARK = Benchmark(
    "exchange",
    "What does a whole exchange cost beside a program that only decodes, calls and encodes, and beside frameworks?",
    measure,
    seconds=2,
)

if __name__ == "__main__":
    run(BENCHMARK)
