"""What the program aims at, as figures: one row for each promise that a benchmark can check.

A figure that misses its target is shown as such; nothing fails for it, since the machine has its share in it.
"""

from collections.abc import Mapping
from typing import NamedTuple

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
    """`>=` or `<=`, and a number."""
    unit: str = "x"
    """`x` for a ratio, else the unit of a difference, or of the figure alone."""


def _exchange(size: str, name: str, reference: str, bound: str, metric: str = "rate") -> Target:
    return Target("exchange", size, name, metric, reference, bound)


_FACTORS = (("FastAPI async", ">= 3"), ("http.server threads", ">= 6"), ("Litestar", ">= 1.5"))

TARGETS = [
    _exchange("3 KB", "program", "limit-1", ">= 0.72"),
    _exchange("60 KB", "program", "limit-1", ">= 0.55"),
    _exchange("300 KB", "program", "inline", ">= 1"),
    *(_exchange(size, "program", "inline", "<= 1", "p99") for size in ("3 KB", "60 KB", "300 KB")),
    _exchange("3 KB, free", "program", "limit-1", ">= 0.65"),
    _exchange("3 KB", "program", "limit-1", ">= 0.95"),
    *(_exchange(size, "program", peer, bound) for size in ("3 KB", "60 KB") for peer, bound in _FACTORS),
    Target("pool", "HTTP: 50 ms, callers: 256", "program", "rate", "ideal", ">= 0.95"),
    Target("pool", "HTTP: 50 ms, callers: 256", "program", "p99", "ideal", "<= 1.3"),
    Target("pool", "HTTP: 10 % slow, program", "mixed", "p50 of quick", "alone", "<= 2"),
    Target("latency", "pinned", "program", "p50", "limit-1", "<= 60", "µs"),
    *(
        Target("stores", f"fetch of 125 bytes, {store}", "get_callback_data", "rate", "passthrough", ">= 0.9")
        for store in ("memory", "SQLite", "Redis")
    ),
    Target("stores", "event intake, SQLite, threads: 1", "program", "rate", "bare", ">= 0.8"),
    Target("stores", "event intake, SQLite, threads: 16", "program", "rate", "bare", ">= 0.8"),
    Target("startup", "cold start", "program", "time", "bare", "<= 1.25"),
    Target("startup", "idle", "program", "resident", "bare", "<= 1.3"),
    Target("startup", "after load of 16 callers", "program", "resident", "bare", "<= 1.3"),
    Target("startup", "cold start", "program, 1,000 abilities more", "time", "bare", "<= 300", "ms"),
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


def outcome(target: Target, report: Report) -> tuple[str, bool] | None:
    """Return what was reached, as text, and whether it is enough; None when the figures are missing."""
    ours = report.find(target.case, target.name, target.metric)
    theirs = report.find(target.case, target.reference or target.name, target.metric)
    if ours is None or theirs is None:
        return None
    if not target.reference:
        low, reached, high = quartiles(ours.samples)
    elif target.unit == "x":
        low, reached, high = paired(ours.samples, theirs.samples)
    else:
        pairs = zip(ours.samples, theirs.samples, strict=False)
        low, reached, high = quartiles([mine - other for mine, other in pairs])
    sign, bound = target.bound.split()
    enough = reached >= float(bound) if sign == ">=" else reached <= float(bound)
    return f"{number(reached)} ({number(low)} to {number(high)})", enough


def targets_table(reports: Mapping[str, Report]) -> str:
    """Return all targets as a Markdown table, those without figures left out."""
    rows = []
    for target in TARGETS:
        found = outcome(target, reports[target.benchmark]) if target.benchmark in reports else None
        if found is not None:
            beside = f" {'to' if target.unit == 'x' else 'above'} {target.reference}" if target.reference else ""
            what = f"{target.name}: {target.metric}{beside}"
            unit = "" if target.unit == "x" else f" {target.unit}"
            reached = found[0] + unit
            rows.append([target.benchmark, target.case, what, f"{target.bound}{unit}", reached, _mark(found[1])])
    return "\n".join(table(["benchmark", "case", "figure", "target", "reached", ""], rows))


def _mark(enough: bool) -> str:
    return "yes" if enough else "**no**"
