"""The tables of a fleet for the page about scale, in both languages."""

from collections.abc import Mapping, Sequence

from benchmarks.figures import Report
from benchmarks.fleet.cases import (
    COMPUTED,
    DEATHS,
    FULL,
    KILLED,
    LARGE,
    MEASURED,
    REDIS,
    SHARDS,
    SIMULATED,
    SMALL,
    costs_of,
)
from benchmarks.fleet.model import CLAIMS_PER_JOB, busiest_shard, walls
from benchmarks.fleet.parts import CLAIM, CLAIM_ONE, Load
from benchmarks.tables import number, table
from scripts.reference.text import Say

__all__ = ["agreement", "commands", "fleet", "memory", "shards", "what_is_full"]

Reports = Mapping[str, Report]
INSTANCES = (1, 4, 16, 64, 100, 256)
LIFETIMES = (1200, 60)
"""Seconds for which events are kept, in the example."""
SHARDS_SHOWN = (1, 2, 4, 8, 16, 32)
LATER = [CLAIM] * (CLAIMS_PER_JOB - 1)
"""Claims of a job that find nothing."""
WAYS: Sequence[tuple[str, str, Sequence[str]]] = (
    ("an event, kept for the app", "事件，保存待应用拉取", ("put",)),
    ("its fetch by `get_callback_data`", "应用用 `get_callback_data` 拉取", ("get",)),
    (
        'an event with code, `notify = "now"`',
        '事件，运行代码，`notify = "now"`',
        ("put with job", CLAIM_ONE, "begin", "finish", *LATER),
    ),
    (
        'an event with code, `notify = "never"`',
        '事件，运行代码，`notify = "never"`',
        ("add", CLAIM_ONE, "begin", "finish", *LATER),
    ),
    (
        "an asynchronous call, from its acceptance to its report",
        "异步调用，从受理到上报",
        ("add", CLAIM_ONE, "begin", "keep", "finish", *LATER),
    ),
    ("an idle worker process, a second", "空闲的工作进程，每秒", ("ping", CLAIM)),
)
"""What happens, and the commands that the program sends for it."""


def commands(reports: Reports, say: Say) -> str:
    """Return what each thing asks of the Redis server."""
    report = reports["fleet"]

    def total(names: Sequence[str], metric: str) -> float:
        return sum(_median(report, f"command: {name}", REDIS, metric) for name in names)

    head = [
        say("what happens", "操作"),
        say("commands sent", "发送的命令"),
        say("commands run, with those of scripts", "执行的命令（含脚本内）"),
        say("processor time of the server, µs", "服务器 CPU 时间，µs"),
    ]
    rows = [
        [
            say(english, chinese),
            str(len(names)),
            f"{total(names, 'commands'):.0f}",
            f"{total(names, 'server'):.0f}",
        ]
        for english, chinese, names in WAYS
    ]
    return "\n".join(table(head, rows))


def memory(reports: Reports, say: Say) -> str:
    """Return what is kept for an event, a job and a process."""
    fleet, startup = reports["fleet"], reports["startup"]
    head = [say("what is kept", "内容"), say("memory", "内存"), say("where", "位置")]
    server, machine = say("the Redis server", "Redis 服务器"), say("the program's machine", "程序所在机器")
    rows = [
        [
            say("an event of 125 bytes, until `notify_ttl` is over", "125 字节的事件，保存到 `notify_ttl` 结束"),
            f"{_median(fleet, 'command: put', REDIS, 'memory'):,.0f} B",
            server,
        ],
        [
            say("a job with 125 bytes of data, until it is reported", "数据为 125 字节的任务，保存到上报完成"),
            f"{_median(fleet, 'command: add', REDIS, 'memory'):,.0f} B",
            server,
        ],
        [
            say("a program with one worker process, idle", "程序，一个工作进程，空闲"),
            f"{_median(startup, 'idle', 'program', 'resident'):.0f} MiB",
            machine,
        ],
        [
            say("the same, after a load of 16 callers", "同上，承受过 16 个并发调用者的负载之后"),
            f"{_median(startup, 'after load of 16 callers', 'program', 'resident'):.0f} MiB",
            machine,
        ],
    ]
    return "\n".join(table(head, rows))


def what_is_full(reports: Reports, say: Say) -> str:
    """Return the bounds of the events a second, by the number of instances."""
    costs = costs_of(reports["fleet"])
    names = {
        "store": say("the store", "存储"),
        "redis": say("the Redis server", "Redis 服务器"),
        "processes": say("the processes", "进程"),
    }
    head = [
        say("instances", "实例数"),
        names["processes"],
        names["redis"],
        *(say(f"the store, {ttl:,} s", f"存储，{ttl:,} s") for ttl in LIFETIMES),
        *(say(f"full first, {ttl:,} s", f"最先达到上限，{ttl:,} s") for ttl in LIFETIMES),
    ]
    rows = []
    for instances in INSTANCES:
        found = [{wall.name: wall.rate for wall in walls(costs, instances, ttl)} for ttl in LIFETIMES]
        rates = [found[0]["processes"], found[0]["redis"], *(each["store"] for each in found)]
        first = [names[min(each, key=each.__getitem__)] for each in found]
        rows.append([str(instances), *(f"{_rounded(rate)}/s" for rate in rates), *first])
    return "\n".join(table(head, rows))


def agreement(reports: Reports, say: Say) -> str:
    """Return what four programs did, beside what was simulated and computed."""
    head = [
        say("4 programs, one Redis server", "4 个程序，一台 Redis"),
        say("figure", "指标"),
        say("measured", "实测"),
        say("simulated", "模拟"),
        say("computed", "计算"),
    ]
    names = {
        "sent": say("commands sent a second", "每秒发送的命令"),
        "ran": say("commands run a second", "每秒执行的命令"),
        "Redis": say("the server's thread, % of a core", "服务器线程，占一个核的 %"),
        "programs": say("all programs, cores", "所有程序，核数"),
        "event p50": say("an event, median, ms", "一个事件，中位数，ms"),
    }
    shown = {
        f"{say('idle', '空闲')}": next(iter(SMALL)),
        say("120 events and fetches, 40 jobs a second", "每秒 120 个事件并拉取，40 个任务"): list(SMALL)[1],
    }
    rows = [
        [title, name, *(_cell(reports["fleet"], case, who, metric) for who in (MEASURED, SIMULATED, COMPUTED))]
        for title, case in shown.items()
        for metric, name in names.items()
        if reports["fleet"].find(case, MEASURED, metric)
    ]
    killed = [
        say("one killed, leases of 6 s", "杀死一个，租约 6 s"),
        say("its jobs ended after, s", "其任务全部结束，s"),
    ]
    cells = [_cell(reports["fleet"], KILLED, who, "taken over") for who in (MEASURED, SIMULATED, COMPUTED)]
    return "\n".join(table(head, [*rows, [*killed, *cells]]))


def fleet(reports: Reports, say: Say) -> str:
    """Return what 100 instances come to."""
    report = reports["fleet"]
    head = [
        say("100 instances, 10,000 corps", "100 个实例，10,000 个企业"),
        say("commands sent a second", "每秒发送的命令"),
        say("commands run a second", "每秒执行的命令"),
        say("the server's thread", "服务器线程"),
        say("all instances, cores", "所有实例，核数"),
        say("an event, p50 and p99", "一个事件，p50 与 p99"),
    ]
    titles = (
        say("idle", "空闲"),
        say("500 events and fetches, 100 jobs a second", "每秒 500 个事件并拉取，100 个任务"),
        say("2,000 events and fetches, 400 jobs a second", "每秒 2,000 个事件并拉取，400 个任务"),
        say("500 and 100, and 20,000 events of one corp within 1 s", "500 与 100，另有一个企业 1 s 内 20,000 个事件"),
        say("500 and 100, jobs of 2 s, one instance dies each 5 s", "500 与 100，任务各 2 s，每 5 s 一个实例崩溃"),
    )
    rows = [
        [
            title,
            _cell(report, case, SIMULATED, "sent"),
            _cell(report, case, SIMULATED, "ran"),
            f"{_cell(report, case, SIMULATED, 'Redis')} %",
            _cell(report, case, SIMULATED, "programs"),
            _both(report, case),
        ]
        for title, case in zip(titles, (*LARGE, DEATHS), strict=True)
    ]
    taken, twice = (_median(report, DEATHS, SIMULATED, metric) for metric in ("taken over", "begun twice"))
    full, said = (_median(report, FULL, name, "full after") for name in (SIMULATED, COMPUTED))
    return "\n".join(table(head, rows)) + say(
        f"\n\nWith a death each 5 seconds, jobs that were left behind begin again after {number(taken)} s (median); "
        f"{number(twice)} of 1,000 jobs begin twice. With 2,000 events a second and none that expires, the store "
        f"refuses the first event after {full:,.0f} s (simulated) and {said:,.0f} s (computed).",
        f"\n\n每 5 秒有一个实例崩溃时，遗留的任务在 {number(taken)} s（中位数）后重新开始；每 1,000 个任务中有 "
        f"{number(twice)} 个运行两次。每秒 2,000 个事件且尚无事件过期时，存储在 {full:,.0f} s（模拟）、"
        f"{said:,.0f} s（计算）后开始拒绝事件。",
    )


def shards(reports: Reports, say: Say) -> str:
    """Return what the busiest shard gets, by the number of shards."""
    corps = Load().corps
    head = [
        say("shards", "分片数"),
        say("the busiest shard has", "最忙的分片占"),
        say("so all carry", "总容量为单分片的"),
    ]
    rows = []
    for number_of in SHARDS_SHOWN:
        share = busiest_shard(number_of, corps)
        times = say(f"{1 / share:.1f} times what one carries", f"{1 / share:.1f} 倍")
        rows.append([str(number_of), f"{100 * share:.0f} %", times])
    simulated = _median(reports["fleet"], SHARDS, SIMULATED, "busiest")
    said = _median(reports["fleet"], SHARDS, COMPUTED, "busiest")
    return "\n".join(table(head, rows)) + say(
        f"\n\nOf the events of the simulation, the busiest of 8 shards gets {simulated:.1f} % "
        f"(computed: {said:.1f} %).",
        f"\n\n模拟产生的事件中，8 个分片里最忙的占 {simulated:.1f} %（计算值 {said:.1f} %）。",
    )


def _median(report: Report, case: str, name: str, metric: str) -> float:
    figure = report.find(case, name, metric)
    if figure is None:
        raise SystemExit(
            f"{report.benchmark}.json has no {metric} of {name!r} in {case!r}: run scripts/bench {report.benchmark}"
        )
    return figure.median


def _cell(report: Report, case: str, name: str, metric: str) -> str:
    figure = report.find(case, name, metric)
    return "" if figure is None else number(figure.median)


def _both(report: Report, case: str) -> str:
    p50, p99 = (_cell(report, case, SIMULATED, metric) for metric in ("event p50", "event p99"))
    return f"{p50}, {p99} ms" if p50 else ""


def _rounded(rate: float) -> str:
    return f"{float(f'{rate:.2g}'):,.0f}"
