"""Which faults the emulator can be given, from its tables."""

from scripts.reference.text import Say, table
from wwspec_devtools.emulator.state.faults import EFFECTS, MAX_SECONDS, PROGRAM_ERRCODES, RETURN_CODES

__all__ = ["PAGE", "page"]

PAGE = "reference/emulator-apis.md"

_SIDES = {
    "app": ("calls of the enterprise app, by API", "企业应用的调用，按接口"),
    "sdk": ("SDK calls of the program, by API", "程序的 SDK 调用，按接口"),
    "program": (
        "calls of the program, by ability ID, and events, by type",
        "企业微信对程序的调用，按能力 ID；事件，按类型",
    ),
    "callback": ("notifications for the app, all of them", "发给应用的通知，不区分类型"),
}
_ADD_FAULT = "[`zone.client.add_fault(...)`](names.md#wwspec_devtoolsemulatorhttpclient)"
_EFFECTS = {
    "latency": (f"delays by N real seconds, 0 to {MAX_SECONDS:g}", f"延迟 N 秒（真实时间），0 至 {MAX_SECONDS:g}"),
    "errcode": ("refuses with errcode N", "以错误码 N 拒绝"),
    "return_code": (
        f"lets the SDK call fail with return code N, {RETURN_CODES[-1]} to {RETURN_CODES[0]}",
        f"SDK 调用以返回码 N 失败，{RETURN_CODES[-1]} 至 {RETURN_CODES[0]}",
    ),
    "timeout": (
        f"holds for N real seconds, 0 to {MAX_SECONDS:g}, and cuts the connection",
        f"挂起 N 秒（真实时间，0 至 {MAX_SECONDS:g}）后断开连接",
    ),
    "drop": ("cuts the connection at once", "立即断开连接"),
    "answer": (
        "answers by hand, set by `wwspec zone answer` and [`zone.answer(...)`](names.md#wwspec_devtoolstestingzone)",
        "手工应答，用 `wwspec zone answer` 或 [`zone.answer(...)`](names.md#wwspec_devtoolstestingzone) 设置",
    ),
    "late": ("comes N seconds of the clock later", "按模拟器的时钟，晚 N 秒到达"),
    "twice": ("comes twice", "到达两次"),
    "never": ("does not come", "不会到达"),
}


def page(say: Say) -> str:
    """Return the page."""
    codes = ", ".join(f"`{each}`" for each in PROGRAM_ERRCODES)
    return "\n".join(
        [
            say.head(
                say("Faults of the emulator", "模拟器的故障注入"),
                say(
                    "What a test or `wwspec zone fault` can put in the way. [The emulator](emulator.md) lists the APIs "
                    "that it models.",
                    "测试或 `wwspec zone fault` 可以制造的故障。模拟的接口见[模拟器](emulator.md)。",
                ),
            ),
            f"## {say('Faults', '故障注入 {#faults}')}\n",
            say(
                f"`wwspec zone fault SIDE EFFECT [N]` and {_ADD_FAULT} set one; `--api` names one API, "
                "ability ID or "
                f"event type, and `--count` how often it works. On `program` an errcode is one of {codes}.",
                f"用 `wwspec zone fault SIDE EFFECT [N]` 或 {_ADD_FAULT} 设置；`--api` 限定某个接口、"
                "能力 ID 或事件类型，"
                f"`--count` 限定生效次数。`program` 侧的错误码只能是 {codes}。",
            )
            + "\n",
            table(
                (say("side", "位置"), say("what it meets", "作用对象"), say("effects", "可用效果")),
                [
                    (f"`{side}`", say(*_SIDES[side]), ", ".join(f"`{each}`" for each in effects))
                    for side, effects in EFFECTS.items()
                ],
            ),
            table(
                (say("effect", "效果"), say("what happens", "含义")),
                [(f"`{effect}`", say(*texts)) for effect, texts in _EFFECTS.items()],
            ),
        ]
    )
