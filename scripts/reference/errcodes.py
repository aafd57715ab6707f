"""Cause and fix of every errcode: codes of the program, the emulator and the SDK, and the advice of errcodes.toml."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from scripts.reference.text import Say, table
from wwspec_router.emulator.answers import ERRMSGS
from wwspec_router.errcodes import CONTRACT_CODES, HINTS, TOKEN_CODES, WAITING
from wwspec_router.errors import DEFAULT_ERRCODE, ONCE_ERRCODE
from wwspec_router.sdk.vendor import RETURN_CODES

__all__ = ["PAGE", "Advice", "advice", "codes", "page"]

PAGE = "reference/errcodes.md"

_OWN = {
    DEFAULT_ERRCODE: "the program failed, or refuses without an errcode of its own",
    ONCE_ERRCODE: "a repeat of a call that runs once, while the call still runs",
}


class Advice(NamedTuple):
    """What is written of one errcode by hand."""

    chinese: str
    """The cause."""
    fix: str
    chinese_fix: str
    english: str = ""
    """The cause, for one that neither the emulator nor the SDK gives."""


def page(say: Say) -> str:
    """Return the page."""
    own = {code: text for code, text in codes().items() if code in _OWN}
    sdk = {code: text for code, text in codes().items() if code in RETURN_CODES}
    platform = {code: text for code, text in codes().items() if code not in own and code not in sdk}
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
            _rows(own, say),
            f"## {say('Of WeCom', '企业微信 {#of-wecom}')}\n",
            _rows(platform, say),
            f"## {say('Return codes of the SDK', 'SDK 返回码 {#return-codes-of-the-sdk}')}\n",
            say(
                "The SDK could not make a call. The app reads the errcode of the program, the log has the return "
                "code [100052].",
                "SDK 没能完成调用时的返回码。应用收到的是程序的错误码，返回码只写入日志 [100052]。",
            )
            + "\n",
            _rows(sdk, say),
        ]
    )


def codes() -> dict[int, str]:
    """Return every errcode with its cause in English."""
    known: dict[int, str] = {**_OWN, **ERRMSGS, **RETURN_CODES}
    for code in (*HINTS, *CONTRACT_CODES, *TOKEN_CODES, WAITING):
        known.setdefault(code, "")
    written = {code: each.english for code, each in advice().items() if each.english}
    return dict(sorted((known | written).items()))


def advice() -> Mapping[int, Advice]:
    """Return what is written by hand, by errcode."""
    rows = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    return {int(code): Advice(*row) for code, row in rows.items()}


def _rows(causes: Mapping[int, str], say: Say) -> str:
    written = advice()
    heads = "errcode", say("cause", "原因"), say("fix", "解决办法")
    return table(
        heads,
        [
            (f"`{code}`", say(cause, written[code].chinese), say(written[code].fix, written[code].chinese_fix))
            for code, cause in causes.items()
        ],
    )
