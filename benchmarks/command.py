"""The command line that every benchmark has: `python -m benchmarks.bench_<name> [--json] [--quick] [--rounds N]`."""

import argparse
import sys
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from benchmarks.figures import Report, Samples
from benchmarks.tables import text

__all__ = ["Benchmark", "Effort", "run"]


class Effort(NamedTuple):
    """How much is run."""

    rounds: int
    """Rounds in which every contender has one turn."""
    seconds: int
    """Seconds of one turn, where a turn is a time."""
    quick: bool
    """Only show that it works."""

    def pick(self, full: int, quick: int) -> int:
        """Return a number of the size that fits this effort."""
        return quick if self.quick else full


class Benchmark(NamedTuple):
    """One question."""

    name: str
    """The module's name without `bench_`."""
    question: str
    measure: Callable[[Effort], Samples]
    rounds: int = 5
    """Rounds of a full run."""
    seconds: int = 3

    def effort(self, *, quick: bool, rounds: int | None = None) -> Effort:
        """Return how much a run takes."""
        return Effort(rounds or (1 if quick else self.rounds), 1 if quick else self.seconds, quick)

    def report(self, effort: Effort) -> Report:
        """Measure."""
        return self.measure(effort).report(self.name, self.question, quick=effort.quick)


def run(benchmark: Benchmark) -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.bench_{benchmark.name}", description=benchmark.question
    )
    add_options(parser)
    options = parser.parse_args()
    show(benchmark.report(benchmark.effort(quick=options.quick, rounds=options.rounds)), as_json=options.json)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all benchmarks share."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="a few seconds, coarse figures")
    parser.add_argument("--rounds", type=int, help="how many rounds, instead of the benchmark's own number")


def show(report: Report, *, as_json: bool) -> None:
    """Print a report."""
    sys.stdout.write(f"{to_json(report) if as_json else text(report)}\n")
    sys.stdout.flush()


def to_json(report: Report) -> str:
    """Return a report as JSON with a stable layout."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
