"""A program on one machine, and several instances of it that share a Redis."""

from scripts.pictures.canvas import GAP, WIDTH, Canvas
from scripts.reference.text import Say

__all__ = ["PICTURES"]

LEFT, FULL = 8.0, WIDTH - 16.0
HALF = (FULL - 12) / 2
RIGHT = LEFT + HALF + 12


def _outside(canvas: Canvas, say: Say) -> float:
    """Draw the app and WeCom at the top; return their lower edge."""
    app = canvas.box("app", LEFT, 8, HALF - 20, say("App", "企业应用"), say("your back end", "你的后台"))
    wecom = canvas.box("wecom", RIGHT, 8, HALF, say("WeCom", "企业微信"), say("zone channel", "专区通道"))
    canvas.arrow((LEFT + HALF - 20, 34), (RIGHT, 34), both=True)
    return max(app, wecom)


def one(canvas: Canvas, say: Say) -> float:
    """Draw one machine; return where it ends."""
    y = _outside(canvas, say)
    top = y + GAP + 12
    x, width = LEFT + 12, FULL - 24
    inner = top + 26
    parent = canvas.box(
        "plain",
        x,
        inner,
        width,
        say("Parent process", "父进程"),
        say(
            "opens port 8080, starts the workers, replaces those that die; loads nothing of your code",
            "打开 8080 端口，启动工作进程，替换退出的进程；不加载你的代码",
        ),
    )
    half = (width - 12) / 2
    first, second = x, x + half + 12
    workers = parent + GAP + 4
    text = say(
        "event loop\n`--threads` for calls\n`--job-threads` for jobs",
        "事件循环\n`--threads` 处理调用\n`--job-threads` 执行任务",
    )
    ends = [
        canvas.box("program", first, workers, half, say("Worker process 1", "工作进程 1"), text),
        canvas.box("program", second, workers, half, say("Worker process N", "工作进程 N"), text),
    ]
    bottom = max(ends)
    for middle in (first + half / 2, second + half / 2):
        canvas.arrow((middle, parent), (middle, workers), dashed=True)
        canvas.arrow((middle, bottom), (middle, bottom + GAP + 4), kind="store", both=True)
    store = canvas.box(
        "store",
        x,
        bottom + GAP + 4,
        width,
        say("SQLite file", "SQLite 文件"),
        say(
            "`var/notify.db`: events, jobs, and replies of calls that run once; shared by all workers",
            "`var/notify.db`：事件、任务、只执行一次的调用的应答；由所有工作进程共享",
        ),
    )
    canvas.region("program", LEFT, top, FULL, store + 12, say("container in the zone", "专区内的容器"))
    canvas.arrow((RIGHT + HALF / 2, y), (RIGHT + HALF / 2, inner))
    return store + 12


def many(canvas: Canvas, say: Say) -> float:
    """Draw several instances; return where they end."""
    y = _outside(canvas, say)
    text = say(
        "any instance may get a call, an event, or the fetch of an event",
        "调用、事件和取回事件的请求，可以到达任一实例",
    )
    spread = canvas.box("plain", LEFT, y + GAP, FULL, say("Load balancer", "负载均衡"), text)
    canvas.arrow((RIGHT + HALF / 2, y), (RIGHT + HALF / 2, y + GAP))
    top = spread + GAP + 4
    ends = []
    for x, name in ((LEFT, "A"), (RIGHT, "B")):
        parent = canvas.box("plain", x + 10, top + 26, HALF - 20, say("Parent process", "父进程"))
        workers = canvas.box(
            "program",
            x + 10,
            parent + 12,
            HALF - 20,
            say("Workers 1 to N", "工作进程 1 至 N"),
            say("calls and jobs", "处理调用、执行任务"),
        )
        canvas.arrow((x + HALF / 2, parent), (x + HALF / 2, parent + 12), dashed=True)
        canvas.region("program", x, top, HALF, workers + 10, say(f"instance {name}", f"实例 {name}"))
        canvas.arrow((x + HALF / 2, spread), (x + HALF / 2, top + 26))
        ends.append(workers + 10)
    bottom = max(ends)
    redis = bottom + GAP + 6
    primary = canvas.box(
        "store",
        LEFT,
        redis,
        HALF,
        say("Redis, primary", "Redis 主节点"),
        say("events, jobs, replies of calls that run once", "事件、任务、只执行一次的调用的应答"),
    )
    replica = canvas.box(
        "store",
        RIGHT,
        redis,
        HALF,
        say("Replicas", "副本"),
        say("with `wait=1` one has it before it is acknowledged", "`wait=1`：至少一个副本收到后才确认"),
    )
    for middle in (LEFT + HALF / 2 - 24, LEFT + HALF / 2 + 24):
        start = middle if middle < LEFT + HALF / 2 else RIGHT + HALF / 2
        lane = bottom + 11
        points = (
            [(middle, bottom), (middle, redis)]
            if start == middle
            else [
                (start, bottom),
                (start, lane),
                (middle, lane),
                (middle, redis),
            ]
        )
        canvas.arrow(*points, kind="store")
    canvas.arrow((LEFT + HALF, redis + 20), (RIGHT, redis + 20), kind="store")
    end = max(primary, replica)
    sentinels = canvas.box(
        "plain",
        LEFT,
        end + 8,
        FULL,
        say("Sentinels", "哨兵"),
        say(
            "they name the primary; the program follows a failover without a restart",
            "指明谁是主节点；故障切换后程序自动跟随，无需重启",
        ),
    )
    return canvas.text(
        LEFT + 4,
        sentinels + 6,
        FULL - 8,
        say(
            "Instances of the same program name share events and jobs. If one dies, another begins its jobs again.",
            "程序名相同的实例共享事件和任务。某个实例崩溃后，它的任务由其他实例重新执行。",
        ),
        faint=True,
    )


PICTURES = {
    "deployment-one": (
        one,
        "One machine: a parent process, workers with threads for calls and jobs, and a SQLite file that they share",
        "单机部署：一个父进程，若干带调用线程和任务线程的工作进程，共享一个 SQLite 文件",
    ),
    "deployment-many": (
        many,
        "Several machines: a load balancer, two instances, and the Redis that they share, with replicas and sentinels",
        "多机部署：负载均衡、两个实例，以及它们共用的 Redis 主节点、副本和哨兵",
    ),
}
