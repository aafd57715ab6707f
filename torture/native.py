"""The run `native`: the compiled check of contracts says "certain" of no text that is not, and never leaves its memory.

Texts are made for every contract and for random types, and changed. Whenever the check calls one certain, msgspec, the
checks after it and the platform's matching rule must agree. The same is tried with sanitizers, which find leaks
too, and by a coverage-guided fuzzer.
"""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from torture.native_builds import BUILDS, BuildError, compiled, preloaded
from torture.native_feed import FeedReport, Orders
from torture.progress import say
from torture.result import Findings

__all__ = ["run"]

_ROOT = Path(__file__).parents[1]
_OF_PROCESS = 250_000
"""Texts that one process is fed."""
_EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)")
_ERROR = re.compile(r"^.*(?:BrokenPromiseError|ERROR: \w+Sanitizer|runtime error:).*$", re.MULTILINE)
_IN_SOURCE = re.compile(r"speedups\.c:\d+")


_PARTS = {
    "texts": (("gcc", "gcc, portable"), 10_000_000, 20_000),
    "sanitized": (("sanitized", "sanitized, portable"), 500_000, 5_000),
}
"""The builds of each part, which get the same texts, how many in a full run, and how many in a quick one."""
_GUIDED, _GUIDED_QUICK = 3_000_000, 5_000


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
        for part, (_, full, few) in _PARTS.items():
            count = few if quick else full
            trial.feed(part, texts if part == "texts" and texts is not None else count, seconds or 3600)
        trial.guided(_GUIDED_QUICK if quick else _GUIDED)
        return trial.findings()


class _Trial:
    """One run, and what it has found so far."""

    def __init__(self, folder: Path, seed: int, quick: bool) -> None:
        self._folder, self._seed, self._quick = folder, seed, quick
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
        for name, (compiler, *_) in BUILDS.items():
            try:
                module = compiled(name, self._folder)
            except BuildError as error:
                self._failures.append(str(error))
                continue
            if module is None or preloaded(name) is None:
                self._missing.append(f"{name}: {compiler} or a library of it is not here")
            else:
                self._modules[name] = module

    def feed(self, part: str, count: int, seconds: float) -> None:
        """Feed one part in processes of so many texts each, as many at a time as there are cores."""
        builds = [name for name in _PARTS[part][0] if name in self._modules]
        if not builds:
            self._missing.append(f"{part}: needs gcc")
            return
        processes = -(-count // _OF_PROCESS)
        total, began, failed = FeedReport(), time.monotonic(), len(self._failures)

        def one(number: int) -> FeedReport:
            left = seconds - (time.monotonic() - began)
            if left <= 0 or len(self._failures) > failed:
                return FeedReport()
            modules = [str(self._modules[name]) for name in builds]
            seed = self._seed * 1_000_003 + number
            orders = Orders(builds=modules, seed=seed, count=-(-count // processes), seconds=left)
            return self._fed(part, builds[0], orders)

        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for report in pool.map(one, range(processes)):
                total.texts += report.texts
                total.certain += report.certain
        self._figures[part] = {"texts": total.texts, "certain": total.certain}
        say(f"{part}: {self._figures[part]}")
        if total.certain < total.texts / 100 or not total.texts:
            self._failures.append(f"{part}: only {total.certain} of {total.texts} texts were certain")

    def _fed(self, part: str, build: str, orders: Orders) -> FeedReport:
        ended = self._process(["torture.native_feed", msgspec.json.encode(orders).decode()], build)
        where = f"{part}, {build}, {orders.count} texts of seed {orders.seed}"
        if ended.returncode or not ended.stdout:
            error = (_ERROR.findall(ended.stderr) or [ended.stderr.strip()])[-1][-1500:]
            self._failures.append(f"{where}: exit code {ended.returncode}: {error}")
            return FeedReport()
        if found := _IN_SOURCE.search(ended.stderr):
            self._failures.append(f"{where}: {ended.stderr[max(0, found.start() - 700) : found.end() + 300]}")
        report = msgspec.json.decode(ended.stdout, type=FeedReport)
        self._failures += [f"{where}: {each}" for each in report.failures]
        return report

    def guided(self, count: int) -> None:
        """Feed by the coverage-guided fuzzer."""
        if "guided" not in self._modules:
            return
        folder = self._folder / "guided-texts"
        folder.mkdir()
        options = [str(count), str(self._seed), str(folder), str(self._modules["guided"])]
        ended = self._process(["torture.native_guided", *options], "guided")
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

    def _process(self, module: list[str], build: str) -> "subprocess.CompletedProcess[str]":
        own = {"PYTHONPATH": str(_ROOT), "PYTHONHASHSEED": "0", **(preloaded(build) or {})}
        command, environment = [sys.executable, "-m", *module], {**os.environ, **own}
        return subprocess.run(  # noqa: S603 - this project's own module
            command, cwd=_ROOT, env=environment, capture_output=True, errors="replace", check=False
        )
