"""Where does the time of a call go?

`python -m benchmarks.call_profile [--json] [--rounds N]`, with the Python of `scripts/bench`. Each layer runs alone in
this process, made of the program's real parts, and its processor time is taken: the least of several turns, since other
programs only ever add to it. `served` is the processor time of a whole call in a program of its own, kernel included.
What no layer explains of it are sockets, the event loop, and switches of threads. Needs `wrk`.
"""

import argparse
import asyncio
import importlib.util
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import uvloop
from uvicorn.config import Config
from uvicorn.server import ServerState

from benchmarks import rig
from benchmarks.applications import NO_STORE, REGISTRY
from benchmarks.bench_exchange import SIZES
from benchmarks.command import show
from benchmarks.contenders import LIMIT, peer, program
from benchmarks.figures import Samples
from benchmarks.zones import PASSTHROUGH, ROOT, BenchmarkZone, zone
from wwspec_contracts.support.stacks import thread_frames
from wwspec_router.config import Settings
from wwspec_router.envelope import Deadline
from wwspec_router.http1.answers import Answer, Headers, OnAnswer
from wwspec_router.http1.bounds import Limits
from wwspec_router.http1.budget import BodyBudget
from wwspec_router.http1.connection import Connection
from wwspec_router.http1.turns import Turns
from wwspec_router.kernel.dispatch import Dispatcher, Route
from wwspec_router.monitoring.figures import Figures
from wwspec_router.registry.table import build_table
from wwspec_router.sdk.vendor import VendorSdk
from wwspec_router.serving.calls import Calls, Exchange, PendingRequest
from wwspec_router.serving.workers import WorkerPool

TURN = 0.03
"""Seconds of one turn of a layer, about."""
TURNS = 9
CALLS = 3000
"""Calls that are handed over in one turn."""


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.call_profile", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured, 3 by default")
    options = parser.parse_args()
    samples = measure(options.rounds)
    show(samples.report("profile", "Where does the time of a call go?", quick=False), as_json=options.json)


def measure(rounds: int) -> Samples:
    """Measure small and larger replies."""
    samples = Samples("served, callers: 16")
    for size in ("3 KB", "60 KB"):
        with zone(SIZES[size]) as served:
            parts = Parts(served)
            starts = {"served": partial(program, served), LIMIT: partial(peer, LIMIT, served)}
            for _ in range(rounds):
                for name, layer in parts.layers().items():
                    samples.add(size, name, "time", "µs", least(layer))
                for callers in (16, 1):
                    samples.add(size, f"hand-over, callers: {callers}", "time", "µs", parts.hand_over(callers))
                for name, start in starts.items():
                    with start(core=rig.CORES[0]) as server:
                        for callers in (16, 1):
                            used, switches = cost(server, served, callers)
                            samples.add(size, f"{name}, callers: {callers}", "time", "µs", used)
                            samples.add(size, f"{name}, callers: {callers}", "switches", "1", switches)
    return samples


def least(layer: Callable[[], object]) -> float:
    """Return the least processor time of a layer, in microseconds."""
    times = 1
    while (taken := _thread_time(layer, times)) < TURN / 4:
        times *= 4
    times = max(1, int(times * TURN / taken))
    return min(_thread_time(layer, times) for _ in range(TURNS)) / times * 1e6


def _thread_time(layer: Callable[[], object], times: int) -> float:
    begun = time.thread_time()
    for _ in range(times):
        layer()
    return time.thread_time() - begun


def cost(server: rig.Server, served: BenchmarkZone, callers: int) -> tuple[float, float]:
    """Return the processor time of a call in microseconds, and how often a thread stops or is stopped for one."""
    before = _used(server.pid)
    turn = rig.load(server, served, connections=callers, seconds=1)
    used, switches = (now - then for now, then in zip(_used(server.pid), before, strict=True))
    return used / turn.rate * 1e6, switches / turn.rate


def _used(pid: int) -> tuple[float, int]:
    """Return the seconds and switches of a process and its children."""
    seconds, switches = 0.0, 0
    for each in (pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())):
        for task in Path(f"/proc/{each}/task").iterdir():
            seconds += int((task / "schedstat").read_text().split()[0]) / 1e9
            lines = (task / "status").read_text().splitlines()
            switches += sum(int(line.split()[1]) for line in lines if "voluntary_ctxt_switches" in line)
    return seconds, switches


class Parts:
    """The program's own parts, put together over the SDK of the benchmarks.

    Args:
        served: What the SDK answers from.
    """

    def __init__(self, served: BenchmarkZone) -> None:
        with patch.dict(os.environ, served.environment):
            self._sdk = VendorSdk(_module(served))
        table = build_table(ROOT, REGISTRY)
        self._dispatcher = Dispatcher(table, self._sdk, NO_STORE)
        self._exchange = Exchange(self._sdk, self._dispatcher)
        target: Any = table.abilities[PASSTHROUGH].target
        self._check_request, self._check_reply = target.input.forward, target.output.fit
        headers, body = served.seal(PASSTHROUGH)
        self._headers, self._body = [("host", "127.0.0.1"), *headers.items()], body.encode()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        self._bytes = head.encode() + self._body
        self._abilities = list(table.abilities)
        self._answer = self._exchange.answer(PendingRequest(self._headers, self._body))

    def layers(self) -> dict[str, Callable[[], object]]:
        """Return what is timed, by name."""
        sdk, dispatcher, deadline = self._sdk, self._dispatcher, Deadline()
        headers, body, text = self._headers, self._body, self._body.decode()
        call = sdk.decode(headers, text)
        reply = sdk.client(call.corpid, call.agentid, call.ability_id, "").invoke("sync_msg", call.data)
        plain = Route("plain", lambda call, text, deadline: reply)
        connection = _connection(self._answer)
        return {
            "parser and connection": partial(_receive, connection, self._bytes),
            "SDK decodes": lambda: sdk.decode(headers, text),
            "dispatch": lambda: (dispatcher.route(call), dispatcher.answer(call, plain, deadline)),
            "request check": lambda: self._check_request(call.data),
            "SDK call": lambda: sdk.client(call.corpid, call.agentid, call.ability_id, "").invoke(
                "sync_msg", call.data
            ),
            "reply check": lambda: self._check_reply(reply),
            "SDK seals": lambda: sdk.encode(reply),
            "exchange, all of it": lambda: self._exchange.answer(PendingRequest(headers, body)),
        }

    def hand_over(self, callers: int) -> float:
        """Return the processor time of handing a call to a thread and its answer back, in microseconds."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return min(runner.run(self._hand_over(callers)) for _ in range(5))

    async def _hand_over(self, callers: int) -> float:
        pool = WorkerPool(16)
        calls = Calls(_Ready(self._answer), pool, Figures(self._abilities), Settings(app=ROOT), thread_frames)  # type: ignore[arg-type]
        await pool.start(threads=1)
        await calls.start()
        left, ended = CALLS, asyncio.Event()

        def on_answer(answer: Answer | None) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                ended.set()
            else:
                calls.submit(self._headers, self._body, on_answer)

        begun = time.process_time()
        for _ in range(callers):
            calls.submit(self._headers, self._body, on_answer)
        await ended.wait()
        used = time.process_time() - begun
        await pool.stop(1.0)
        await calls.stop()
        return used / CALLS * 1e6


class _Ready:
    """An exchange that has its answer."""

    call_log = None

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def answer(self, request: PendingRequest) -> Answer:
        request.begun = time.monotonic()
        return self._answer


class _Nowhere(asyncio.Transport):
    """A transport whose bytes go nowhere."""

    def write(self, data: bytes) -> None:  # type: ignore[override]
        pass

    def writelines(self, list_of_data: Any) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def get_write_buffer_size(self) -> int:
        return 0


class _AtOnce:
    """Answers every call at once."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def submit(self, headers: Headers, body: bytes, on_answer: OnAnswer) -> None:
        on_answer(self._answer)

    def page(self, path: str) -> None:
        pass


def _connection(answer: Answer) -> Connection:
    """Return a connection whose calls are answered at once."""
    state = ServerState()
    state.default_headers = [(b"date", b"Thu, 26 Nov 2026 12:00:00 GMT")]
    limits = Limits(connections=1, head_timeout=60, body_timeout=60, max_body=1 << 20)
    config = Config("benchmarks:none", log_config=None)
    bodies = BodyBudget(limits.max_body)
    loop, program = asyncio.new_event_loop(), _AtOnce(answer)
    made = Connection(config, state, {}, loop, program=program, limits=limits, bodies=bodies, turns=_OneTurn())
    made.connection_made(_Nowhere())
    return made


class _OneTurn(Turns):
    """A turn that is never used up: no event loop runs here."""

    def spend(self, work: int) -> None:
        pass


def _receive(connection: Connection, data: bytes) -> None:
    connection.get_buffer(-1)[: len(data)] = data
    connection.buffer_updated(len(data))


def _module(served: BenchmarkZone) -> Any:
    spec = importlib.util.spec_from_file_location("wwspecapisdk_of_profile", served.module)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{served.module} can't be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
