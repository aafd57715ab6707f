"""What does a whole exchange cost beside a program that only decodes, calls and encodes?

`python -m benchmarks.bench_exchange [--quick]` prints one JSON object: for each size of reply the rates of both
servers in interleaved rounds, and the ratio of their medians. One server process on the first core, `wrk` on the
second, the SDK is the stand-in in its local mode.
"""

import argparse
import os
from contextlib import ExitStack
from functools import partial

import msgspec

from benchmarks import rig

SIZES = {"3 KB": 10, "60 KB": 200, "300 KB": 1000}
"""Size of the reply -> messages in it."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short rounds, for a first look")
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    rounds, seconds = (1, 1.0) if options.quick else (5, 3.0)
    result = {size: measure(messages, rounds, seconds, options.connections) for size, messages in SIZES.items()}
    print(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())


def measure(messages: int, rounds: int, seconds: float, connections: int) -> dict[str, dict[str, object]]:
    """Measure both servers with one size of reply."""
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = (cores[0], cores[-1]) if len(cores) > 1 else (None, None)
    ports = {"limit-1": rig.free_port(), "program": rig.free_port()}
    commands = {
        "limit-1": ["-m", "benchmarks.peers.limit_1", str(ports["limit-1"])],
        "program": ["-m", "wwspec_router", "serve", "--sdk", "emulator", "--store", "memory:", "--log-level", "WARNING"]
        + ["--port", str(ports["program"])],
    }
    with ExitStack() as stack:
        zone = stack.enter_context(rig.zone_folder(messages))
        for name, command in commands.items():
            stack.enter_context(rig.server(command, ports[name], zone, server_core))
        one = partial(rig.load, zone=zone, connections=connections, core=load_core)
        for port in ports.values():
            one(port, seconds=1.0)
        measured: dict[str, list[rig.Round]] = {name: [] for name in ports}
        for _ in range(rounds):
            for name, port in ports.items():
                measured[name].append(one(port, seconds=seconds))
    return rig.ratios(measured, "limit-1")


if __name__ == "__main__":
    main()
