"""Draws bars for the pages, as SVG: one file for each language, on light and on dark, the same for the same figures.

A plot's title says what it shows; both come from the figures of a run.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from benchmarks.contenders import PROGRAM
from benchmarks.figures import Report
from benchmarks.tables import number
from scripts.reference.text import Say

__all__ = ["PLOTS", "Bar", "Panel", "Plot", "draw", "svg"]

WIDTH, LABEL, BAR, GAP = 720, 230, 20, 10
"""Pixels: of the picture, of the labels' column, of a bar's height, and between bars."""
FONT = "system-ui, -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"


class Theme(NamedTuple):
    """Colours."""

    ink: str
    faint: str
    ours: str
    others: str


SIZES = ("3 KB", "60 KB")
"""Of the replies that are drawn."""
THEMES = {
    "light": Theme("#1f2328", "#59636e", "#1a7f55", "#9aa5b1"),
    "dark": Theme("#e6edf3", "#9da7b1", "#3fb982", "#626d79"),
}


class Bar(NamedTuple):
    """One value."""

    label: str
    value: float
    text: str
    """The value with its unit."""
    ours: bool = False


class Panel(NamedTuple):
    """Bars on one scale."""

    title: str
    bars: Sequence[Bar]


class Plot(NamedTuple):
    """A picture."""

    title: str
    """What it shows, as a sentence."""
    panels: Sequence[Panel]


def draw(reports: Mapping[str, Report], folder: Path) -> list[Path]:
    """Draw every plot for which there are figures; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, (benchmark, plot) in PLOTS.items():
        if benchmark not in reports:
            continue
        for language in ("en", "zh"):
            made = plot(reports[benchmark], Say(language))
            for theme, colours in THEMES.items():
                path = folder / f"{name}-{language}-{theme}.svg"
                path.write_text(svg(made, colours), "utf-8")
                drawn.append(path)
    return drawn


def svg(plot: Plot, colours: Theme) -> str:
    """Return a plot as SVG."""
    lines, top = [_text(0, 22, plot.title, colours.ink, 17, weight=600)], 36
    for panel in plot.panels:
        top += 26
        lines.append(_text(0, top, panel.title, colours.faint, 13))
        top += 10
        longest = max(bar.value for bar in panel.bars)
        for bar in panel.bars:
            length = max(2.0, (WIDTH - LABEL - 130) * bar.value / longest)
            base, weight = top + 15, 600 if bar.ours else 400
            fill = colours.ours if bar.ours else colours.others
            lines += [
                _text(LABEL - 12, base, bar.label, colours.ink, 14, anchor="end", weight=weight),
                f'<rect x="{LABEL}" y="{top}" width="{length:.1f}" height="{BAR}" rx="3" fill="{fill}"/>',
                _text(LABEL + length + 8, base, bar.text, colours.ink, 14, weight=weight),
            ]
            top += BAR + GAP
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 6}" width="{WIDTH}" height="{top + 6}" '
        f'role="img" font-family="{FONT}">\n<title>{escape(plot.title)}</title>\n{body}\n</svg>\n'
    )


def network(report: Report, say: Say) -> Plot:
    """Calls a second on one core whose SDK waits, beside others that wait on threads."""
    names = {
        PROGRAM: say("this program", "本程序"),
        "limit-T": say("bare threads, no checks", "裸线程池，无校验"),
        "BlackSheep, to_thread": "BlackSheep",
        "granian WSGI, Flask": "Flask, granian",
        "Litestar sync": "Litestar",
        "Flask, gunicorn gthread": "Flask, gunicorn",
        "FastAPI sync": "FastAPI",
        "http.server threads": "http.server",
    }
    title = say(
        "Replies of {}, SDK of 5 ms, 128 callers: calls a second on one core",
        "{} 的应答，SDK 耗时 5 ms，128 个调用者：一个核每秒处理的调用数",
    )
    panels, times = [], []
    for size in SIZES:
        rates = {name: report.taken(f"SDK of 5 ms, {size}", name, "rate").median for name in names}
        times.append(round(rates[PROGRAM] / rates["FastAPI sync"]))
        bars = [Bar(label, rates[name], f"{number(rates[name])}/s", name == PROGRAM) for name, label in names.items()]
        panels.append(Panel(title.format(size), bars))
    low, high = sorted(times)
    return Plot(
        say(
            f"While calls wait, one core serves {low} to {high} times as many as FastAPI",
            f"调用等待时，单核每秒处理的调用数是 FastAPI 的 {low}~{high} 倍",
        ),
        panels,
    )


def growth(report: Report, say: Say) -> Plot:
    """What a call costs with few and with many abilities and events."""
    cases = {
        "abilities, over HTTP": (("10", "10,000"), say("abilities", "个能力")),
        "stored events, fetch over HTTP": (("0", "1,000,000"), say("stored events", "个已存事件")),
    }
    panels, added = [], []
    titles = (say("A call, µs", "一次调用，µs"), say("A fetch of an event, µs", "拉取一个事件，µs"))
    for title, (case, (names, what)) in zip(titles, cases.items(), strict=True):
        few, many = (report.taken(case, name, "per call") for name in names)
        added.append(many.median - few.median)
        bars = [Bar(f"{each.name} {what}", each.median, f"{each.median:.0f} µs", True) for each in (few, many)]
        panels.append(Panel(title, bars))
    most = max(1, round(max(added)))
    return Plot(
        say(
            f"10,000 abilities or a million events: a call costs {most} µs more at most",
            f"1 万个能力或 100 万个事件：一次调用最多增加 {most} µs",
        ),
        panels,
    )


def startup(report: Report, say: Say) -> Plot:
    """Cold start and memory beside an application of the same parts."""
    names = {PROGRAM: say("this program", "本程序"), "bare": say("uvicorn, bare application", "uvicorn，空应用")}
    start, idle = (
        {name: report.taken(case, name, metric).median for name in names}
        for case, metric in (("cold start", "time"), ("idle", "resident"))
    )
    panels = [
        Panel(
            title,
            [Bar(label, values[name], f"{values[name]:.0f} {unit}", name == PROGRAM) for name, label in names.items()],
        )
        for title, values, unit in (
            (say("From the start to the first answer", "从启动到第一次应答"), start, "ms"),
            (say("Memory when idle", "空闲时的内存"), idle, "MiB"),
        )
    ]
    seconds, size = f"{start[PROGRAM] / 1000:.1f}", f"{idle[PROGRAM]:.0f}"
    return Plot(say(f"Ready in {seconds} s, with {size} MiB", f"{seconds} s 就绪，占用 {size} MiB"), panels)


def _text(x: float, y: float, text: str, fill: str, size: int, *, anchor: str = "start", weight: int = 400) -> str:
    place = f'x="{x:.1f}" y="{y}" fill="{fill}" font-size="{size}"'
    return f'<text {place} font-weight="{weight}" text-anchor="{anchor}">{escape(text)}</text>'


PLOTS: dict[str, tuple[str, Callable[[Report, Say], Plot]]] = {
    "network": ("network", network),
    "growth": ("growth", growth),
    "startup": ("startup", startup),
}
"""File -> benchmark and how it is drawn."""
