"""Run `soak`: half of what the program can serve, of everything, for ten minutes; then nothing may have grown.

Sealed calls go straight to the program at a fixed rate; events, fetches and jobs go through the emulator; requests that
no platform would send are among them. Events expire while the run lasts, so that the store has to forget them.
"""

import asyncio
import random
import socket
import sqlite3
import statistics
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any, NamedTuple

import msgspec

from torture.backends import SqliteBackend
from torture.client import Answered, Client, SealedCalls, http_request
from torture.program import ServeProcess, open_files, resident_bytes
from torture.progress import say
from torture.result import Findings
from torture.stage import REPORT_LIMIT, Stage, set_up
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.standin.wwspec_standin import seal

__all__ = ["judge_growth", "run"]

SECONDS, QUICK_SECONDS = 600.0, 10.0
TTL, QUICK_TTL = 30.0, 3.0
"""Seconds for which the program keeps events: a fraction of the fifth that is compared."""
RECENT = 10
"""Events that fetches choose from: none that could have expired."""
PAUSE = 0.05
"""Seconds between two calls of one caller through the emulator."""
CALIBRATION, QUICK_CALIBRATION = 5.0, 2.0
CONNECTIONS = 32
"""Of the sealed calls; all are under way while the capacity is measured."""
THREADS = 16
"""Of each worker process. Each keeps a connection to the emulator, once it has called it."""
OPTIONS = ("--threads", str(THREADS))
BURST, BURST_SECONDS = 96, 0.5
"""Events and jobs at once before the run, and seconds that each one's SDK call takes, so that each thread makes one."""
SHARE = 0.5
"""Share of the capacity that is sent."""
SAMPLE, QUICK_SAMPLE = 3.0, 0.25
"""Seconds between two looks at the processes."""
GROWTH, SLACK = 1.05, 1 << 20
"""How much larger a process may be in the last fifth than in the second, and bytes on top."""
FILES = 3
"""How many more files it may have open then."""
STORE_GROWTH, STORE_SLACK = 1.1, 1 << 20
BAD_PAUSE = 0.1
MAX_BODY = 16 << 20
_OK, _WRONG_METHOD, _TOO_LARGE = 200, 405, 413


def run(seed: int, quick: bool, *, seconds: float | None = None) -> Findings:
    """Load a program with two workers and a SQLite store.

    Args:
        seed: Makes the choices.
        quick: 10 seconds instead of 600.
        seconds: How long, whatever `quick` says.
    """
    ttl = QUICK_TTL if quick else TTL
    with set_up("sqlite", seed, pause=PAUSE, notify_ttl=ttl, recent=RECENT, options=OPTIONS) as stage:
        key = _zone_key(stage.emulator_url)
        calls = SealedCalls(key, "double")
        client = Client(stage.program.port, calls.requests, CONNECTIONS)
        _open_links(stage)
        length = seconds or (QUICK_SECONDS if quick else SECONDS)
        calibration = QUICK_CALIBRATION if quick else CALIBRATION
        with stage.load, _BadRequests(stage, key, seed) as bad:
            figures = asyncio.run(_soak(stage, client, calls, length, calibration, QUICK_SAMPLE if quick else SAMPLE))
        stage.load.wait_reported(REPORT_LIMIT)
        stage.end_program(kept=False)
        figures |= {"bad_requests": bad.count, **stage.ledger.close(kept=False)}
        _, faults = stage.backend.check(expired=True)
        for fault in faults:
            stage.ledger.fail(fault)
        return Findings(figures=figures, failures=stage.ledger.failures)


async def _soak(
    stage: Stage, client: Client, calls: SealedCalls, seconds: float, calibration: float, pause: float
) -> dict[str, Any]:
    try:
        closed = await client.closed(CONNECTIONS, calibration)
        rate = SHARE * len(closed) / calibration
        say(f"{len(closed) / calibration:.0f} calls/s at most; {rate:.0f} calls/s for {seconds:g} s")
        with _Sampler(stage, pause) as sampler:
            await client.at_rate(rate, seconds, on_answer=lambda each: _note(stage, calls, each))
    finally:
        client.close()
    if client.lost:
        stage.ledger.fail(f"{client.lost} sealed calls were never answered")
    figures = sampler.judge(stage.ledger.fail)
    return {"capacity_per_s": round(len(closed) / calibration), "sent_per_s": round(rate), **figures}


def _open_links(stage: Stage) -> None:
    """Let each thread of the program call the emulator once: the connections that it keeps are no leak later."""
    with closing(EmulatorClient(stage.emulator_url)) as client:
        for api in ("spec_notify_app", "program_async_job_call_back"):
            client.add_fault("sdk", "latency", api, BURST_SECONDS)
        with ThreadPoolExecutor(BURST) as pool:
            calls = (stage.load.fire if number % 3 else stage.load.begin_job for number in range(BURST))
            for done in [pool.submit(call) for call in calls]:
                done.result()
        stage.load.wait_reported(REPORT_LIMIT)
        client.clear_faults()


def _note(stage: Stage, calls: SealedCalls, each: Answered) -> None:
    reply = calls.reply(each.head, each.body) if each.status == _OK else {"status": each.status}
    if reply.get("doubled") == 2 * each.number and reply.get("errcode") == 0:
        stage.ledger.right("sealed call")
    else:
        stage.ledger.fail(f"sealed call {each.number}: {msgspec.json.encode(reply).decode()[:200]}")


class _Sample(NamedTuple):
    """One look at a process."""

    resident: int
    """Bytes."""
    files: int
    """Open file descriptors."""


class _Sampler:
    """Looks at the processes of a program, and at its store, every few seconds.

    Args:
        stage: Whose.
        pause: Seconds between two looks.
    """

    def __init__(self, stage: Stage, pause: float) -> None:
        self._program: ServeProcess = stage.program
        backend = stage.backend
        if not isinstance(backend, SqliteBackend):
            raise TypeError("this run needs a SQLite store")
        self._backend = backend
        self._pause = pause
        self._pids = self._program.processes()
        self._samples: dict[int, list[_Sample]] = {pid: [] for pid in self._pids}
        self._store: list[int] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sampler")

    def __enter__(self) -> "_Sampler":
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._stopping.set()
        self._thread.join()

    def judge(self, fail: Callable[[str], None]) -> dict[str, Any]:
        """Compare the last fifth with the second one; return the medians of both."""
        if self._program.processes() != self._pids:
            fail("a process of the program ended during the run")
        figures: dict[str, Any] = {"samples": len(self._store)}
        for pid, name in zip(self._pids, ("parent", "worker_1", "worker_2"), strict=True):
            samples = self._samples[pid]
            figures[name], faults = judge_growth(
                name, [each.resident for each in samples], [each.files for each in samples]
            )
            for fault in faults:
                fail(fault)
        second, last = _fifths(self._store)
        figures["store_kib"] = {"second_fifth": round(second / 1024), "last_fifth": round(last / 1024)}
        if last > second * STORE_GROWTH + STORE_SLACK:
            fail(f"the store grew from {second / 1024:.0f} to {last / 1024:.0f} KiB")
        return figures

    def _watch(self) -> None:
        with closing(sqlite3.connect(f"file:{self._backend.path}?mode=ro", uri=True, check_same_thread=False)) as db:
            while not self._stopping.wait(self._pause):
                for pid in self._pids:
                    self._samples[pid].append(_Sample(resident_bytes(pid), open_files(pid)))
                with suppress(sqlite3.OperationalError):  # busy: the next look will do
                    (pages,), (size,) = (
                        db.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
                    )
                    self._store.append(pages * size)


class _BadRequests:
    """Sends what no platform would, over and over, on a thread of its own, and checks what it is told.

    Args:
        stage: Whose program.
        key: The zone key.
        seed: Chooses.
    """

    def __init__(self, stage: Stage, key: bytes, seed: int) -> None:
        self._port = stage.program.port
        self._fail = stage.ledger.fail
        self._key = key
        self._rng = random.Random(seed)  # noqa: S311 - the same seed, the same choices
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="bad-requests")
        self.count = 0

    def __enter__(self) -> "_BadRequests":
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _work(self) -> None:
        long = str(MAX_BODY + 1).encode()
        head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: "
        kinds = [
            (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", _WRONG_METHOD),
            (head + long + b"\r\n\r\n", _TOO_LARGE),
            (head + b"7\r\n\r\ngarbage", _OK),
            (head + b"100\r\n\r\nhalf", 0),
            (b"\x00\xff\x00\xff\r\n\r\n", 400),
            (self._sealed("no_such_ability", "{}"), _OK),
            (self._sealed("double", '{"number":"one"}'), _OK),
            (self._sealed("double", "[" * 5000), _OK),
        ]
        while not self._stopping.wait(BAD_PAUSE):
            request, status = self._rng.choice(kinds)
            try:
                self._send(request, status)
            except OSError as error:
                self._fail(f"a bad request ({request[:40]!r}): {type(error).__name__}")
            self.count += 1

    def _sealed(self, ability_id: str, data: str) -> bytes:
        content = seal.CallContent("wwtorture", 1, 1, data, "1_1", int(time.time()), ability_id)
        return http_request(seal.seal_call(self._key, content))

    def _send(self, request: bytes, status: int) -> None:
        with socket.create_connection(("127.0.0.1", self._port), 10) as connection:
            connection.sendall(request)
            if not status:  # half a body, and gone
                return
            answer = connection.recv(65536)
        if answer[9:12] != str(status).encode():
            self._fail(f"a bad request ({request[:40]!r}) was answered with {answer[:40]!r}, not {status}")


def _zone_key(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/emulator/zone-key", timeout=10) as response:
        key: bytes = response.read()
    return key


def judge_growth(name: str, resident: list[int], files: list[int]) -> tuple[dict[str, float], list[str]]:
    """Compare the last fifth of what was seen of a process with the second one; the first is for warming up.

    Args:
        name: What the process is called.
        resident: Bytes, look by look.
        files: Open file descriptors, look by look.

    Returns:
        The medians, and a line for each thing that has grown.
    """
    (second, last), (files_second, files_last) = _fifths(resident), _fifths(files)
    faults = []
    if last > second * GROWTH + SLACK:
        faults.append(f"{name} grew from {second / 2**20:.1f} to {last / 2**20:.1f} MiB")
    if files_last - files_second > FILES:
        faults.append(f"{name} had {files_second:g} files open, then {files_last:g}")
    medians = {
        "rss_second_fifth_mib": round(second / 2**20, 2),
        "rss_last_fifth_mib": round(last / 2**20, 2),
        "files_second_fifth": files_second,
        "files_last_fifth": files_last,
    }
    return medians, faults


def _fifths(values: list[int]) -> tuple[float, float]:
    """Return the medians of the second and of the last fifth."""
    fifth = max(1, len(values) // 5)
    return statistics.median(values[fifth : 2 * fifth] or [0]), statistics.median(values[-fifth:] or [0])
