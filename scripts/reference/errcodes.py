"""Who meets each errcode, its cause and its fix: `errcodes.json`, `program_errcodes.json`.

The page of the repository leaves out those of WeCom that belong to a single API; that of the built site has all.
"""

from collections.abc import Mapping

from scripts.reference.text import Say, table
from wwspec_contracts.errcodes import ERRCODES, PROGRAM_ERRCODES, Errcode
from wwspec_contracts.errors import DEFAULT_ERRCODE, ONCE_ERRCODE
from wwspec_router.sdk.vendor import RETURN_CODES

__all__ = ["PAGE", "page"]

PAGE = "reference/errcodes.md"

_OWN = (DEFAULT_ERRCODE, ONCE_ERRCODE)
_OF_CALLS = (41001, 60021, 60031, 710640, 710647, 710674, 710675, 710676, 710677, 790012, 790015, 790016)
"""Errcodes that an app alone meets, but on the way to any program."""
_MET_BY = {"app": ("app", "应用"), "program": ("program", "程序"), "both": ("app, program", "应用、程序")}


def page(say: Say, *, built: bool = False) -> str:
    """Return the page.

    Args:
        say: Chooses the language.
        built: It has the errcodes of single APIs, too.
    """
    platform = [code for code in ERRCODES if code not in _OWN and code not in RETURN_CODES]
    if not built:
        platform = [code for code in platform if ERRCODES[code].met_by == "both" or code in _OF_CALLS]
    return "\n".join(
        [
            say.head(
                say("Errcodes", "错误码"),
                say(
                    "What an `errcode` means and what to do. 0 is success. Read the number, never match on `errmsg`. "
                    "WeCom's "
                    "texts end with a request number in brackets, by which WeCom's support finds the call. The "
                    "classes of "
                    "errors in Python are [on a page of their own](errors.md).",
                    "各个 `errcode` 的原因和解决办法，0 表示成功。请按数字判断，不要匹配 `errmsg` 的文字。"
                    "企业微信返回的 `errmsg` "
                    "末尾方括号里是请求编号，联系官方客服时需要提供。对应的 Python 异常见[异常](errors.md)。",
                ),
            ),
            f"## {say('Of the program', '程序自身 {#of-the-program}')}\n",
            say(
                "These numbers are where the registry file gives no others. With them one number stands for several "
                "failures.",
                "注册文件没有另行设置时使用这些数字，此时一个数字对应多种失败。",
            )
            + "\n",
            _rows({str(code): ERRCODES[code] for code in _OWN}, say),
            say(
                "Don't match on the errmsg to tell failures apart: let [the registry file]"
                "(registry.md) give each a number, as `wwspec new` does. Handlers "
                "choose numbers of their own. The client has [a class for each]"
                "(../app/client.md).",
                "不要靠匹配 errmsg 来区分失败：请在"
                "[注册文件](registry.md)中给每种失败设置单独的数字，"
                "`wwspec new` 生成的程序已经这样做。处理函数可以使用自己的数字。客户端对每种失败都有"
                "[单独的异常类](../app/client.md)。",
            )
            + "\n",
            _rows(PROGRAM_ERRCODES, say, say("key", "键")),
            f"## {say('Of WeCom', '企业微信 {#of-wecom}')}\n",
            *([] if built else [_others(say)]),
            _rows({str(code): ERRCODES[code] for code in platform}, say),
            f"## {say('Return codes of the SDK', 'SDK 返回码 {#return-codes-of-the-sdk}')}\n",
            say(
                "The SDK could not make a call. The app reads the errcode of the program, the log has the return "
                "code [100052].",
                "SDK 没能完成调用时的返回码。应用收到的是程序的错误码，返回码只写入日志 [100052]。",
            )
            + "\n",
            _rows({str(code): ERRCODES[code] for code in RETURN_CODES}, say),
        ]
    )


def _others(say: Say) -> str:
    file = "[errcodes.json](../../../packages/contracts/wwspec_contracts/errcodes.json)"
    return say(
        f"Those of any call: tokens, limits, permissions, the way between app and program. Those of a single API, such "
        "as an "
        f"order or an analysis, are in {file}, a line each, and on this page of the site that `scripts/docs` builds. "
        "Log, "
        "client, `wwspec call` and the console show cause and fix with each of them.\n",
        f"任何调用都可能遇到的错误码：凭证、限制、权限以及应用与程序之间的链路。只属于某个接口（如订单、分析任务）的错"
        "误码见 "
        f"{file}（每行一个），`scripts/docs` 生成的网站在本页列出全部。客户端、`wwspec call` 和控制台遇到错误码时，"
        "都会给出原因和解决办法。\n",
    )


def _rows(rows: Mapping[str, Errcode], say: Say, name: str = "errcode") -> str:
    heads = name, say("met by", "出现在"), say("cause", "原因"), say("fix", "解决办法")
    return table(
        heads,
        [
            (f"`{code}`", say(*_MET_BY[row.met_by]), say(row.cause, row.chinese_cause), say(row.fix, row.chinese_fix))
            for code, row in rows.items()
        ],
    )
