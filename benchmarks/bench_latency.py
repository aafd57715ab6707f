"""How much latency does the program add for one caller, when the SDK answers at once?

`python -m benchmarks.bench_latency [--json] [--quick]`. One connection, replies of 3 KB; the difference to limit-1 is
what the program adds, and the difference to limit-0 what it adds to all that its connection class costs. Needs `wrk`.
"""

from contextlib import ExitStack
from functools import partial

from benchmarks import rig
from benchmarks.bench_exchange import free, pinned
from benchmarks.command import Benchmark, Effort, run
from benchmarks.contenders import HARD_LIMIT, INLINE, LIMIT, PROGRAM
from benchmarks.figures import Samples
from benchmarks.zones import zone
from wwspec_router.codecs.fitting import ENGINE

NAMES = (HARD_LIMIT, LIMIT, INLINE, PROGRAM)


def measure(effort: Effort) -> Samples:
    """Measure with and without pinning, in turns."""
    samples = Samples(LIMIT, connections=1, seconds_of_a_turn=effort.seconds, contracts=ENGINE)
    with zone(messages=10) as served:
        for case, contenders in (("pinned", pinned), ("free", free))[: effort.pick(full=2, quick=1)]:
            with ExitStack() as stack:
                starts = {name: start for name, start in contenders(served).items() if name in NAMES}
                servers = {name: stack.enter_context(start()) for name, start in starts.items()}
                one_caller = partial(rig.load, zone=served, connections=1)
                for server in () if effort.quick else servers.values():
                    one_caller(server, seconds=1)
                for _ in range(effort.rounds):
                    for name, server in servers.items():
                        turn = one_caller(server, seconds=effort.seconds)
                        samples.add(case, name, "p50", "µs", turn.p50)
                        samples.add(case, name, "p99", "µs", turn.p99)
    return samples


BENCHMARK = Benchmark(
    "latency", "How much latency does the program add for one caller, when the SDK answers at once?", measure, seconds=2
)

if __name__ == "__main__":
    run(BENCHMARK)
