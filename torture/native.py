"""The run `native`: the compiled check of contracts says "certain" of no text that is not, and never leaves its memory.

Texts are made for every contract and for random types, and changed. Whenever the check calls one certain, msgspec, the
checks after it and the platform's matching rule must agree. The same is tried with sanitizers, under valgrind, with
texts that end where memory does, by a coverage-guided fuzzer, and by threads and interpreters side by side.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec

from torture.native_builds import BUILDS, BuildError, compiled, preloaded
from torture.native_feed import FeedReport, Orders
from torture.progress import say
from torture.result import Findings

__all__ = ["GROWTH_KIB", "run"]

_ROOT = Path(__file__).parents[1]
_OF_PROCESS = 250_000
"""Texts that one process is fed."""
_LEAST_CERTAIN = 0.99
"""Share of plain fitting texts of contracts of which the check must be certain: without it, it would be of no use."""
GROWTH_KIB = 512
"""What the process that makes and drops fitters may grow by."""
_EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)")
_ERROR = re.compile(r"^.*(?:BrokenPromiseError|ERROR: \w+Sanitizer|runtime error:).*$", re.MULTILINE)
_IN_SOURCE = re.compile(r"speedups\.c:\d+|native_edge\.c:\d+")


class _Part(NamedTuple):
    """One part of the run: a task with one build, or several side by side."""

    name: str
    task: str
    builds: tuple[str, ...]
    full: int
    quick: int
    valgrind: bool = False


_PARTS = (
    _Part("texts", "texts", ("gcc", "gcc, portable", "clang", "clang, portable"), 10_000_000, 20_000),
    _Part("sanitized", "texts", ("sanitized", "sanitized, portable"), 500_000, 5_000),
    _Part("edge", "edge", ("edge",), 1_000_000, 10_000),
    _Part("edge_portable", "edge", ("edge, portable",), 1_000_000, 10_000),
    _Part("leaks", "leaks", ("gcc",), 200_000, 5_000),
    _Part("threads", "threads", ("gcc",), 200_000, 2_000),
    _Part("interpreters", "interpreters", ("gcc",), 40, 8),
    _Part("valgrind", "leaks", ("gcc",), 5_000, 100, valgrind=True),
    _Part("valgrind_texts", "texts", ("gcc",), 20_000, 0, valgrind=True),
)
_TEXTS_GUIDED, _TEXTS_GUIDED_QUICK = 3_000_000, 5_000
_MALLOC = {True: {"PYTHONMALLOC": "malloc"}, False: {}}
"""By whether it runs under valgrind, which sees no blocks of CPython's own allocator."""


def run(seed: int, quick: bool, texts: int | None = None, seconds: float | None = None) -> Findings:
    """Try every build in every way; see `torture.result.Run`.

    Args:
        seed: The same seed makes the same texts.
        quick: Seconds instead of minutes. What a tool is missing for is then left out; else it is a failure.
        texts: How many texts in the differential part; None leaves it to the run.
        seconds: When the differential part ends at the latest; None is an hour.
    """
    with TemporaryDirectory(prefix="wwspec-native-") as name:
        trial = _Trial(Path(name), seed, quick)
        trial.compile()
        for part in _PARTS:
            count = part.quick if quick else part.full
            if part.name == "texts" and texts is not None:
                count = texts
            if count:
                trial.feed(part, count, seconds or 3600)
        trial.guided(_TEXTS_GUIDED_QUICK if quick else _TEXTS_GUIDED)
        return trial.findings()


class _Trial:
    """One run, and what it has found so far."""

    def __init__(self, folder: Path, seed: int, quick: bool) -> None:
        self._folder = folder
        self._seed = seed
        self._quick = quick
        self._modules: dict[str, Path] = {}
        self._figures: dict[str, Any] = {}
        self._missing: list[str] = []
        self._failures: list[str] = []

    def findings(self) -> Findings:
        """Return what was found; a missing tool is a failure unless the run is a quick one."""
        figures = {"compiled": list(self._modules), "left_out": self._missing, **self._figures}
        return Findings(figures=figures, failures=self._failures + ([] if self._quick else self._missing))

    def compile(self) -> None:
        """Compile every build with warnings as errors."""
        for name in BUILDS:
            try:
                module = compiled(name, self._folder)
            except BuildError as error:
                self._failures.append(str(error))
                continue
            if module is None or preloaded(name) is None:
                self._missing.append(f"{name}: {BUILDS[name].compiler} or a library of it is not here")
            else:
                self._modules[name] = module

    def feed(self, part: _Part, count: int, seconds: float) -> None:
        """Feed one part in processes of so many texts each, as many at a time as there are cores."""
        builds = [name for name in part.builds if name in self._modules]
        if not builds or (part.valgrind and shutil.which("valgrind") is None):
            self._missing.append(f"{part.name}: needs {'valgrind' if builds else 'gcc'}")
            return
        sizes = [_OF_PROCESS] * (count // _OF_PROCESS) + ([count % _OF_PROCESS] if count % _OF_PROCESS else [])
        if part.task != "texts":
            sizes = [count]
        total, began, failed = FeedReport(), time.monotonic(), len(self._failures)

        def one(number: int) -> FeedReport:
            left = seconds - (time.monotonic() - began)
            if left <= 0 or len(self._failures) > failed:
                return FeedReport()
            orders = Orders(
                task=part.task,
                builds=[str(self._modules[name]) for name in builds],
                seed=self._seed * 1_000_003 + number,
                count=sizes[number],
                seconds=left,
                few_types=part.valgrind,
            )
            return self._fed(part, builds[0], orders)

        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for report in pool.map(one, range(len(sizes))):
                _add(total, report)
                if len(sizes) > 1 and report.texts:
                    say(f"{part.name}: {total.texts} texts, {total.certain} certain")
        self._judge(part, total)

    def _fed(self, part: _Part, build: str, orders: Orders) -> FeedReport:
        command = [sys.executable, "-m", "torture.native_feed", msgspec.json.encode(orders).decode()]
        log = self._folder / f"valgrind-{part.name}"
        if part.valgrind:
            tool = ["valgrind", "--leak-check=full", "--show-leak-kinds=definite", f"--log-file={log}"]
            command = [*tool, *command]
        ended = self._process(command, {**(preloaded(build) or {}), **_MALLOC[part.valgrind]})
        said = ended.stderr + (log.read_text(errors="replace") if log.exists() else "")
        where = f"{part.name}, {build}, {orders.count} texts of seed {orders.seed}"
        if ended.returncode or not ended.stdout:
            errors = _ERROR.findall(said)
            self._failures.append(f"{where}: exit code {ended.returncode}: {(errors or [said.strip()])[-1][-1500:]}")
            return FeedReport()
        if found := _IN_SOURCE.search(said):
            self._failures.append(f"{where}: {said[max(0, found.start() - 700) : found.end() + 300]}")
        report = msgspec.json.decode(ended.stdout, type=FeedReport)
        self._failures += [f"{where}: {each}" for each in report.failures]
        return report

    def _judge(self, part: _Part, report: FeedReport) -> None:
        kept = {name: value for name, value in msgspec.structs.asdict(report).items() if value and name != "failures"}
        self._figures[part.name] = kept
        say(f"{part.name}: {kept}")
        if not report.texts:
            self._failures.append(f"{part.name}: nothing was tried")
        # valgrind keeps what was released for a while, and tells by itself what was not.
        if report.growth_kib > GROWTH_KIB and not part.valgrind:
            self._failures.append(f"{part.name}: memory grew by {report.growth_kib} KiB")
        if part.task == "texts" and not part.valgrind and report.texts:
            share = report.plain_certain / max(1, report.plain)
            if not report.plain or share < _LEAST_CERTAIN:
                self._failures.append(f"{part.name}: certain of only {share:.3f} of {report.plain} plain fitting texts")
            if report.asked_unfit < report.texts / 100:
                self._failures.append(f"{part.name}: only {report.asked_unfit} texts that don't fit were tried")
            if report.certain < report.texts / 100:
                self._failures.append(f"{part.name}: only {report.certain} of {report.texts} texts were certain")

    def guided(self, count: int) -> None:
        """Feed by the coverage-guided fuzzer."""
        if "guided" not in self._modules:
            return
        folder = self._folder / "guided-texts"
        folder.mkdir()
        module = str(self._modules["guided"])
        command = [sys.executable, "-m", "torture.native_guided", str(count), str(self._seed), str(folder), module]
        ended = self._process(command, preloaded("guided") or {})
        done = int((_EXECUTED.findall(ended.stderr) or ["0"])[-1])
        self._figures["guided"] = {"texts": done}
        say(f"guided: {done} texts")
        broke = [path for path in folder.glob("*-*") if path.is_file()]
        if ended.returncode or broke:
            error = (_ERROR.findall(ended.stderr) or [ended.stderr.strip()])[0][-1500:]
            data = min((path.read_bytes() for path in broke), key=len, default=b"")
            self._failures.append(f"guided, seed {self._seed}: {error}; input: {data!r}"[:4000])
        elif done < count:
            self._failures.append(f"guided: ended after {done} of {count} texts")

    def _process(self, command: list[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - this project's own module
            command,
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONHASHSEED": "0", **environment},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )


def _add(total: FeedReport, report: FeedReport) -> None:
    """Add one report to the sum of those before it."""
    contracts = set(total.uncertain_contracts) | set(report.uncertain_contracts)
    for name, value in msgspec.structs.asdict(report).items():
        if isinstance(value, int):
            setattr(total, name, getattr(total, name) + value)
    total.uncertain_contracts = sorted(contracts)
