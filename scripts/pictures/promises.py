"""What is promised of an event and of an asynchronous call: where it is durable, and what happens when a party dies."""

from typing import NamedTuple

from scripts.pictures.canvas import GAP, WIDTH, Canvas
from scripts.reference.text import Say

__all__ = ["PICTURES"]

BAR, LEFT, HALF = 12.0, 24.0, 196.0
RIGHT = LEFT + HALF + 10
NOTE = WIDTH - 8 - RIGHT


class _Step(NamedTuple):
    """A step, and what happens when somebody dies at it."""

    kind: str
    title: str
    text: str
    failure: str
    consequence: str
    is_durable: bool = True


def _column(canvas: Canvas, say: Say, steps: list[_Step], legend: str) -> float:
    """Draw the steps from the top, each with its consequence at the right; return where they end."""
    canvas.text(LEFT, 6, HALF, say("what happens", "正常经过"), faint=True)
    y = canvas.text(RIGHT, 6, NOTE, say("when something fails", "出故障时"), faint=True) + 4
    durable: list[float] = []
    middle = LEFT + HALF / 2
    for number, step in enumerate(steps, 1):
        bottom = canvas.box(step.kind, LEFT, y, HALF, step.title, step.text, number=str(number))
        note = canvas.box("loss", RIGHT, y, NOTE, step.failure, step.consequence, dashed=True)
        end = max(bottom, note)
        if step.is_durable:
            durable += [y, end]
        if number < len(steps):
            canvas.arrow((middle, bottom), (middle, end + GAP))
        y = end + GAP
    end = y - GAP
    canvas.line(BAR, durable[0], durable[-1], "store", 5)
    canvas.line(BAR, end + 13, end + 27, "store", 5)
    return canvas.text(LEFT, end + 11, WIDTH - LEFT - 8, legend, faint=True)


def event(canvas: Canvas, say: Say) -> float:
    """Draw an event; return where it ends."""
    steps = [
        _Step(
            "wecom",
            say("Event arrives", "事件到达"),
            say("`call_type` 2, opened by the SDK", "`call_type` 2，由 SDK 解包"),
            say("Program or store down", "程序或存储不可用"),
            say(
                "WeCom gets an error or no answer. The app is not notified of anything that is not stored.",
                "企业微信收到错误，或收不到应答。没有存下的事件，绝不会通知应用。",
            ),
            is_durable=False,
        ),
        _Step(
            "store",
            say("Event is stored", "事件入库"),
            say(
                'under a fresh `notify_id`; with `notify = "now"` your code\'s job is stored in the same transaction',
                '用新的 `notify_id`；`notify = "now"` 时，处理函数的任务在同一事务中入库',
            ),
            say("Program dies here", "程序此时崩溃"),
            say(
                "The event is kept, and your code runs. The app is not notified; its next pull gets the messages.",
                "事件仍在存储里，处理函数照常执行。应用收不到这次通知，下次拉取时会得到消息。",
            ),
        ),
        _Step(
            "program",
            say("App is notified", "通知应用"),
            say("`spec_notify_app`; then the event is answered", "`spec_notify_app`，然后应答事件"),
            say("WeCom refuses", "企业微信拒绝"),
            say("The event is answered as failed.", "该事件按失败应答。"),
        ),
        _Step(
            "app",
            say("Callback arrives", "收到回调"),
            say("`program_notify` at the app", "应用收到 `program_notify`"),
            say("App is down", "应用不可用"),
            say(
                "WeCom tries three times. The event waits 20 minutes (`notify_ttl`), its `notify_id` is valid for 10.",
                "企业微信共发送三次。事件保留 20 分钟（`notify_ttl`），`notify_id` 有效期为 10 分钟。",
            ),
        ),
        _Step(
            "app",
            say("App fetches it", "应用取回事件"),
            say("`get_callback_data` with the `notify_id`", "`get_callback_data`，带上 `notify_id`"),
            say("App dies here", "应用此时崩溃"),
            say(
                "It fetches again: the same `notify_id` gives the same event until its time is over.",
                "重新取即可：到期之前，同一个 `notify_id` 总能取到同一个事件。",
            ),
        ),
        _Step(
            "program",
            say("Own code runs", "执行处理函数"),
            say("a job; at least once", "作为任务，至少执行一次"),
            say("Code fails", "处理函数失败"),
            say(
                "Error: again after about 1, 4, 16 s. Process dead: another begins again after the lease (30\u00a0s).",
                "出错：约 1、4、16 秒后重试。进程崩溃：租约（30 秒）到期后由其他进程重新执行。",
            ),
        ),
    ]
    legend = say(
        "In the store: the end of a process loses nothing. SQLite is as durable as its disk, Redis as its settings.",
        "在存储中：任何进程退出都不受影响。SQLite 取决于磁盘，Redis 取决于其配置。",
    )
    return _column(canvas, say, steps, legend)


def job(canvas: Canvas, say: Say) -> float:
    """Draw an asynchronous call; return where it ends."""
    steps = [
        _Step(
            "app",
            say("App starts it", "应用发起"),
            say("`async_program_task`", "`async_program_task`"),
            say("Program or store down", "程序或存储不可用"),
            say("The call is answered as failed. The app tries again.", "调用按失败应答，由应用重试。"),
            is_durable=False,
        ),
        _Step(
            "store",
            say("Job is stored", "任务入库"),
            say(
                "with its `job_info`; then the call is answered as accepted",
                "连同 `job_info`；然后应答“已接受”",
            ),
            say("Program dies here", "程序此时崩溃"),
            say("The job runs after the next start.", "下次启动后执行该任务。"),
        ),
        _Step(
            "program",
            say("Ability runs", "执行能力"),
            say("in one process, which holds a lease", "由一个进程执行，并持有租约"),
            say("Process dies", "进程崩溃"),
            say(
                "After the lease (30\u00a0s) another begins again: `ctx.attempt` is 2. After 5 begins it has failed.",
                "租约（30 秒）到期后由其他进程重新执行，`ctx.attempt` 为 2。开始 5 次仍未结束，则上报错误。",
            ),
        ),
        _Step(
            "store",
            say("Result is stored", "结果入库"),
            say("before it is reported", "先入库，再上报"),
            say("Process dies before", "入库前进程崩溃"),
            say("The ability runs again: let it do what can be done twice.", "能力会再执行一次，因此要写成幂等的。"),
        ),
        _Step(
            "program",
            say("Result is reported", "上报结果"),
            say("SDK API `program_async_` `job_call_back`", "SDK 接口 `program_async_` `job_call_back`"),
            say("WeCom is away", "企业微信不可用"),
            say(
                "The report is sent again for a day, with pauses of up to a minute. The ability does not run again.",
                "一天之内反复上报，间隔逐渐增到一分钟。能力不会再执行。",
            ),
        ),
        _Step(
            "app",
            say("App reads it", "应用读取结果"),
            say("`async_program_result` with the `jobid`", "`async_program_result`，带上 `jobid`"),
            say("App dies here", "应用此时崩溃"),
            say("It asks again with the `jobid`.", "用 `jobid` 再查一次。"),
            is_durable=False,
        ),
    ]
    legend = say("In the store, until the report is accepted.", "在存储中，直到上报被接受。")
    return _column(canvas, say, steps, legend)


PICTURES = {
    "event": (
        event,
        "An event in six steps, from its arrival to your own code; where it is durable, and what a failure costs",
        "一个事件的六步，从到达到执行处理函数；从哪一步起已持久化，各方出故障时会怎样",
    ),
    "job": (
        job,
        "An asynchronous call in six steps, to the result at the app; where it is durable, and what a failure costs",
        "一次异步调用的六步，从应用发起到读取结果；从哪一步起已持久化，各方出故障时会怎样",
    ),
}
