"""Computes how a program scales with processor cores: `python -m benchmarks.scaling [--write]`.

The model: a worker process a core, a call takes its processor time there, and nothing else of the program is shared. So
the rate grows with the cores until something is full that all of them share: the network, or one store. Measured, and
read from `benchmarks/results/`, are the time of a call on one core, and what two processes reach on two cores; the rest
is computed.

It prints tables in Markdown; with `--write` it renews those in docs/en/explanation/performance.md. It measures nothing.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from benchmarks.contenders import PROGRAM
from benchmarks.figures import Report
from benchmarks.report import HERE, RESULTS, read_reports
from benchmarks.tables import number

__all__ = ["CORES", "Ceiling", "Work", "renewed", "scaling"]

PAGE = HERE.parent / "docs" / "en" / "explanation" / "performance.md"
CORES = (1, 2, 4, 8, 16, 32, 64)
TWO = f"{PROGRAM} --workers 2"
SEALED = 4 / 3
"""Bytes of a sealed reply for each of its text: it travels in base64."""
SIZES = {"3 KB": 3_000, "60 KB": 60_000, "300 KB": 300_000}
"""Bytes of a reply, by the cases of `exchange`."""
NETWORK = 10
"""Gbit/s of the network in the example."""
BUSY = 16
"""Threads that bring events in at the same time, in the case of `stores` that fills a store."""

_BLOCK = re.compile(r"(<!-- scaling: [^\n]* -->\n).*?(<!-- end of scaling -->)", re.DOTALL)


class Ceiling(NamedTuple):
    """Something that all processes share, and that serves one after the other."""

    name: str
    rate: float
    """What it does in a second, at most."""


class Work(NamedTuple):
    """One kind of call."""

    name: str
    seconds: float
    """Processor time of one call, in its process."""
    ceiling: Ceiling | None = None

    def rate(self, cores: int) -> float:
        """Return the calls a second of so many processes, each with a core to itself."""
        free = cores / self.seconds
        return free if self.ceiling is None else min(free, self.ceiling.rate)

    @property
    def full_at(self) -> int | None:
        """The fewest cores with which what is shared is full; None when that is never."""
        if self.ceiling is None:
            return None
        return max(1, -int(-self.ceiling.rate * self.seconds // 1))


def scaling(reports: Mapping[str, Report]) -> str:
    """Return what is measured and what is computed, as Markdown."""
    return "\n\n".join(("\n".join(_measured(reports["exchange"])), "\n".join(_computed(_works(reports)))))


def _median(report: Report, case: str, name: str = PROGRAM) -> float:
    figure = report.find(case, name, "rate")
    if figure is None:
        raise SystemExit(f"benchmarks.scaling: {report.benchmark}.json has no rate of {name!r} in {case!r}")
    return figure.median


def _measured(exchange: Report) -> Iterator[str]:
    yield (
        "| measured: a reply of | a call, one core | one process, one core | one process, two cores | two processes, "
        "two cores | two processes to one |"
    )
    yield "|---|---|---|---|---|---|"
    for size in SIZES:
        alone, one = _median(exchange, size), _median(exchange, f"{size}, free")
        two = _median(exchange, f"{size}, free", TWO)
        rates = " | ".join(f"{number(each)}/s" for each in (alone, one, two))
        yield f"| {size} | {1e6 / alone:,.0f} µs | {rates} | {two / one:.2f} |"


def _works(reports: Mapping[str, Report]) -> list[Work]:
    exchange, stores = reports["exchange"], reports["stores"]
    calls = [Work(f"call, {size}", 1 / _median(exchange, size)) for size in SIZES]
    seconds = calls[0].seconds
    events = [
        Work(
            f"event, {store}", seconds, Ceiling(what, _median(stores, f"event intake, {store}, threads: {BUSY}", name))
        )
        for store, name, what in (
            ("SQLite", PROGRAM, "the file, which one transaction at a time writes"),
            ("Redis", "bare", "the server, which is one thread"),
        )
    ]
    return [*calls, *events]


def _computed(works: Sequence[Work]) -> Iterator[str]:
    yield f"| computed: a second, with cores | {' | '.join(map(str, CORES))} | what is full first |"
    yield f"|---|{'---|' * len(CORES)}---|"
    for work in works:
        rates = " | ".join(_rounded(work.rate(cores)) for cores in CORES)
        yield f"| {work.name} | {rates} | {_first_full(work)} |"


def _first_full(work: Work) -> str:
    if work.ceiling is not None:
        return f"{work.ceiling.name}: {_counted(work.full_at or 1)} fill{'s' if work.full_at == 1 else ''} it"
    size = SIZES[work.name.partition(", ")[2]]
    gigabits = size * SEALED * 8 / work.seconds / 1e9
    cores = max(1, int(NETWORK // gigabits))
    return f"the network: {gigabits:.1f} Gbit/s a core, so {NETWORK} Gbit/s last for {_counted(cores)}"


def _counted(cores: int) -> str:
    return "1 core" if cores == 1 else f"{cores} cores"


def _rounded(rate: float) -> str:
    """Return a computed rate, with no more digits than it deserves."""
    return f"{float(f'{rate:.2g}'):,.0f}"


def renewed(page: str, tables: str) -> str:
    """Return a page with these tables in its block."""
    if not _BLOCK.search(page):
        raise SystemExit("benchmarks.scaling: the page has no block <!-- scaling: … -->")
    return _BLOCK.sub(lambda found: f"{found[1]}\n{tables}\n\n{found[2]}", page)


def main() -> None:
    """Print the tables, or put them into the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"renew {PAGE.name} instead of printing")
    options = parser.parse_args()
    tables = scaling(read_reports(RESULTS))
    if options.write:
        PAGE.write_text(renewed(PAGE.read_text("utf-8"), tables), "utf-8")
    else:
        sys.stdout.write(f"{tables}\n")


if __name__ == "__main__":
    main()
