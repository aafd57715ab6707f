"""The one table of errcodes, `errcodes.json`: who meets each, its cause and its fix, in English and Chinese.

The codes are WeCom's [90313, 100042, 100052], but for the program's own two; the words are ours. The emulator, the
program, the app's client, the console and the documentation read it. Further numbers of the program are free to choose:
`ProgramErrcodes` has them, and `program_errcodes.json` has their words, by the key of the registry file.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from wwspec_contracts.errors import DEFAULT_ERRCODE, ONCE_ERRCODE

TOKEN_CODES = (40014, 42001)
"""The access token is invalid or has expired: a fresh one helps."""

WAITING = 710642
"""An asynchronous call has no result yet."""

DOWN = 710674
"""The platform could not connect to the program."""

RETRY_AFTER = {45009: 60.0}
"""Seconds to wait, by errcode: WeCom refuses every call until the minute, the hour or the day is over [90312]."""

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

PROGRAM_ERRCODES = msgspec.json.decode(
    Path(__file__).with_name("program_errcodes.json").read_bytes(), type=dict[str, Errcode]
)
"""The rows of those numbers that each program chooses, by the key of the registry file."""

OwnErrcode = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class ProgramErrcodes(msgspec.Struct, frozen=True, kw_only=True):
    """The errcodes of a program's own failures, by the keys of the table `[program]` of its registry file.

    Examples:
        >>> from wwspec_contracts.errcodes import ProgramErrcodes
        >>> ProgramErrcodes(input_errcode=9001, timeout_errcode=9002).meaning(9002)
        'timeout_errcode'
    """

    errcode: OwnErrcode = DEFAULT_ERRCODE
    """Of failures that have no number of their own."""
    input_errcode: OwnErrcode | None = None
    """Of a request that does not fit the input contract; `errcode` when None, as for the next three."""
    timeout_errcode: OwnErrcode | None = None
    """Of an ability that took longer than its `timeout`."""
    crash_errcode: OwnErrcode | None = None
    """Of an ability whose code failed with an unexpected error, or whose reply does not fit the output contract."""
    unknown_errcode: OwnErrcode | None = None
    """Of an ability ID that no row answers, and of an unknown `input.func`."""
    overload_errcode: OwnErrcode = DEFAULT_ERRCODE
    """Of calls that are refused because the program, or the ability, is overloaded."""
    once_errcode: OwnErrcode = ONCE_ERRCODE
    """Of a repeat whose first call still runs."""

    def meaning(self, errcode: int) -> str:
        """Return the key whose number an errcode is; empty when it is none, that of several keys, or `errcode`.

        Args:
            errcode: Of a reply.
        """
        found = [name for name in ProgramErrcodes.__struct_fields__ if getattr(self, name) == errcode]
        return found[0] if len(found) == 1 and found[0] != "errcode" else ""


_LINK = r"\[([^\]]+)\]\([^)]*\)"
_REQUEST_ID = r"hint: \[([0-9]{10,40}(?:_[0-9a-f]{1,40}){0,2})\]"
"""WeCom's form: Unix time and a number, with up to two more numbers behind it. A program may write any text there."""
_PATH = r"(\$[^\s:,;]*)"


def _row(errcode: int, key: str) -> Errcode | None:
    return PROGRAM_ERRCODES.get(key) or ERRCODES.get(errcode)


def advice(errcode: int, key: str = "") -> tuple[str, str] | None:
    """Return what to do about an errcode, in English and Chinese, without links; None for one not in the table.

    Args:
        errcode: The number.
        key: The key of the registry file whose number it is, where that is known.
    """
    row = _row(errcode, key)
    return (re.sub(_LINK, r"\1", row.fix), re.sub(_LINK, r"\1", row.chinese_fix)) if row else None


def cause(errcode: int, key: str = "") -> tuple[str, str] | None:
    """Return what an errcode means, in English and Chinese; None for one not in the table. See `advice`."""
    row = _row(errcode, key)
    return (row.cause, row.chinese_cause) if row else None


def hint(errcode: int) -> str:
    """Return what to do about an errcode, as the end of a line; empty for one that is not in the table."""
    fix, _ = advice(errcode) or ("", "")
    return fix[:1].lower() + fix[1:].removesuffix(".")


def request_id(errmsg: str) -> str:
    """Return the number under which WeCom finds a request, from the errmsg of its refusal; empty without one."""
    found = re.search(_REQUEST_ID, errmsg)
    return found[1] if found else ""


def misfit_path(errmsg: str) -> str:
    """Return the place that does not fit a contract, such as `$.limit`; empty when the errmsg names none."""
    found = re.search(_PATH, errmsg)
    return found[1] if found else ""
