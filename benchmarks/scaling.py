"""Computes how a program scales with processor cores, for the page about scale.

The model: a worker process a core, a call takes its processor time there, and nothing else of the program is shared. So
the rate grows with the cores until something is full that all of them share: the network, or one store. Measured, and
read from `benchmarks/results/`, are the time of a call on one core, and what two processes reach on two cores; the rest
is computed. `benchmarks.pages` writes the tables into the pages.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from benchmarks.contenders import PROGRAM
from benchmarks.figures import Report
from benchmarks.tables import number
from scripts.reference.text import Say

__all__ = ["CORES", "Ceiling", "Work", "cores"]

CORES = (1, 4, 16, 64)
TWO = f"{PROGRAM} --workers 2"
SEALED = 4 / 3
"""Bytes of a sealed reply for each of its text: it travels in base64."""
SIZES = {"3 KB": 3_000, "60 KB": 60_000, "300 KB": 300_000}
"""Bytes of a reply, by the cases of `exchange`."""
NETWORK = 10
"""Gbit/s of the network in the example."""
BUSY = 16
"""Threads that bring events in at the same time, in the case of `stores` that fills a store."""


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
    """What bounds it; None for the network alone."""
    reply: int = 0
    """Bytes of its reply."""

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


def cores(reports: Mapping[str, Report], say: Say) -> str:
    """Return what is measured and what is computed, as Markdown."""
    measured, works = _measured(reports["exchange"], say), _works(reports, say)
    return "\n\n".join(("\n".join(measured), "\n".join(_computed(works, say))))


def _median(report: Report, case: str, name: str = PROGRAM) -> float:
    return report.taken(case, name, "rate").median


def _measured(exchange: Report, say: Say) -> Iterator[str]:
    yield say(
        "| measured: a reply of | a call, one core | one process, one core | one process, two cores | two processes, "
        "two cores | two processes to one |",
        "| 实测：应答大小 | 一次调用，一个核 | 一个进程，一个核 | 一个进程，两个核 "
        "| 两个进程，两个核 | 两个进程比一个 |",
    )
    yield "|---|---|---|---|---|---|"
    for size in SIZES:
        alone, one = _median(exchange, size), _median(exchange, f"{size}, free")
        two = _median(exchange, f"{size}, free", TWO)
        rates = " | ".join(f"{number(each)}/s" for each in (alone, one, two))
        yield f"| {size} | {1e6 / alone:,.0f} µs | {rates} | {two / one:.2f} |"


def _works(reports: Mapping[str, Report], say: Say) -> list[Work]:
    exchange, stores = reports["exchange"], reports["stores"]
    call, event = say("call, ", "调用，"), say("event, ", "事件，")
    calls = [Work(f"{call}{size}", 1 / _median(exchange, size), reply=length) for size, length in SIZES.items()]
    seconds = calls[0].seconds
    events = [
        Work(
            f"{event}{store}", seconds, Ceiling(what, _median(stores, f"event intake, {store}, threads: {BUSY}", name))
        )
        for store, name, what in (
            ("SQLite", PROGRAM, say("the file", "文件")),
            ("Redis", "bare", say("the server", "服务器")),
        )
    ]
    return [*calls, *events]


def _computed(works: Sequence[Work], say: Say) -> Iterator[str]:
    yield say(
        f"| computed: a second, with cores | {' | '.join(map(str, CORES))} | what is full first |",
        f"| 计算：每秒，核数为 | {' | '.join(map(str, CORES))} | 最先达到上限的 |",
    )
    yield f"|---|{'---|' * len(CORES)}---|"
    for work in works:
        rates = " | ".join(_rounded(work.rate(cores)) for cores in CORES)
        yield f"| {work.name} | {rates} | {_first_full(work, say)} |"


def _first_full(work: Work, say: Say) -> str:
    """Return what is full first, and with how many cores."""
    if work.ceiling is not None:
        name, full = work.ceiling.name, work.full_at or 1
    else:
        gigabits = work.reply * SEALED * 8 / work.seconds / 1e9
        name, full = say(f"{NETWORK} Gbit/s", f"{NETWORK} Gbit/s 网络"), max(1, int(NETWORK // gigabits))
    return say(f"{name}, with {full} core{'s' * (full > 1)}", f"{name}，{full} 个核")


def _rounded(rate: float) -> str:
    """Return a computed rate, with no more digits than it deserves."""
    return f"{float(f'{rate:.2g}'):,.0f}"
