"""Run `overload`: four times the calls that a program can serve, for a minute, from senders that do not wait.

What is accepted must be answered soon, what is refused at once, memory must stay where it is, and afterwards all must
be as before. The handler blocks its thread for 50 ms, as a call of the vendor's SDK would; the SDK's stand-in works
from files, so that no emulator takes part.
"""

import asyncio
import gc
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from torture.client import Answered, Client, SealedCalls
from torture.handlers import WAIT
from torture.program import ServeProcess, resident_bytes, write_registry
from torture.progress import say
from torture.result import Findings
from wwspec_devtools.emulator.standin.wwspec_standin.seal import KEY_BYTES, SealError

__all__ = ["Memory", "milliseconds", "percentile", "run"]

THREADS, QUEUE, QUEUE_TIMEOUT = 16, 32, 0.5
FACTOR = 4
"""Times the measured capacity that is sent."""
REFUSAL_LIMIT = 0.1
"""Seconds within which 99 % of the refusals must be there."""
UNSEALED = 0.01
"""Share of the refusals that may be a bare HTTP status 503: more come at once than can be sealed."""
GOODPUT = 0.8
"""Share of the capacity that must be served under overload."""
KEPT_RATE = 0.95
"""Share of the intended rate that the sender must reach, or the run says nothing."""
MEMORY = 1.1
MEMORY_SLACK = 4 << 20
AFTER = 1.5
AFTER_SLACK = 0.01
"""Seconds that the calls after the overload may take longer, beyond the factor; a timer's and a scheduler's noise."""
UNSEALED_TEXT = "HTTP status 503"
UNLOADED = 0.1
"""Share of the capacity that counts as no load."""


class _Seconds(msgspec.Struct, frozen=True):
    """How long each part takes, in seconds."""

    capacity: float
    unloaded: float
    warm_up: float
    overload: float


def run(seed: int, quick: bool) -> Findings:
    """Overload a program with 16 threads and a queue of 32; the seed changes nothing."""
    seconds = _Seconds(1.5, 4.0, 1.5, 5.0) if quick else _Seconds(5.0, 20.0, 5.0, 60.0)
    with tempfile.TemporaryDirectory(prefix="wwspec-overload-") as name:
        folder = Path(name)
        key = os.urandom(KEY_BYTES)
        (folder / "zone.key").write_bytes(key)
        registry = write_registry(folder, 1200)
        options = ["--threads", str(THREADS), "--queue", str(QUEUE), "--queue-timeout", str(QUEUE_TIMEOUT)]
        options += ["--store", f"sqlite:{folder / 'notify.db'}"]
        with ServeProcess(folder, registry, f"local:{folder}", options) as program:
            return asyncio.run(_overload(program, SealedCalls(key, "wait"), seconds, judged=not quick))


async def _overload(program: ServeProcess, calls: SealedCalls, seconds: _Seconds, *, judged: bool) -> Findings:
    """Load the program; times and memory are only judged when that was long enough to say something."""
    client = Client(program.port, calls.requests)
    gc.disable()  # a pause of the sender would look like one of the program
    try:
        closed = await client.closed(THREADS + QUEUE // 2, seconds.capacity)
        capacity = len(closed) / seconds.capacity
        say(f"capacity {capacity:.0f} calls/s, at best {THREADS / WAIT:.0f}")
        before = await client.at_rate(capacity * UNLOADED, seconds.unloaded)
        warm_up = await client.at_rate(capacity * FACTOR, seconds.warm_up)
        (worker,) = program.workers()
        start = resident_bytes(worker)
        with Memory(worker) as memory:
            say(f"{capacity * FACTOR:.0f} calls/s for {seconds.overload:g} s")
            began = time.perf_counter()
            loaded = await client.at_rate(capacity * FACTOR, seconds.overload)
            took = time.perf_counter() - began
            end = resident_bytes(worker)
        after = await client.at_rate(capacity * UNLOADED, seconds.unloaded)
    finally:
        gc.enable()
        client.close()
    sorted_out = {
        name: _Sorted(calls, answered)
        for name, answered in {"before": before, "warm-up": warm_up, "overload": loaded, "after": after}.items()
    }
    figures = {
        "capacity_per_s": round(capacity),
        "sent_per_s": round(len(loaded) / took),
        "sent_late_p99_ms": milliseconds(percentile([each.late for each in loaded], 99)),
        "accepted_per_s": round(len(sorted_out["overload"].accepted) / took),
        "before": sorted_out["before"].figures(),
        "overload": sorted_out["overload"].figures(),
        "after": sorted_out["after"].figures(),
        "rss_start_mib": round(start / 2**20, 1),
        "rss_most_mib": round(memory.most / 2**20, 1),
        "rss_end_mib": round(end / 2**20, 1),
        "unanswered": client.lost,
    }
    wrong = [failure for each in sorted_out.values() for failure in each.wrong()]
    if figures["unanswered"]:
        wrong.append(f"{figures['unanswered']} calls were never answered")
    return Findings(figures=figures, failures=wrong + (_judge(figures, sorted_out, (start, end)) if judged else []))


class _Sorted:
    """Answers, by what they are.

    Args:
        calls: Opens them.
        answered: What came.
    """

    def __init__(self, calls: SealedCalls, answered: Sequence[Answered]) -> None:
        self.accepted: list[float] = []
        self.refused: list[float] = []
        self._texts: Counter[str] = Counter()
        self._wrong: Counter[str] = Counter()
        for each in answered:
            self._sort(calls, each)

    def _sort(self, calls: SealedCalls, each: Answered) -> None:
        try:
            reply: Any = calls.reply(each.head, each.body) if each.status == 200 else None
        except SealError as error:
            reply = {"errmsg": str(error)}
        if each.status == 503:
            self.refused.append(each.seconds)
            self._texts[UNSEALED_TEXT] += 1
        elif reply is None:
            self._wrong[f"HTTP status {each.status}"] += 1
        elif reply.get("errcode") == 0 and reply.get("doubled") == 2 * each.number:
            self.accepted.append(each.seconds)
        elif "overloaded" in reply.get("errmsg", ""):
            self.refused.append(each.seconds)
            self._texts[reply["errmsg"]] += 1
        else:
            self._wrong[msgspec.json.encode(reply).decode()[:200]] += 1

    @property
    def unsealed(self) -> int:
        """How many refusals were a bare HTTP status 503."""
        return self._texts[UNSEALED_TEXT]

    def wrong(self) -> list[str]:
        """Return a line for each kind of answer that is neither right nor a refusal."""
        return [f"{count} times: {text}" for text, count in self._wrong.items()]

    def figures(self) -> dict[str, Any]:
        """Return counts and latencies."""
        return {
            "accepted": len(self.accepted),
            "accepted_p50_ms": milliseconds(percentile(self.accepted, 50)),
            "accepted_p99_ms": milliseconds(percentile(self.accepted, 99)),
            "refused": len(self.refused),
            "refused_p50_ms": milliseconds(percentile(self.refused, 50)),
            "refused_p99_ms": milliseconds(percentile(self.refused, 99)),
            "refused_longest_ms": milliseconds(max(self.refused, default=0.0)),
            "refusals": dict(self._texts),
        }


class Memory:
    """Watches how much memory a process has at most."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory")
        self.most = 0

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(0.25):
            self.most = max(self.most, resident_bytes(self._pid))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that so many per cent of the values don't exceed; 0.0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(len(ordered) * share / 100) - 1))]


def _judge(figures: dict[str, Any], found: dict[str, _Sorted], memory: tuple[int, int]) -> list[str]:
    before, loaded, after = (percentile(found[name].accepted, 99) for name in ("before", "overload", "after"))
    refused = percentile(found["overload"].refused, 99)
    capacity, unsealed = figures["capacity_per_s"], found["overload"].unsealed
    start, end = memory
    promises = {
        f"the sender reached {figures['sent_per_s']} of {capacity * FACTOR} calls/s: its figures say nothing": (
            figures["sent_per_s"] >= KEPT_RATE * FACTOR * capacity
        ),
        f"accepted calls took {milliseconds(loaded)} ms (p99), "
        f"allowed are twice {milliseconds(before)} and the queue's time-out": (loaded <= 2 * before + QUEUE_TIMEOUT),
        f"refusals took {milliseconds(refused)} ms (p99), allowed are {milliseconds(REFUSAL_LIMIT)}": refused
        <= REFUSAL_LIMIT,
        f"{unsealed} refusals were a bare HTTP status 503": unsealed <= UNSEALED * len(found["overload"].refused),
        f"only {figures['accepted_per_s']} of {capacity} calls/s were served under overload": (
            figures["accepted_per_s"] >= GOODPUT * capacity
        ),
        f"memory grew from {start >> 20} to {end >> 20} MiB": end <= start * MEMORY + MEMORY_SLACK,
        f"afterwards calls took {milliseconds(after)} ms (p99), before {milliseconds(before)}": after
        <= AFTER * before + AFTER_SLACK,
        "calls were refused without load": not found["before"].refused and not found["after"].refused,
    }
    return [failure for failure, kept in promises.items() if not kept]


def milliseconds(seconds: float) -> float:
    """Return a time as it is printed."""
    return round(seconds * 1000, 1)
