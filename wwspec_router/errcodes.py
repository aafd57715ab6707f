"""The one table of errcodes, `errcodes.json`: who meets each, its cause and its fix, in English and Chinese.

The codes are WeCom's [90313, 100042, 100052], but for the program's own two; the words are ours. The emulator, the
program, the app's client, the console and the documentation read it.
"""

import re
from pathlib import Path
from typing import Literal

import msgspec

TOKEN_CODES = (40014, 42001)
"""The access token is invalid or has expired: a fresh one helps."""

WAITING = 710642
"""An asynchronous call has no result yet."""

DOWN = 710674
"""The platform could not connect to the program."""

CONTRACT_CODES = {790014: "reply", 790016: "request", 710647: "request"}
"""Which side does not fit the contract in the admin console, by errcode [100019]."""


class Errcode(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A row of the table."""

    met_by: Literal["app", "program", "both"]
    """The app, in the answer to a call; the program, in that of an SDK API, or as return code of the SDK."""
    cause: str
    chinese_cause: str
    fix: str
    """Sentences, in Markdown; links are relative to the reference."""
    chinese_fix: str


ERRCODES = msgspec.json.decode(Path(__file__).with_suffix(".json").read_bytes(), type=dict[int, Errcode])

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_REQUEST_ID = re.compile(r"hint: \[([^\]\s]{1,128})\]")
_PATH = re.compile(r"(\$[^\s:,;]*)")


def advice(errcode: int) -> tuple[str, str] | None:
    """Return what to do about an errcode, in English and Chinese, without links; None for one not in the table."""
    row = ERRCODES.get(errcode)
    return (_LINK.sub(r"\1", row.fix), _LINK.sub(r"\1", row.chinese_fix)) if row else None


def cause(errcode: int) -> tuple[str, str] | None:
    """Return what an errcode means, in English and Chinese; None for one not in the table."""
    row = ERRCODES.get(errcode)
    return (row.cause, row.chinese_cause) if row else None


def hint(errcode: int) -> str:
    """Return what to do about an errcode, as the end of a line; empty for one that is not in the table."""
    fix, _ = advice(errcode) or ("", "")
    return fix[:1].lower() + fix[1:].removesuffix(".")


def request_id(errmsg: str) -> str:
    """Return the number under which WeCom finds a request, from the errmsg of its refusal; empty without one."""
    found = _REQUEST_ID.search(errmsg)
    return found[1] if found else ""


def misfit_path(errmsg: str) -> str:
    """Return the place that does not fit a contract, such as `$.limit`; empty when the errmsg names none."""
    found = _PATH.search(errmsg)
    return found[1] if found else ""
