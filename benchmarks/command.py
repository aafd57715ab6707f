"""The command line that every benchmark has: `python -m benchmarks.bench_<name> [--json] [--quick] [--rounds N]`."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

import msgspec

from benchmarks.figures import Report, Samples
from benchmarks.tables import text

__all__ = ["Benchmark", "Effort", "run"]

T = TypeVar("T")


class Effort(NamedTuple):
    """How much is run."""

    rounds: int
    """Rounds in which every contender has one turn."""
    seconds: int
    """Seconds of one turn, where a turn is a time."""
    quick: bool
    """Only show that it works."""
    cases: tuple[str, ...] = ()
    """The cases that are run; empty for all that belong to a run of this length."""
    contenders: tuple[str, ...] = ()
    """The contenders beside the reference; empty for all."""

    def pick(self, full: int, quick: int) -> int:
        """Return a number of the size that fits this effort."""
        return quick if self.quick else full

    def runs(self, case: str, *, by_default: bool = True) -> bool:
        """Tell whether a case is run."""
        return case in self.cases if self.cases else by_default

    def chosen(self, contenders: Mapping[str, T], reference: str) -> dict[str, T]:
        """Return the contenders that take part."""
        return {
            name: each
            for name, each in contenders.items()
            if not self.contenders or name == reference or name in self.contenders
        }


class Benchmark(NamedTuple):
    """One question."""

    name: str
    """The module's name without `bench_`."""
    question: str
    measure: Callable[[Effort], Samples]
    rounds: int = 5
    """Rounds of a full run."""
    seconds: int = 3

    def effort(self, options: argparse.Namespace) -> Effort:
        """Return how much a run takes that has these options; see `add_options`."""
        rounds, seconds = (1, 1) if options.quick else (self.rounds, self.seconds)
        return Effort(options.rounds or rounds, seconds, options.quick, tuple(options.case), tuple(options.contender))

    def report(self, effort: Effort) -> Report:
        """Measure."""
        report = self.measure(effort).report(self.name, self.question, quick=effort.quick)
        if unknown := set(effort.cases) - {each.case for each in report.figures}:
            sys.exit(f"{self.name} has no case {', '.join(map(repr, sorted(unknown)))}, or none that --case can choose")
        return report


def run(benchmark: Benchmark) -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.bench_{benchmark.name}", description=benchmark.question
    )
    add_options(parser)
    options = parser.parse_args()
    show(benchmark.report(benchmark.effort(options)), as_json=options.json)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all benchmarks share."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="a few seconds, coarse figures")
    parser.add_argument("--rounds", type=int, help="how many rounds, instead of the benchmark's own number")
    parser.add_argument(
        "--case", action="append", default=[], help="only this case of exchange or of event intake; may be repeated"
    )
    parser.add_argument("--contender", action="append", default=[], help="there, only this one and the reference")


def show(report: Report, *, as_json: bool) -> None:
    """Print a report."""
    sys.stdout.write(f"{to_json(report) if as_json else text(report)}\n")
    sys.stdout.flush()


def to_json(report: Report) -> str:
    """Return a report as JSON with a stable layout."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
