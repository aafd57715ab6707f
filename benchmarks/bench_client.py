"""What does a call of `ZoneClient` and `AsyncZoneClient` cost beside the same exchange with bare httpx?

`python -m benchmarks.bench_client [--json] [--quick]`. One process calls a platform that answers at once. By hand is
httpx without retries, with the token in the query, JSON inside JSON in and out. The clients do the same; typed, they
also decode the reply into `sync_msg.Response`, which by hand is a dict.
The processor time is that of the calling process: a busy machine changes it less than the time of a call.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, contextmanager
from typing import Any

import httpx

from benchmarks.command import Benchmark, Effort, run
from benchmarks.figures import Samples
from benchmarks.zones import ROOT
from wwspec_client import AsyncZoneClient, ZoneClient
from wwspec_contracts import sync_msg
from wwspec_devtools.testing.ports import held_ports

SIZES = {"3 KB": 10, "60 KB": 200}
"""Messages in a reply of that size."""
CALLERS = 16
BY_HAND, CLIENT, TYPED = "httpx by hand", "client", "client, typed"
REQUEST = {"limit": 200}
CALL = "/cgi-bin/chatdata/sync_call_program"
TURNS = 4
"""Pieces of a round in which the contenders take turns: a slow moment of the machine hits all of them."""

Call = Callable[[], object]
AsyncCall = Callable[[], Awaitable[object]]


@contextmanager
def platform(messages: int) -> Iterator[str]:
    """Run the platform and return its URL."""
    with held_ports(1) as [port]:
        command = [sys.executable, "-m", "benchmarks.peers.platform", str(port), str(messages)]
        process = subprocess.Popen(command, cwd=ROOT)
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 30
        try:
            while True:
                try:
                    httpx.get(f"{url}/cgi-bin/gettoken").raise_for_status()
                    break
                except httpx.TransportError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def body() -> dict[str, str]:
    """Return what is sent by hand."""
    return {"program_id": "program", "ability_id": "invoke_sync_msg", "request_data": json.dumps(REQUEST)}


def read(answer: httpx.Response) -> Any:
    """Return the reply, as it is read by hand."""
    outer = answer.json()
    if answer.status_code != 200 or outer["errcode"] != 0:
        raise RuntimeError(answer.text[:200])
    reply = json.loads(outer["response_data"])
    if reply.get("errcode", 0) != 0:
        raise RuntimeError(reply["errmsg"])
    return reply


def blocking(url: str, stack: ExitStack) -> dict[str, Call]:
    """Return the ways to call with threads."""
    http = stack.enter_context(httpx.Client(base_url=url))
    client = stack.enter_context(ZoneClient("corp", "secret", program_id="program", base_url=url))
    return {
        BY_HAND: lambda: read(http.post(CALL, params={"access_token": "token"}, json=body())),
        CLIENT: lambda: client.call("invoke_sync_msg", REQUEST),
        TYPED: lambda: client.call(sync_msg.Request(limit=200)),
    }


async def asynchronous(url: str, stack: AsyncExitStack) -> dict[str, AsyncCall]:
    """Return the ways to call on an event loop."""
    http = await stack.enter_async_context(httpx.AsyncClient(base_url=url))
    client = await stack.enter_async_context(AsyncZoneClient("corp", "secret", program_id="program", base_url=url))

    async def by_hand() -> object:
        return read(await http.post(CALL, params={"access_token": "token"}, json=body()))

    return {
        BY_HAND: by_hand,
        CLIENT: lambda: client.call("invoke_sync_msg", REQUEST),
        TYPED: lambda: client.call(sync_msg.Request(limit=200)),
    }


def repeat(call: Call, seconds: float) -> int:
    """Call for some time and return how often."""
    done, deadline = 0, time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        call()
        done += 1
    return done


async def repeat_async(call: AsyncCall, seconds: float) -> int:
    """Call for some time and return how often."""
    done, deadline = 0, time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        await call()
        done += 1
    return done


class Turns:
    """The calls of one round and the seconds that they took, for each contender."""

    def __init__(self, ways: Mapping[str, object]) -> None:
        self._found = {name: [0, 0.0, 0.0] for name in ways}

    @contextmanager
    def turn(self, name: str) -> Iterator[list[int]]:
        """Measure a block; it puts the calls that it has made into the list."""
        begun, busy, done = time.perf_counter(), time.process_time(), list[int]()
        yield done
        found = self._found[name]
        found[0] += sum(done)
        found[1] += time.perf_counter() - begun
        found[2] += time.process_time() - busy

    def add_to(self, samples: Samples, case: str) -> None:
        """Add what was found."""
        for name, (calls, seconds, busy) in self._found.items():
            samples.add(case, name, "per call", "µs", seconds / calls * 1e6)
            samples.add(case, name, "processor", "µs", busy / calls * 1e6)


def seconds_of(effort: Effort) -> float:
    """Return how long one of the turns of a round takes."""
    return effort.seconds / TURNS / effort.pick(full=1, quick=4)


def with_threads(samples: Samples, effort: Effort, size: str, url: str) -> None:
    """Measure the client for threads."""
    with ExitStack() as stack, ThreadPoolExecutor(CALLERS) as pool:
        ways = blocking(url, stack)
        for callers in (1, CALLERS):
            for _ in range(effort.rounds):
                turns = Turns(ways)
                for name, call in list(ways.items()) * TURNS:
                    with turns.turn(name) as done:
                        running = [pool.submit(repeat, call, seconds_of(effort)) for _ in range(callers)]
                        done += [each.result() for each in running]
                turns.add_to(samples, f"{size}, threads: {callers}")


async def with_tasks(samples: Samples, effort: Effort, size: str, url: str) -> None:
    """Measure the client for an event loop."""
    async with AsyncExitStack() as stack:
        ways = await asynchronous(url, stack)
        for callers in (1, CALLERS):
            for _ in range(effort.rounds):
                turns = Turns(ways)
                for name, call in list(ways.items()) * TURNS:
                    with turns.turn(name) as done:
                        running = [repeat_async(call, seconds_of(effort)) for _ in range(callers)]
                        done += await asyncio.gather(*running)
                turns.add_to(samples, f"{size}, tasks: {callers}")


def measure(effort: Effort) -> Samples:
    """Measure both clients, in turns with httpx by hand."""
    samples = Samples(BY_HAND, seconds_of_a_turn=effort.seconds)
    for size, messages in list(SIZES.items())[: effort.pick(full=2, quick=1)]:
        with platform(messages) as url:
            with_threads(samples, effort, size, url)
            asyncio.run(with_tasks(samples, effort, size, url))
    return samples


BENCHMARK = Benchmark(
    "client",
    "What does a call of ZoneClient and AsyncZoneClient cost beside the same exchange with bare httpx?",
    measure,
    seconds=2,
)

if __name__ == "__main__":
    run(BENCHMARK)
