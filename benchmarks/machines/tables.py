"""The tables of the zone's machines for the page about scale, in both languages."""

import math
from collections.abc import Mapping

from benchmarks.figures import Report
from benchmarks.machines.cases import (
    DEPLOYMENTS,
    LOST,
    MEASURED,
    ONE,
    PULLS,
    RATES,
    SIMULATED,
    WAYS,
)
from benchmarks.machines.machine import DOWN, OVERLOAD
from benchmarks.machines.parts import WAIT
from benchmarks.tables import number, table
from scripts.reference.text import Say

__all__ = ["deployed", "needed", "value", "ways"]

Reports = Mapping[str, Report]
PER_IP = 1_200_000 / 60
"""Calls a minute that WeCom takes from one address of a provider for a whole hour."""


def needed(reports: Reports, say: Say) -> str:
    """Return the machines that carry a rate with head room."""
    report = reports["machines"]
    head = [
        say("messages a second", "每秒消息数"),
        say("machines", "机器数"),
        say("busiest processor", "最忙的处理器"),
        say("a call, p50 and p99", "一次调用，p50 与 p99"),
        say("calls at once on a machine", "单机同时进行的调用"),
        say("calls that the app sends, a minute", "应用每分钟发出的调用"),
    ]
    rows = []
    for rate in RATES:
        case = f"{rate:,} messages/s"
        rows.append([f"{rate:,}", f"{value(report, case, 'needed'):.0f}", *_loads(report, case)])
    event, call = (f"{value(report, ONE, metric, MEASURED):.0f} µs" for metric in ("an event", "a fetch"))
    return "\n".join(table(head, rows)) + say(
        f"\n\nProcessor time of an event: {event}; of each call: {call}. An SDK call waits {1000 * WAIT:.0f} ms.",
        f"\n\nCPU 时间：一个事件 {event}，每次调用 {call}；一次 SDK 调用等待 {1000 * WAIT:.0f} ms。",
    )


def ways(reports: Reports, say: Say) -> str:
    """Return what each way of pulling costs the app, and what it brings when a machine is lost."""
    report = reports["machines"]
    head = [
        say("the app pulls", "应用拉取方式"),
        say("calls that the app sends, a minute", "应用每分钟发出的调用"),
        say("of them for the busiest corp", "其中最忙的企业"),
        say("addresses of a provider that WeCom's limit asks for", "按频率限制，服务商所需的出口 IP 数"),
        say("events gone", "失去的事件"),
        say("their messages: half are there after", "其消息：半数到达用时"),
        say("the last of them after", "最后一条到达用时"),
        say("not there at the end", "结束时仍未到达"),
    ]
    rows = []
    for way, every in WAYS.items():
        calls, case = value(report, f"{PULLS}, {way}", "of the app"), f"{LOST}, {way}"
        missing = value(report, case, "gone: missing")
        rows.append(
            [
                _way(way, every, say),
                number(calls),
                number(value(report, f"{PULLS}, {way}", "of the busiest corp")),
                str(math.ceil(calls / PER_IP)),
                number(value(report, case, "gone")),
                f"{number(value(report, case, 'gone: there p50'))} s",
                f"{number(value(report, case, 'gone: there longest'))} s" if not missing else "",
                f"{missing:,.0f}",
            ]
        )
    return "\n".join(table(head, rows))


def deployed(reports: Reports, say: Say) -> str:
    """Return what a rolling deployment refuses and loses."""
    report = reports["machines"]
    head = [
        say("rolling deployment", "滚动部署"),
        *(say(f"{name}: 710674", f"{name}：710674") for name in _kinds(say).values()),
        say("fetches: 710660", "获取：710660"),
        say("events gone with a store", "随存储失去的事件"),
    ]
    names = (
        say("WeCom goes on sending to a machine that stops", "企业微信继续向正在停止的机器发送"),
        say("WeCom sends it nothing new for 10 s before", "停止前 10 s 企业微信不再发送新请求"),
    )
    rows = []
    for name, case in zip(names, DEPLOYMENTS, strict=True):
        counts = [_count(report, case, kind, DOWN) for kind in _kinds(say)]
        gone = report.find(case, SIMULATED, "gone with a store")
        counts += [_count(report, case, "fetch", OVERLOAD), gone.median if gone else 0.0]
        rows.append([name, *(f"{each:,.0f}" for each in counts)])
    return "\n".join(table(head, rows))


def value(report: Report, case: str, metric: str, name: str = SIMULATED) -> float:
    """Return the median of a figure; exit when there is none."""
    return report.taken(case, name, metric).median


def _count(report: Report, case: str, kind: str, errcode: int) -> float:
    figure = report.find(case, SIMULATED, f"{kind}: {errcode}")
    return 0.0 if figure is None else figure.median


def _kinds(say: Say) -> dict[str, str]:
    return {
        "event": say("events", "事件"),
        "call": say("calls of users", "用户调用"),
        "pull": say("pulls", "拉取"),
        "fetch": say("fetches", "取回"),
    }


def _way(way: str, every: float, say: Say) -> str:
    if not every:
        return say(f"after {way}", "仅在收到通知后")
    return say(
        f"after notifications, and each corp every {every:.0f} s", f"收到通知后，并每 {every:.0f} s 拉取所有企业"
    )


def _loads(report: Report, case: str) -> list[str]:
    p50, p99 = (number(value(report, case, metric)) for metric in ("call p50", "call p99"))
    return [
        f"{number(value(report, case, 'processor'))} %",
        f"{p50}, {p99} ms",
        f"{value(report, case, 'connections'):.0f}",
        number(value(report, case, "of the app")),
    ]
