"""Tables of figures, for a terminal and for a page."""

import re
from collections.abc import Callable, Iterable, Sequence

from benchmarks.figures import Figure, Report

__all__ = ["filled", "markdown", "number", "text"]

Cells = list[str]
_BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str, figures: Callable[[str], str | None]) -> str:
    """Return a page with what a function returns for the name of each block; with None the block keeps what it has."""

    def block(found: re.Match[str]) -> str:
        made = figures(found[2])
        return found[0] if made is None else f"{found[1]}\n{made}\n\n{found[3]}"

    return _BLOCK.sub(block, page)


def text(report: Report) -> str:
    """Format a report for reading in a terminal."""
    head, *rows = _rows(report)
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [_line(row, widths) for row in (head, *rows)]
    about = f"{report.python}; {report.machine}; {report.rounds} rounds"
    return "\n".join([report.question, about, *_settings(report), "", *lines, *(f"({note})" for note in report.notes)])


def markdown(report: Report) -> str:
    """Format a report as a table for a page."""
    head, *rows = _rows(report)
    return "\n".join(
        [
            f"{report.date}, {report.python}, {report.machine}; medians of {report.rounds} rounds.",
            *_settings(report),
            "",
            *table(head, rows),
            *(f"\n{note}." for note in report.notes),
        ]
    )


def table(head: Cells, rows: Iterable[Cells]) -> list[str]:
    """Return the lines of a Markdown table."""
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


def number(value: float) -> str:
    """Write a number with three digits, or all of those before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _rows(report: Report) -> list[Cells]:
    """Return the head and one row for each contender of each case."""
    metrics = list(dict.fromkeys((each.metric, each.unit) for each in report.figures))
    pairs = list(dict.fromkeys((each.case, each.name) for each in report.figures))
    head = ["case", "contender"] + [f"{metric}, {unit}" if unit else metric for metric, unit in metrics]
    found = {(each.case, each.name, each.metric): each for each in report.figures}

    def cell(*key: str) -> str:
        return _cell(found[key]) if key in found else ""

    return [head, *([case, name, *(cell(case, name, metric) for metric, _ in metrics)] for case, name in pairs)]


def _cell(figure: Figure) -> str:
    """Write the median and, for all but the reference, the ratio with its quartiles."""
    if figure.ratio is None or figure.ratio_low is None or figure.ratio_high is None:
        return number(figure.median)
    ratios = f"{figure.ratio:.2f}"
    if len(figure.samples) > 1:
        ratios += f" ({figure.ratio_low:.2f}-{figure.ratio_high:.2f})"
    return f"{number(figure.median)} = {ratios}"


def _settings(report: Report) -> Sequence[str]:
    stated = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in report.settings.items())
    return [f"{stated[:1].upper()}{stated[1:]}."] if stated else []


def _line(row: Cells, widths: Sequence[int]) -> str:
    cells = [
        value.ljust(width) if index < 2 else value.rjust(width)
        for index, (value, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
