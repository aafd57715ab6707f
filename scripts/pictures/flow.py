"""How an app gets new messages: steps 1.1 to 4 [100053]."""

from scripts.pictures.canvas import WIDTH, Canvas
from scripts.reference.text import Say

__all__ = ["PICTURES"]

APP, WECOM, PROGRAM = 72.0, 222.0, 372.0
TEXT = 52.0


class _Flow:
    """A sequence of messages between lanes, downwards."""

    def __init__(self, canvas: Canvas, top: float) -> None:
        self.canvas = canvas
        self.y = top

    def step(self, number: str, kind: str, text: str, start: float, end: float) -> None:
        """Write a step, and draw its arrow."""
        self.canvas.step(8, self.y + 10, number, kind)
        self._message(text, start, end, kind, dashed=False)

    def answer(self, text: str, start: float, end: float, kind: str) -> None:
        """Write what comes back, and draw its arrow."""
        self._message(text, start, end, kind, dashed=True)

    def _message(self, text: str, start: float, end: float, kind: str, *, dashed: bool) -> None:
        bottom = self.canvas.text(TEXT, self.y, WIDTH - TEXT - 10, text, covers=True) + 9
        self.canvas.arrow((start, bottom), (end, bottom), kind=kind, dashed=dashed)
        self.y = bottom + 12


def flow(canvas: Canvas, say: Say) -> float:
    """Draw the flow; return where it ends."""
    canvas.box("app", 8, 8, 128, say("App", "企业应用"), say("your back end", "你的后台"))
    canvas.box("wecom", 158, 8, 128, say("WeCom", "企业微信"), say("zone channel", "专区通道"))
    top = canvas.box("program", 308, 8, 124, say("Program", "专区程序"), say("in the zone", "在专区内"))
    it = _Flow(canvas, top + 14)
    it.step(
        "1.1",
        "wecom",
        say(
            "Event `conversation_new_message`: it carries a token, and no message",
            "事件 `conversation_new_message`：只带 token，不含消息",
        ),
        WECOM,
        PROGRAM,
    )
    text = say("Store the event under a fresh `notify_id`", "用新的 `notify_id` 存储事件")
    it.y = canvas.box("store", 232, it.y, 200, text=text) + 12
    it.step(
        "1.2",
        "program",
        say("SDK API `spec_notify_app` with the `notify_id`", "SDK 接口 `spec_notify_app`，带上 `notify_id`"),
        PROGRAM,
        WECOM,
    )
    it.answer(
        say("The event is answered: stored, and the app is notified", "应答事件：已存储，已通知应用"),
        PROGRAM,
        WECOM,
        "program",
    )
    it.step(
        "2",
        "wecom",
        say(
            "Callback `program_notify`: the `NotifyId`, and no data", "回调 `program_notify`：只有 `NotifyId`，不含数据"
        ),
        WECOM,
        APP,
    )
    it.step(
        "3",
        "app",
        say(
            "`sync_call_program`: ability `get_callback_data`, with the `notify_id`",
            "`sync_call_program`：能力 `get_callback_data`，带上 `notify_id`",
        ),
        APP,
        PROGRAM,
    )
    it.answer(say("The stored event, with its token", "存储的事件，含 token"), PROGRAM, APP, "program")
    it.step(
        "4",
        "app",
        say(
            "`sync_call_program`: ability `invoke_sync_msg`, with the token",
            "`sync_call_program`：能力 `invoke_sync_msg`，带上 token",
        ),
        APP,
        PROGRAM,
    )
    it.answer(say("SDK API `sync_msg`, and its answer", "SDK 接口 `sync_msg` 及其返回"), PROGRAM, WECOM, "program")
    it.answer(
        say(
            "A page of messages, with encrypted keys. While `has_more` is 1, step 4 again with `next_cursor`",
            "一页消息（密钥已加密）。`has_more` 为 1 时，用 `next_cursor` 重复第 4 步",
        ),
        PROGRAM,
        APP,
        "program",
    )
    for x, kind in ((APP, "app"), (WECOM, "wecom"), (PROGRAM, "program")):
        canvas.line(x, top, it.y, kind)
    return it.y


PICTURES = {
    "flow": (
        flow,
        "How an app gets new messages, in steps 1.1 to 4: event, notification, callback, fetch, pages of messages",
        "应用获取新消息的流程，步骤 1.1 到 4：事件、通知、回调、取回事件、分页拉取消息",
    ),
}
