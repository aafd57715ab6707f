"""The tables of a program's speed for the page about scale, in both languages."""

from collections.abc import Mapping

from benchmarks.contenders import PROGRAM
from benchmarks.figures import Report
from benchmarks.scaling import TWO
from benchmarks.tables import number, table
from scripts.reference.text import Say

__all__ = ["events", "network", "rates"]

Reports = Mapping[str, Report]
SIZES = ("3 KB", "60 KB")


def network(reports: Reports, say: Say) -> str:
    """Return what calls reach whose SDK waits, and what they cost, beside others that wait on threads."""
    report = reports["network"]
    others = {"limit-T": "limit-T", "Flask, gunicorn gthread": "Flask", "FastAPI sync": "FastAPI"}
    head = [
        say("SDK takes, a reply of", "SDK 耗时，应答大小"),
        say("callers", "调用者"),
        say("calls a second, one core", "每秒调用，一个核"),
        say("p50 and p99", "p50 与 p99"),
        say("two processes, two cores", "两个进程，两个核"),
        say("processor seconds for 1,000 calls", "每 1,000 次调用的 CPU 秒数"),
        *(say(f"times the rate of {name}", f"是 {name} 的几倍") for name in others.values()),
    ]
    rows = []
    for milliseconds, callers in ((5, 128), (50, 256)):
        for size in SIZES:
            case = f"SDK of {milliseconds} ms, {size}"
            rate = report.taken(case, PROGRAM, "rate").median
            p50, p99 = (report.taken(case, PROGRAM, metric).median / 1000 for metric in ("p50", "p99"))
            two = report.taken(f"{case}, free", TWO, "rate").median
            processor = report.taken(case, PROGRAM, "processor").median
            times = [number(rate / report.taken(case, name, "rate").median) for name in others]
            rows.append(
                [f"{milliseconds} ms, {size}", str(callers), number(rate), f"{number(p50)}, {number(p99)} ms"]
                + [number(two), number(processor), *times]
            )
    return "\n".join(table(head, rows))


def rates(reports: Reports, say: Say) -> str:
    """Return what one core carries, in two sentences: while calls wait, then when they do not."""
    cases = [("network", f"SDK of 5 ms, {size}", "FastAPI sync") for size in SIZES]
    cases += [("exchange", size, "FastAPI async") for size in SIZES]
    ours, times = [], []
    for benchmark, case, other in cases:
        rate, theirs = (reports[benchmark].taken(case, name, "rate").median for name in (PROGRAM, other))
        ours.append(f"{round(rate, -2):,.0f}")
        times.append(number(rate / theirs))
    elsewhere = ""
    if reports["network"].machine != reports["exchange"].machine:
        elsewhere = say(", on another machine,", "（另一台机器）")
    return say(
        "While 128 calls each wait 5 ms for WeCom, one core serves {} calls a second with replies of 3 KB and {} with\n"
        f"replies of 60 KB: {{}} and {{}} times as many as FastAPI. With an SDK that answers at once{elsewhere}\n"
        "it serves {} and {}: {} and {} times as many.",
        "128 个调用各等待企业微信 5 ms 时，单核每秒处理 {} 次 3 KB 应答或 {} 次 60 KB 应答的调用，"
        "分别是 FastAPI 的 {} 倍和 {} 倍；"
        f"SDK 立即返回时{elsewhere}为 {{}} 次和 {{}} 次，分别是 {{}} 倍和 {{}} 倍。",
    ).format(*ours[:2], *times[:2], *ours[2:], *times[2:])


def events(reports: Reports, say: Say) -> str:
    """Return the events that a store takes."""
    stores = reports["stores"]
    head = [
        say("store", "存储"),
        say("events a second, one at a time", "每秒事件，逐个到达"),
        say("16 at the same time", "16 个同时到达"),
    ]
    case = "event intake, {}, threads: {}".format
    rows = [
        [store, *(number(stores.taken(case(name, threads), PROGRAM, "rate").median) for threads in (1, 16))]
        for name, store in (("SQLite", "`sqlite:`"), ("Redis", "`redis:`"))
    ]
    return "\n".join(table(head, rows))
