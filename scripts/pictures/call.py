"""The way of a call through the program."""

from scripts.pictures.canvas import GAP, WIDTH, Canvas
from scripts.reference.text import Say

__all__ = ["PICTURES"]

LEFT, RIGHT, HALF = 8.0, 226.0, 206.0


def _left_steps(canvas: Canvas, say: Say, y: float) -> tuple[float, float]:
    """Draw what comes before the thread; return the middle and the lower edge of the last step."""
    middle, last = LEFT + HALF / 2, y
    for number, title, text in (
        (
            "1",
            say("Connection", "连接"),
            say("bytes become one request at a time, within limits", "把字节拆成请求，逐个处理，受各项限制约束"),
        ),
        (
            "2",
            say("Call or not", "区分请求"),
            say("`POST /` is a call; all else is answered at once", "`POST /` 是调用；其他请求直接应答"),
        ),
        (
            "3",
            say("Pending call", "登记为待应答"),
            say("counts for limits, timeouts and the stop", "开始计入限额、超时和停止流程"),
        ),
    ):
        last = y
        y = canvas.box("plain", LEFT, y, HALF, title, text, number=number)
        if number != "3":
            canvas.arrow((middle, y), (middle, y + GAP))
            y += GAP
    return (last + y) / 2, y


def call(canvas: Canvas, say: Say) -> float:
    """Draw the way; return where it ends."""
    left, right = LEFT + HALF / 2, RIGHT + HALF / 2
    y = canvas.box(
        "wecom",
        LEFT,
        8,
        WIDTH - 2 * LEFT,
        say("WeCom's channel", "企业微信的专区通道"),
        say("encrypted POST to port 8080, root path", "加密的 POST 请求，8080 端口，根路径"),
    )
    heads = y + 8
    canvas.text(left + 14, heads, HALF - 20, say("event loop", "事件循环"), faint=True, center=True)
    y = canvas.text(right, heads, HALF, say("one worker thread", "一个工作线程"), faint=True, center=True) + 6
    canvas.arrow((LEFT + 22, heads - 8), (LEFT + 22, y))
    middle, left_end = _left_steps(canvas, say, y)
    boxes = []
    for number, title, text in (
        (
            "4",
            say("A thread takes it", "线程取走请求"),
            say("the call stays on it to the end", "此后不再换线程"),
        ),
        ("5", say("SDK opens it", "SDK 解包"), say("verifies and decrypts", "验签、解密")),
        (
            "6",
            say("Route", "路由"),
            say("one look-up by ability ID: function, timeout, limit", "按能力 ID 查一次表：函数、超时、并发上限"),
        ),
        ("7", say("Input contract", "输入协议"), say("the request is checked", "校验请求")),
        (
            "8",
            say("Function", "执行函数"),
            say("an SDK API, a stored event, or your handler", "SDK 接口、存储的事件，或你的处理函数"),
        ),
        (
            "9",
            say("Output contract", "输出协议"),
            say("the reply is checked; the SDK signs and encrypts it", "校验应答；SDK 签名、加密"),
        ),
    ):
        bottom = canvas.box("program", RIGHT, y, HALF, title, text, number=number)
        boxes.append((y, bottom))
        y = bottom + GAP
    for (_, above), (below, _) in zip(boxes, boxes[1:], strict=False):
        canvas.arrow((right, above), (right, below))
    gutter = (LEFT + HALF + RIGHT) / 2
    entry = (boxes[0][0] + boxes[0][1]) / 2
    canvas.arrow((LEFT + HALF, middle), (gutter, middle), (gutter, entry), (RIGHT, entry))
    top = max(left_end, boxes[3][0]) + GAP
    half = HALF / 2 + 46
    asked = canvas.box("wecom", LEFT, top, half, say("WeCom", "企业微信"), say("SDK APIs", "SDK 接口"))
    kept = canvas.box("store", LEFT, asked + 8, half, say("Store", "存储"), say("events, jobs", "事件、任务"))
    function = (boxes[4][0] + boxes[4][1]) / 2
    lane = LEFT + half + 24
    canvas.arrow(
        (RIGHT, function), (lane, function), (lane, (top + asked) / 2), (LEFT + half, (top + asked) / 2), both=True
    )
    canvas.arrow((lane, function), (lane, (asked + 8 + kept) / 2), (LEFT + half, (asked + 8 + kept) / 2))
    end = max(kept + GAP, boxes[5][0])
    bottom = canvas.box(
        "plain",
        LEFT,
        end,
        HALF,
        say("Answer", "应答"),
        say("counted, and sent with HTTP 200", "计数，以 HTTP 200 发出"),
        number="10",
        least=boxes[5][1] - end,
    )
    back = (max(end, boxes[5][0]) + boxes[5][1]) / 2
    canvas.arrow((RIGHT, back), (LEFT + HALF, back))
    return max(bottom, boxes[5][1])


PICTURES = {
    "call": (
        call,
        "The way of a call: three steps on the event loop, six on one worker thread, and back to the loop",
        "一次调用的经过：事件循环上三步，同一个工作线程上六步，再回到事件循环",
    ),
}
