"""How long until the first answer, and how much memory, beside a bare application of Starlette, uvicorn and msgspec?

`python -m benchmarks.bench_startup [--json] [--quick]`

Cold start is from the exec of run.sh (of Python for the bare application) to the first sealed answer, byte code and
the disk's cache being warm. Both load the emulator's stand-in as their SDK. Import time is a whole process that only
imports, `wwspec --help` one that prints the help; click alone is its reference. Memory is that of all processes of the
program, parent and worker; pages that they share count once. The program with 1,000 abilities more,
of all 43 APIs, is compared with the bare application as well. Needs `wrk`.
"""

import compileall
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from benchmarks import rig
from benchmarks.applications import registry_with
from benchmarks.bench_exchange import CONNECTIONS
from benchmarks.command import Benchmark, Effort, run
from benchmarks.contenders import PROGRAM, peer, program
from benchmarks.figures import Samples
from benchmarks.zones import ROOT, BenchmarkZone, zone

BARE = "bare"
MANY = 1000

PROCESSES: dict[str, dict[str, tuple[str, ...]]] = {
    "import": {
        BARE: ("-c", "import msgspec, starlette.applications, starlette.routing, uvicorn"),
        PROGRAM: ("-c", "import wwspec_router.serving.server"),
    },
    "help": {BARE: ("-c", "import click"), PROGRAM: ("-m", "wwspec_router", "--help")},
}
"""Case -> contender -> arguments of Python."""


def measure(effort: Effort) -> Samples:
    """Start everything in turns."""
    for folder in ("wwspec_router", "packages", "abilities", "schemas", "benchmarks"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    number = effort.pick(full=MANY, quick=20)
    samples = Samples(BARE, abilities_more=number)
    with zone(messages=10, sdk="standin") as served, tempfile.TemporaryDirectory(prefix="wwspec-bench-") as name:
        many = registry_with(number, Path(name))
        starts: dict[str, Callable[[], AbstractContextManager[rig.Server]]] = {
            BARE: partial(peer, "bare", served),
            PROGRAM: partial(program, served),
            f"{PROGRAM}, {number:,} abilities more": partial(program, served, "--registry", str(many)),
        }
        for round_ in range(effort.rounds):
            for contender, start in starts.items():
                cold_start(samples, contender, start, served, under_load=round_ == 0, seconds=effort.seconds)
            for case, processes in PROCESSES.items():
                for contender, arguments in processes.items():
                    samples.add(case, contender, "time", "ms", process_time(arguments))
    return samples


def cold_start(
    samples: Samples,
    contender: str,
    start: Callable[[], AbstractContextManager[rig.Server]],
    served: BenchmarkZone,
    *,
    under_load: bool,
    seconds: int,
) -> None:
    """Start one server; memory under load is taken once, since it needs a while."""
    with start() as server:
        samples.add("cold start", contender, "time", "ms", server.seconds * 1e3)
        samples.add("idle", contender, "resident", "MiB", rig.resident(server.pid))
        if under_load:
            rig.load(server, served, connections=CONNECTIONS, seconds=seconds)
            samples.add(f"after load of {CONNECTIONS} callers", contender, "resident", "MiB", rig.resident(server.pid))


def process_time(arguments: tuple[str, ...]) -> float:
    """Return how long a process of Python takes, in milliseconds."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begun) * 1e3


BENCHMARK = Benchmark(
    "startup",
    "How long until the first answer, and how much memory, beside a bare application of the same parts?",
    measure,
    rounds=9,
)

if __name__ == "__main__":
    run(BENCHMARK)
