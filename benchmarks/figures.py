"""What a benchmark brings home: samples, taken in turns, and the figures that are made of them.

The machines that run this are shared, so no figure stands alone: contenders take turns within each round, and each is
compared with the reference of the same round. It knows nothing of servers or of how a sample is taken.
"""

import os
import platform
import re
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

__all__ = ["REPEATED", "RESULTS", "Figure", "Report", "Samples", "paired", "read_reports"]

RESULTS = Path(__file__).parent / "results"
"""What the pages show."""
REPEATED = RESULTS / "repeated"
"""The same benchmarks on another day or machine."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One contender in one case, by one metric."""

    case: str
    """What was asked of it, such as `3 KB`."""
    name: str
    """The contender."""
    metric: str
    """Such as `rate` or `p50`."""
    unit: str
    samples: list[float]
    """One a round."""
    median: float
    low: float
    """First quartile."""
    high: float
    """Third quartile."""
    reference: str | None = None
    """The contender that it is compared with; None for the reference itself."""
    ratio: float | None = None
    """Median of what it has in proportion to the reference, round by round."""
    ratio_low: float | None = None
    ratio_high: float | None = None
    difference: float | None = None
    """Median of what it has above the reference, round by round, in `unit`."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one benchmark, and where they come from."""

    benchmark: str
    question: str
    date: str
    machine: str
    python: str
    rounds: int
    quick: bool
    """Taken in a hurry: the figures show that the benchmark runs, and no more."""
    settings: dict[str, str | int | float]
    """What one needs to know to repeat it."""
    notes: list[str]
    """What was left out, and why."""
    figures: list[Figure]

    def find(self, case: str, name: str, metric: str) -> Figure | None:
        """Return one figure, or None when it was not taken."""
        found = (each for each in self.figures if (each.case, each.name, each.metric) == (case, name, metric))
        return next(found, None)

    def taken(self, case: str, name: str, metric: str) -> Figure:
        """Return one figure.

        Raises:
            SystemExit: It was not taken.
        """
        figure = self.find(case, name, metric)
        if figure is None:
            where = f"{self.benchmark}.json has no {metric} of {name!r} in {case!r}"
            raise SystemExit(f"{where}: run scripts/bench {self.benchmark}")
        return figure


def read_reports(folder: Path) -> dict[str, Report]:
    """Read the reports of a folder, by the benchmarks' names."""
    reports = [msgspec.json.decode(path.read_bytes(), type=Report) for path in sorted(folder.glob("*.json"))]
    return {report.benchmark: report for report in reports}


class Samples:
    """Collects samples.

    Args:
        reference: The contender that all others are compared with, unless `refer` names another for a case.
        settings: What one needs to know to repeat the benchmark.
    """

    def __init__(self, reference: str, **settings: str | int | float) -> None:
        self.settings = settings
        self.notes: list[str] = []
        self._reference = reference
        self._references: dict[str, str] = {}
        self._units: dict[str, str] = {}
        self._values: dict[tuple[str, str, str], list[float]] = {}

    def add(self, case: str, name: str, metric: str, unit: str, value: float) -> None:
        """Take in what one contender reached in one round."""
        self._units[metric] = unit
        self._values.setdefault((case, name, metric), []).append(value)

    def refer(self, case: str, reference: str) -> None:
        """Compare the contenders of one case with another reference."""
        self._references[case] = reference

    def figures(self) -> list[Figure]:
        """Return what the samples come to, in the order in which they came."""
        return [self._figure(*key) for key in self._values]

    def report(self, benchmark: str, question: str, *, quick: bool) -> Report:
        """Return the figures with all that belongs to them."""
        return Report(
            benchmark=benchmark,
            question=question,
            date=datetime.now(UTC).date().isoformat(),
            machine=machine(),
            python=f"{platform.python_implementation()} {platform.python_version()}",
            rounds=max(map(len, self._values.values()), default=0),
            quick=quick,
            settings=self.settings,
            notes=self.notes,
            figures=self.figures(),
        )

    def _figure(self, case: str, name: str, metric: str) -> Figure:
        values = self._values[case, name, metric]
        low, median, high = quartiles(values)
        figure = Figure(
            case=case,
            name=name,
            metric=metric,
            unit=self._units[metric],
            samples=[rounded(each) for each in values],
            median=rounded(median),
            low=rounded(low),
            high=rounded(high),
        )
        reference = self._references.get(case, self._reference)
        base = self._values.get((case, reference, metric))
        if name == reference or base is None:
            return figure
        differences = [ours - theirs for ours, theirs in zip(values, base, strict=False)]
        difference = rounded(statistics.median(differences))
        compared = msgspec.structs.replace(figure, reference=reference, difference=difference)
        if (ratios := paired(values, base)) is None:
            return compared
        ratio_low, ratio, ratio_high = map(rounded, ratios)
        return msgspec.structs.replace(compared, ratio=ratio, ratio_low=ratio_low, ratio_high=ratio_high)


def paired(values: Sequence[float], base: Sequence[float]) -> tuple[float, float, float] | None:
    """Return the quartiles of ratios, round by round: a slow moment of the machine hits both sides of each.

    A round whose base is 0 has no ratio. The whole is None when no round has one.
    """
    ratios = [ours / theirs for ours, theirs in zip(values, base, strict=False) if theirs]
    return quartiles(ratios) if ratios else None


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the first quartile, the median and the third."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, median, high


def rounded(value: float) -> float:
    """Keep four digits: no figure here is more exact."""
    return float(f"{value:.4g}")


def machine() -> str:
    """Say what this ran on."""
    model = re.search(r"model name\s*:\s*(.+)", _read("/proc/cpuinfo"))
    cores = len(os.sched_getaffinity(0))
    return f"{model[1] if model else platform.machine()}, {cores} core{'s' * (cores != 1)}, {platform.system()}"


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
