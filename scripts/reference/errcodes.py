"""Who meets each errcode, its cause and its fix: `wwspec_router/errcodes.json`."""

from collections.abc import Iterable

from scripts.reference.text import Say, table
from wwspec_router.errcodes import ERRCODES
from wwspec_router.errors import DEFAULT_ERRCODE, ONCE_ERRCODE
from wwspec_router.sdk.vendor import RETURN_CODES

__all__ = ["PAGE", "page"]

PAGE = "reference/errcodes.md"

_OWN = (DEFAULT_ERRCODE, ONCE_ERRCODE)
_MET_BY = {"app": ("app", "应用"), "program": ("program", "程序"), "both": ("app, program", "应用、程序")}


def page(say: Say) -> str:
    """Return the page."""
    platform = [code for code in ERRCODES if code not in _OWN and code not in RETURN_CODES]
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
                "Handlers and the key `errcode` of the registry file may give others.",
                "处理函数和注册文件的 `errcode` 可以使用其他错误码。",
            )
            + "\n",
            _rows(_OWN, say),
            f"## {say('Of WeCom', '企业微信 {#of-wecom}')}\n",
            _rows(platform, say),
            f"## {say('Return codes of the SDK', 'SDK 返回码 {#return-codes-of-the-sdk}')}\n",
            say(
                "The SDK could not make a call. The app reads the errcode of the program, the log has the return "
                "code [100052].",
                "SDK 没能完成调用时的返回码。应用收到的是程序的错误码，返回码只写入日志 [100052]。",
            )
            + "\n",
            _rows(RETURN_CODES, say),
        ]
    )


def _rows(codes: Iterable[int], say: Say) -> str:
    heads = "errcode", say("met by", "出现在"), say("cause", "原因"), say("fix", "解决办法")
    rows = ((code, ERRCODES[code]) for code in codes)
    return table(
        heads,
        [
            (f"`{code}`", say(*_MET_BY[row.met_by]), say(row.cause, row.chinese_cause), say(row.fix, row.chinese_fix))
            for code, row in rows
        ],
    )
