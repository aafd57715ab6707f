"""What the program aims at, as figures: one row for each promise that a benchmark can check.

A figure that misses its target is shown as such; nothing fails for it, since the machine has its share in it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.contenders import PROGRAM, THREAD_LIMIT, TWO_LIMITS, TWO_THREAD_LIMITS
from benchmarks.figures import Report, paired, quartiles
from benchmarks.tables import number, table

__all__ = ["TARGETS", "Target", "outcome", "targets_table"]


class Target(NamedTuple):
    """One promise: a contender's figure, in proportion to a reference's, above it, or alone, stays within a bound."""

    benchmark: str
    case: str
    name: str
    metric: str
    reference: str
    """Empty for the figure alone."""
    bound: str
    """`>=` or `<=`, and a number; empty for a figure that is only shown."""
    unit: str = "x"
    """`x` for a ratio, else the unit of a difference, or of the figure alone."""


def _exchange(size: str, name: str, reference: str, bound: str, metric: str = "rate") -> Target:
    return Target("exchange", size, name, metric, reference, bound)


def _to_limits(size: str, name: str, bound: str, hard_bound: str = "") -> list[Target]:
    """Return a target to limit-1, and the same figure to limit-0."""
    return [_exchange(size, name, "limit-1", bound), _exchange(size, name, "limit-0", hard_bound)]


def _network(size: str, pinned: str, two: str) -> list[Target]:
    """Return the targets where the SDK takes 5 ms: on one core to limit-T, free to itself, and of two processes."""
    case = f"SDK of 5 ms, {size}"
    return [
        Target("network", case, PROGRAM, "rate", THREAD_LIMIT, pinned),
        Target("network", case, PROGRAM, "processor", THREAD_LIMIT, ""),
        Target("network", f"{case}, free", PROGRAM, "rate", f"{PROGRAM}, pinned", ">= 0.9"),
        Target("network", f"{case}, free", f"{PROGRAM}, own core", "rate", f"{PROGRAM}, pinned", ">= 0.9"),
        Target("network", f"{case}, free", _TWO_PROGRAMS, "rate", TWO_THREAD_LIMITS, two),
    ]


_TWO_PROGRAMS = f"{PROGRAM} --workers 2, own cores"
_TWO = {"3 KB": ">= 1.1", "60 KB": ">= 0.9", "300 KB": ">= 0.85"}
"""Two processes to two of limit-1, where the SDK answers at once."""
_FACTORS = {
    "3 KB": {"FastAPI async": ">= 3", "http.server threads": ">= 6", "Litestar": ">= 1.5"},
    "60 KB": {"FastAPI async": ">= 11", "http.server threads": ">= 8", "Litestar": ">= 2.2"},
}

TARGETS = [
    *_network("3 KB", ">= 1.25", ">= 1.3"),
    *_network("60 KB", ">= 1.2", ">= 1.2"),
    Target("network", "SDK of 5 ms, 60 KB", PROGRAM, "p99", THREAD_LIMIT, "<= 0.5"),
    Target("network", "SDK of 5 ms, 60 KB, free", PROGRAM, "p99", THREAD_LIMIT, ""),
    *(
        Target(
            "network",
            f"handler of 5 ms, {kind}",
            f"{PROGRAM}{own}",
            "rate",
            f"{PROGRAM}{shared}",
            ">= 0.98",
        )
        for kind in ("lock held", "without the lock")
        for own, shared in ((", own core", ""), (" --workers 2, own cores", " --workers 2"))
    ),
    *_to_limits("3 KB", "program", ">= 1.2", ">= 0.85"),
    *_to_limits("60 KB", "program", ">= 0.9"),
    *_to_limits("300 KB", "program", ">= 0.8"),
    *_to_limits("3 KB, free", "program", ">= 0.65"),
    *_to_limits("60 KB, free", "program", ">= 0.75"),
    *_to_limits("60 KB, free", "program --workers 2", ">= 1.3"),
    *(_exchange(f"{size}, free", _TWO_PROGRAMS, TWO_LIMITS, bound) for size, bound in _TWO.items()),
    _exchange("3 KB", "program", "inline", "<= 0.6", "p99"),
    _exchange("300 KB", "program", "inline", "<= 0.45", "p99"),
    *(_exchange(size, "program", peer, bound) for size, bounds in _FACTORS.items() for peer, bound in bounds.items()),
    Target("pool", "HTTP: 50 ms, callers: 256", "program", "rate", "ideal", ">= 0.95"),
    Target("pool", "HTTP: 50 ms, callers: 256", "program", "p99", "ideal", "<= 1.3"),
    Target("pool", "HTTP: 10 % slow, program", "mixed", "p50 of quick", "alone", "<= 2"),
    Target("latency", "pinned", "program", "p50", "limit-1", "<= 50", "µs"),
    Target("latency", "pinned", "program", "p50", "limit-0", "", "µs"),
    Target("stores", "fetch of 125 bytes, SQLite", "get_callback_data", "rate", "passthrough", ">= 0.9"),
    Target("stores", "fetch of 125 bytes, Redis", "get_callback_data", "rate", "redis-py GET, inline", ">= 0.9"),
    Target("stores", "event intake, SQLite, threads: 1", "program", "rate", "bare", ">= 0.85"),
    Target("stores", "event intake, SQLite, threads: 16", "program", "rate", "bare", ">= 0.8"),
    Target("stores", "asynchronous calls, SQLite, threads: 8", "program", "rate", "bare", ">= 1.5"),
    # With the parent that watches: 1.18 and 1.13 were reached without one.
    Target("startup", "cold start", "program", "time", "bare", "<= 1.25"),
    Target("startup", "idle", "program", "resident", "bare", "<= 1.2"),
    Target("startup", "after load of 16 callers", "program", "resident", "bare", "<= 1.2"),
    Target("startup", "cold start", "program, 1,000 abilities more", "time", "bare", "<= 300", "ms"),
    Target("waiting", "after a change", "program", "time", "FastAPI", "<= 0.5"),
    Target("waiting", "tests of a new project", "program", "time", "FastAPI", "<= 1.8"),
    Target("waiting", "help", "program", "time", "FastAPI", "<= 0.6"),
    *(
        Target("client", f"3 KB, {caller}: 1", "client", "processor", "httpx by hand", "<= 1.15")
        for caller in ("threads", "tasks")
    ),
    Target("growth", "abilities, over HTTP", "10,000", "per call", "10", "<= 1.05"),
    Target("growth", "stored events, fetch over HTTP", "1,000,000", "per call", "0", "<= 1.05"),
    Target("growth", "stored events, intake", "1,000,000", "per call", "0", "<= 1.05"),
    Target("console", "first paint", "many", "time", "", "<= 1000", "ms"),
    Target("console", "scrolling", "many", "frames", "", ">= 50", "1/s"),
    Target("console", "heap", "many, and twice as many more", "used", "many", "<= 1.25"),
    Target("console", "calls through the emulator", "page open", "rate", "no page", ">= 0.95"),
]


def outcome(target: Target, report: Report) -> tuple[str, bool | None] | None:
    """Return what was reached, as text, and whether it is enough, None without a bound.

    The whole is None when the figures are missing.
    """
    ours = report.find(target.case, target.name, target.metric)
    theirs = report.find(target.case, target.reference or target.name, target.metric)
    if ours is None or theirs is None:
        return None
    if not target.reference:
        low, reached, high = quartiles(ours.samples)
    elif target.unit == "x":
        if (ratios := paired(ours.samples, theirs.samples)) is None:
            return None
        low, reached, high = ratios
    else:
        pairs = zip(ours.samples, theirs.samples, strict=False)
        low, reached, high = quartiles([mine - other for mine, other in pairs])
    text = f"{number(reached)} ({number(low)} to {number(high)})"
    if not target.bound:
        return text, None
    sign, bound = target.bound.split()
    return text, reached >= float(bound) if sign == ">=" else reached <= float(bound)


def targets_table(reports: Mapping[str, Report], repeated: Mapping[str, Report]) -> str:
    """Return all targets as a Markdown table, those without figures left out, with a second run beside the first."""
    rows = []
    for target in TARGETS:
        unit = "" if target.unit == "x" else f" {target.unit}"
        reached = [cell for each in (reports, repeated) for cell in _cells(target, each.get(target.benchmark), unit)]
        if any(reached):
            beside = f" {'to' if target.unit == 'x' else 'above'} {target.reference}" if target.reference else ""
            what = f"{target.name}: {target.metric}{beside}"
            bound = f"{target.bound}{unit}" if target.bound else ""
            rows.append([target.benchmark, target.case, what, bound, *reached])
    lines = table(["benchmark", "case", "figure", "target", "reached", "", "repeated", ""], rows)
    if repeated:
        runs = (f"{name} {each.date}, {each.machine}" for name, each in repeated.items())
        lines += ["", f"Repeated: {'; '.join(runs)}."]
    return "\n".join(lines)


def _cells(target: Target, report: Report | None, unit: str) -> tuple[str, str]:
    """Return what was reached in a run, and whether it is enough."""
    found = None if report is None else outcome(target, report)
    return ("", "") if found is None else (f"{found[0]}{unit}", _MARKS[found[1]])


_MARKS = {True: "yes", False: "**no**", None: ""}
