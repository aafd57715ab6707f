"""Draws the figures of a run as SVG, the same bytes for the same figures.

The background is transparent and the ink a middle grey, so that a plot reads on a light page and on a dark one.
"""
# mypy: disable-error-code="import-not-found"

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

from benchmarks.figures import Report

__all__ = ["draw"]

INK = "#808890"
OURS = "#2f9e6e"
OTHERS = "#5b8def"
REFERENCES = "#a0a6ae"
SERIES = {"inline": "#a0a6ae", "pool": "#2f9e6e", "ThreadPoolExecutor": "#5b8def", "anyio": "#d9822b"}
REFERENCE_NAMES = ("limit-0", "limit-1", "inline", "ideal")

_STYLE = {
    "svg.hashsalt": "wwspec_router",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def draw(reports: Mapping[str, Report], folder: Path) -> list[Path]:
    """Draw every plot for which there are figures; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    with mpl.rc_context(_STYLE):
        for name, (benchmark, plot) in PLOTS.items():
            if benchmark in reports:
                canvas = plot(reports[benchmark])
                path = folder / f"{name}.svg"
                canvas.savefig(path, transparent=True, metadata={"Date": None, "Creator": None}, bbox_inches="tight")
                path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
                drawn.append(path)
    return drawn


def exchange(report: Report) -> Any:
    """Throughput in proportion to limit-1, by size of the reply."""
    sizes = [size for size in ("3 KB", "60 KB", "300 KB") if report.find(size, "program", "rate")]
    canvas = Canvas(figsize=(8.5, 1 + 2.6 * len(sizes)))
    for axes, size in zip(_rows(canvas, len(sizes)), sizes, strict=True):
        figures = [each for each in report.figures if each.case == size and each.metric == "rate"]
        names = [each.name for each in reversed(figures)]
        ratios = [each.ratio or 1.0 for each in reversed(figures)]
        low = [(each.ratio or 1.0) - (each.ratio_low or 1.0) for each in reversed(figures)]
        high = [(each.ratio_high or 1.0) - (each.ratio or 1.0) for each in reversed(figures)]
        bars = axes.barh(names, ratios, color=[_colour(name) for name in names], xerr=[low, high], ecolor=INK)
        axes.bar_label(bars, [f"{ratio:.2f}" for ratio in ratios], padding=12, color=INK)
        axes.set_title(f"{size} replies: calls a second, limit-1 = 1", loc="left", fontsize=10)
        axes.set_xlim(0, max(1.25, 1.15 * max(each.ratio_high or 1.0 for each in figures)))
        axes.grid(visible=False, axis="y")
    return canvas


def pool(report: Report) -> Any:
    """Blocking jobs beside the ideal, and instant jobs beside inline."""
    canvas = Canvas(figsize=(8.5, 3.2))
    left, right = canvas.subplots(1, 2)
    _lines(left, report, "uvloop: 50 ms, callers: {}", "ratio", "jobs of 50 ms: rate, ideal = 1")
    _lines(right, report, "uvloop: instant, callers: {}", "median", "instant jobs: a second")
    right.set_yscale("log")
    right.margins(y=0.3)
    left.set_ylim(0, 1.1)
    return canvas


def growth(report: Report) -> Any:
    """Cost per call as abilities and events grow."""
    cases = {
        "abilities, over HTTP": "by abilities: a call",
        "stored events, fetch over HTTP": "by stored events: a fetch",
        "stored events, intake": "by stored events: an event",
    }
    canvas = Canvas(figsize=(9.5, 2.8))
    for axes, (case, title) in zip(canvas.subplots(1, len(cases)), cases.items(), strict=True):
        figures = [each for each in report.figures if each.case == case]
        medians = [each.median for each in figures]
        spread = [[f.median - f.low for f in figures], [f.high - f.median for f in figures]]
        axes.errorbar([each.name for each in figures], medians, yerr=spread, color=OURS, marker="o", capsize=3)
        axes.set_ylim(0, max([each.high for each in figures], default=1) * 1.3)
        axes.set_title(f"{title}, µs", loc="left", fontsize=10)
        axes.tick_params(labelsize=7.5)
    canvas.subplots_adjust(wspace=0.3)
    return canvas


def startup(report: Report) -> Any:
    """Cold start and memory beside the bare application."""
    canvas = Canvas(figsize=(8.5, 2.4))
    left, right = canvas.subplots(1, 2)
    for axes, case, unit in ((left, "cold start", "ms"), (right, "idle", "MiB resident")):
        figures = [each for each in report.figures if each.case == case][::-1]
        names = [each.name.replace("program, ", "") for each in figures]
        bars = axes.barh(names, [each.median for each in figures], color=OURS)
        axes.bar_label(bars, [f"{each.median:,.0f}" for each in figures], padding=4, color=INK)
        axes.set_title(f"{case}, {unit}", loc="left", fontsize=10)
        axes.margins(x=0.2)
        axes.grid(visible=False, axis="y")
    right.set_yticklabels([])
    canvas.subplots_adjust(wspace=0.15)
    return canvas


def _lines(axes: Any, report: Report, case: str, attribute: str, title: str) -> None:
    counts = ("1", "16", "64", "256")
    names = dict.fromkeys(each.name for each in report.figures if each.case == case.format(counts[0]))
    contenders = [name for name in names if name != "ideal"]
    for name in contenders:
        found = [report.find(case.format(count), name, "rate") for count in counts]
        values = [getattr(each, attribute) or 1.0 for each in found if each is not None]
        axes.plot(counts[: len(values)], values, marker="o", color=SERIES[name], label=name)
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel("callers")
    axes.legend(fontsize=8)


def _rows(canvas: Any, number: int) -> Sequence[Any]:
    axes: Any = canvas.subplots(number, 1, squeeze=False)[:, 0]
    canvas.subplots_adjust(hspace=0.35)
    return list(axes)


def _colour(name: str) -> str:
    if name.startswith("program"):
        return OURS
    return REFERENCES if name in REFERENCE_NAMES else OTHERS


PLOTS: dict[str, tuple[str, Callable[[Report], Any]]] = {
    "exchange": ("exchange", exchange),
    "pool": ("pool", pool),
    "growth": ("growth", growth),
    "startup": ("startup", startup),
}
"""File -> benchmark and how it is drawn."""
