"""Run `intruder`: 50 connections without the zone key do what they can for a minute, while others make good calls.

They send requests ahead without an end, offer other protocols, announce lengths of 5,000 digits, send bodies that are
too large or lack their last byte, garbage, random heads and chunks, and close their sending side. The program must
answer each of them as it should, and the others as soon as ever; neither its memory nor its log may fill. The SDK's
stand-in works from files, so that no emulator takes part.
"""

import asyncio
import contextlib
import gc
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from torture.client import Answered, Client, SealedCalls
from torture.keyless import KeylessReport
from torture.overload import Memory, milliseconds, percentile
from torture.program import ROOT, ServeProcess, resident_bytes, write_registry
from torture.progress import say
from torture.result import Findings
from wwspec_devtools.emulator.standin.wwspec_standin.seal import KEY_BYTES, SealError

__all__ = ["judge", "lines_by_kind", "run"]

CONNECTIONS = 50
SECONDS, QUICK_SECONDS = 60.0, 5.0
WARM_UP, QUICK_WARM_UP = 5.0, 1.0
FRAMINGS = 1000
"""How many random heads and chunks are sent in SECONDS; in a longer run more."""
RATE = 50.0
"""Good calls a second."""
GROWTH = 64 << 20
"""Bytes by which the program may grow."""
LATENCY = 0.1
"""Seconds within which 99 % of the good calls must be answered."""
HEALTH = 1.0
"""Seconds within which `/healthz` must be answered beside each random head."""
LINES = 1.0
"""Lines a second of one kind in the program's log, and one more for the beginning."""
END = 60.0
"""Seconds after their time within which the connections must have ended."""

_LINE = re.compile(r"^\S+ \S+ (\w+ \S+) \d+ (?:#\S+ )?(.*)$")
_LEFT_OUT = re.compile(r" \(and \d+ more since the last such line\)$")


def run(seed: int, quick: bool, *, seconds: float | None = None) -> Findings:
    """Let 50 connections without the zone key loose on a program.

    Args:
        seed: Chooses what they do.
        quick: 5 seconds instead of 60.
        seconds: How long, whatever `quick` says.
    """
    length = seconds or (QUICK_SECONDS if quick else SECONDS)
    warm_up = QUICK_WARM_UP if quick else WARM_UP
    with tempfile.TemporaryDirectory(prefix="wwspec-intruder-") as name:
        folder = Path(name)
        key = os.urandom(KEY_BYTES)
        (folder / "zone.key").write_bytes(key)
        options = ["--store", f"sqlite:{folder / 'notify.db'}"]
        with ServeProcess(folder, write_registry(folder, 1200), f"local:{folder}", options) as program:
            calls = SealedCalls(key, "double")
            return asyncio.run(_intrude(program, calls, seed, length, warm_up, timed=not quick))


async def _intrude(
    program: ServeProcess, calls: SealedCalls, seed: int, seconds: float, warm_up: float, *, timed: bool
) -> Findings:
    """Make good calls, first alone; latency is only judged when that was long enough to say something."""
    client = Client(program.port, calls.requests)
    framings = round(FRAMINGS * seconds / SECONDS)
    gc.disable()  # a pause of the sender would look like one of the program
    try:
        before = await client.at_rate(RATE, warm_up)
        (worker,) = program.workers()
        start = resident_bytes(worker)
        logged, began = len(program.said()), time.monotonic()
        with Memory(worker) as memory, _keyless(program.port, seconds, framings, seed) as keyless:
            say(f"{CONNECTIONS} connections without the zone key for {seconds:g} s")
            meanwhile = await client.at_rate(RATE, seconds)
            report = await asyncio.to_thread(_report, keyless)
        end = resident_bytes(worker)
        after = await client.at_rate(RATE, warm_up)
    finally:
        gc.enable()
        client.close()
    lines, took = lines_by_kind(program.said()[logged:]), time.monotonic() - began
    figures = {
        "turns": report.turns,
        "refused_bodies": report.refused_bodies,
        "healthz_most_ms": milliseconds(report.health_seconds),
        "log_s": round(took, 1),
        "calls": len(meanwhile),
        **{
            f"{name}_{share}_ms": milliseconds(percentile([each.seconds for each in answered], int(share[1:])))
            for name, answered in {"before": before, "calls": meanwhile, "after": after}.items()
            for share in ("p50", "p99")
        },
        "rss_before_mib": round(start / 2**20, 1),
        "rss_most_mib": round(memory.most / 2**20, 1),
        "rss_after_mib": round(end / 2**20, 1),
        "lines": dict(lines),
    }
    wrong = [f"{count} times: {text}" for text, count in report.wrong.items()]
    wrong += _wrong(calls, [*before, *meanwhile, *after], client.lost)
    slow = percentile([each.seconds for each in meanwhile], 99) if timed else 0.0
    gap = report.health_seconds if timed else 0.0
    return Findings(figures=figures, failures=wrong + judge(memory.most - start, slow, gap, lines, took))


def judge(growth: int, p99: float, gap: float, lines: Counter[str], seconds: float) -> list[str]:
    """Return a line for each promise that was broken.

    Args:
        growth: Of the program's memory, in bytes.
        p99: Seconds within which 99 % of the good calls were answered.
        gap: The longest that `/healthz` took, in seconds.
        lines: How often each kind of line was logged.
        seconds: How long the log was read.
    """
    failures = [
        f"the log has {count} lines like this: {kind}" for kind, count in lines.items() if count > LINES * seconds + 1
    ]
    if growth >= GROWTH:
        failures.append(f"memory grew by {growth / 2**20:.1f} MiB, allowed are less than {GROWTH >> 20}")
    if p99 > LATENCY:
        failures.append(f"good calls took {milliseconds(p99)} ms (p99), allowed are {milliseconds(LATENCY)}")
    if gap > HEALTH:
        failures.append(f"/healthz took {milliseconds(gap)} ms, allowed are {milliseconds(HEALTH)}")
    return failures


def lines_by_kind(said: str) -> Counter[str]:
    """Count lines of a log that say the same, whatever the numbers in them."""
    kinds: Counter[str] = Counter()
    for line in said.splitlines():
        found = _LINE.match(line)
        text = f"{found[1]} {_LEFT_OUT.sub('', found[2])}" if found else line
        kinds[re.sub(r"\d+", "N", text)] += 1
    return kinds


def _wrong(calls: SealedCalls, answered: Sequence[Answered], lost: int) -> list[str]:
    """Return a line for each kind of answer to a good call that is not right."""
    wrong: Counter[str] = Counter()
    for each in answered:
        try:
            reply: Any = calls.reply(each.head, each.body) if each.status == 200 else {"status": each.status}
        except SealError as error:
            reply = {"errmsg": str(error)}
        if reply.get("errcode") != 0 or reply.get("doubled") != 2 * each.number:
            wrong[msgspec.json.encode(reply).decode()[:200]] += 1
    if lost:
        wrong["no answer"] = lost
    return [f"{count} good calls: {text}" for text, count in wrong.items()]


@contextlib.contextmanager
def _keyless(port: int, seconds: float, framings: int, seed: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the process of the connections, and end it."""
    command = [sys.executable, "-m", "torture.keyless"]
    command += [str(each) for each in (port, CONNECTIONS, seconds, framings, seed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own command
        try:
            yield process
        finally:
            process.kill()


def _report(process: "subprocess.Popen[bytes]") -> KeylessReport:
    output, _ = process.communicate(timeout=END)
    return msgspec.json.decode(output, type=KeylessReport)
