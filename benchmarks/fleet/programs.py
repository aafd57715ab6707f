"""Runs real programs on one real Redis server, with a load that arrives at random moments."""

import asyncio
import os
import random
import signal
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks import rig
from benchmarks.contenders import program
from benchmarks.fleet.costs import commands_run, processor_seconds
from benchmarks.fleet.parts import Load
from benchmarks.zones import PASSTHROUGH, SLOW_DATA, BenchmarkZone, event, zone
from tests.support.redis_server import LocalRedis, local_redis
from wwspec_router.jobs.reports import REPORT_API

__all__ = ["Programs", "Seen", "real_programs"]

JOBS = "{reference-program}:jobs:added"
"""Where the reference program keeps which jobs there are."""
SENT_ONLY = ("eval", "evalsha", "ping", "mget")
"""Commands that programs send and no script runs."""
ID = "ww-request-id"
PATIENCE = 60.0
"""Seconds until the last job must have ended."""


class Seen(NamedTuple):
    """What a load led to, by the second unless it says otherwise."""

    sent: float
    """Commands that the programs sent."""
    ran: float
    """Commands that the server ran, those of scripts included."""
    redis: float
    """Share of a core that the server used."""
    programs: float
    """Cores that the programs used."""
    event: float
    """Median of the seconds that an event took, for its sender; 0.0 without events."""


class _Planned(NamedTuple):
    at: float
    kind: str
    server: rig.Server
    headers: dict[str, str]
    body: str
    after: str = ""
    """The id of the request that must have been answered first."""


class Programs:
    """Programs that run, each with one worker process.

    Args:
        servers: Where.
        zone: What they serve.
        redis: Their store.
        seed: Of the moments at which calls arrive.
    """

    def __init__(self, servers: Sequence[rig.Server], zone: BenchmarkZone, redis: LocalRedis, seed: int) -> None:
        self._servers = list(servers)
        self._zone = zone
        self._redis = redis
        self._random = random.Random(seed)  # noqa: S311 - moments of arrival
        self._serial = 0

    def watch(self, load: Load, seconds: float) -> Seen:
        """Let a load arrive, and say what it led to."""
        plan = self._plan(load, seconds)
        ran, redis, programs = commands_run(self._redis), processor_seconds(self._redis), self._processor()
        begun = time.perf_counter()
        took = asyncio.run(self._send(plan, seconds))
        self._drain()
        span = time.perf_counter() - begun
        after = commands_run(self._redis)
        change = {name: calls - ran.get(name, 0) for name, calls in after.items()}
        fetched = sum(each.kind == "fetch" for each in plan)
        return Seen(
            sent=(sum(change.get(name, 0) for name in SENT_ONLY) + fetched) / span,
            ran=sum(change.values()) / span,
            redis=(processor_seconds(self._redis) - redis) / span,
            programs=(self._processor() - programs) / span,
            event=statistics.median(took["event"]) if took.get("event") else 0.0,
        )

    def take_over(self, jobs: float, seconds: float, lease: float) -> float:
        """Kill one program amid jobs; return how many seconds later the others have ended all that it left behind.

        One that ran no job at that moment leaves nothing behind, and the next one is killed.

        Raises:
            RuntimeError: None of those that were killed left a job behind.
        """
        while len(self._servers) > 1:
            if (taken := self._kill_one(jobs, seconds)) > lease / 2:
                return taken
        raise RuntimeError("no program that was killed left a job behind")

    def _kill_one(self, jobs: float, seconds: float) -> float:
        victim, others = self._servers[0], self._servers[1:]
        plan = self._plan(Load(jobs=jobs), seconds)
        half = seconds / 2
        plan = [
            each if each.server is not victim or each.at < half else each._replace(server=self._random.choice(others))
            for each in plan
        ]
        killed = asyncio.run(self._send_and_kill(plan, seconds, victim, half))
        self._servers = others
        self._drain()
        return time.perf_counter() - killed

    def _plan(self, load: Load, seconds: float) -> list[_Planned]:
        plan: list[_Planned] = []
        for kind, rate in (("event", load.events), ("job", load.jobs)):
            at = self._random.expovariate(rate) if rate else seconds
            while at < seconds:
                plan.append(self._planned(at, kind))
                at += self._random.expovariate(rate)
        if load.fetch_after >= 0:
            fetches = (self._fetch_of(each, load) for each in plan if each.kind == "event")
            plan += [each for each in fetches if each.at < seconds]
        return sorted(plan, key=lambda each: each.at)

    def _fetch_of(self, event_call: _Planned, load: Load) -> _Planned:
        at = event_call.at + self._random.uniform(0, 2 * load.fetch_after)
        return self._planned(at, "fetch", event_call.headers[ID])

    def _planned(self, at: float, kind: str, after: str = "") -> _Planned:
        self._serial += 1
        own, seal = f"{self._serial}_1", self._zone.seal
        server = self._random.choice(self._servers)
        if kind == "event":
            return _Planned(at, kind, server, *seal("", event(), call_type=2, request_id=own))
        if kind == "job":
            return _Planned(at, kind, server, *seal(PASSTHROUGH, SLOW_DATA, request_id=own, is_async=True))
        sealed = seal("get_callback_data", "{}", notify_id=f"notify-{after}", request_id=own)
        return _Planned(at, kind, server, *sealed, after)

    async def _send(self, plan: Sequence[_Planned], seconds: float) -> dict[str, list[float]]:
        took: dict[str, list[float]] = {}
        idle: dict[int, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {}
        begun = time.perf_counter()
        answered = {each.headers[ID]: asyncio.Event() for each in plan}

        async def one(each: _Planned) -> None:
            await asyncio.sleep(each.at - (time.perf_counter() - begun))
            if each.after:
                await answered[each.after].wait()
            free = idle.setdefault(each.server.port, [])
            streams = free.pop() if free else await asyncio.open_connection("127.0.0.1", each.server.port)
            at = time.perf_counter()
            try:
                reply = await _exchange(*streams, each)
            except (OSError, EOFError):
                if each.server in self._servers and not _is_gone(each.server.pid):
                    raise
                return
            took.setdefault(each.kind, []).append(time.perf_counter() - at)
            free.append(streams)
            answered[each.headers[ID]].set()
            answer = self._zone.open(*reply)
            if answer.get("errcode", 0):
                raise RuntimeError(f"{each.kind}: {answer}")

        await asyncio.gather(*map(one, plan))
        await asyncio.sleep(seconds - (time.perf_counter() - begun))
        for streams in idle.values():
            for _, writer in streams:
                writer.close()
        return took

    async def _send_and_kill(self, plan: Sequence[_Planned], seconds: float, victim: rig.Server, at: float) -> float:
        sending = asyncio.create_task(self._send(plan, seconds))
        await asyncio.sleep(at)
        for pid in rig.family(victim.pid):  # the parent first, so that it replaces no worker
            os.kill(pid, signal.SIGKILL)
        killed = time.perf_counter()
        await sending
        return killed

    def _drain(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self._redis.run("ZRANDMEMBER", JOBS) is not None:
            if time.monotonic() > deadline:
                raise RuntimeError("there are jobs that nobody ends")
            time.sleep(0.02)

    def _processor(self) -> float:
        ticks = 0
        for server in self._servers:
            for pid in rig.family(server.pid):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def real_programs(number: int, folder: Path, seed: int, *options: str) -> Iterator[Programs]:
    """Run so many programs on a Redis server that syncs each write."""
    folder.mkdir()
    with ExitStack() as stack:
        redis = stack.enter_context(local_redis(folder))
        served = stack.enter_context(zone(messages=0))
        (served.folder / f"{REPORT_API}.json").write_text('{"errcode":0,"errmsg":"ok"}')
        servers = [
            stack.enter_context(program(served, "--store", redis.url, "--workers", "1", *options))
            for _ in range(number)
        ]
        yield Programs(servers, served, redis, seed)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, each: _Planned
) -> tuple[dict[str, str], str]:
    lines = "".join(f"{name}: {value}\r\n" for name, value in each.headers.items())
    head = f"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(each.body)}\r\n{lines}\r\n"
    writer.write(f"{head}{each.body}".encode())
    answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *rest = answer.rstrip().split("\r\n")
    if not status.startswith("HTTP/1.1 200"):
        raise RuntimeError(f"port {each.server.port}: {status}")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    return headers, (await reader.readexactly(int(headers["content-length"]))).decode()


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
