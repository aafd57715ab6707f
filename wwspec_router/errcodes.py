"""Errcodes of the platform that have a meaning for who calls a program, and what to do about them [90313, 100042].

Read by the emulator and by the app's client; neither imports the other.
"""

import re
from collections.abc import Mapping

__all__ = ["CONTRACT_CODES", "DOWN", "HINTS", "TOKEN_CODES", "WAITING", "misfit_path", "request_id"]

TOKEN_CODES = (40014, 42001)
"""The access token is invalid or has expired: a fresh one helps."""

WAITING = 710642
"""An asynchronous call has no result yet."""

DOWN = 710674
"""The platform could not connect to the program."""

CONTRACT_CODES = {790014: "reply", 790016: "request", 710647: "request"}
"""What does not fit the contract that is registered in the admin console, by errcode [100019]."""

HINTS: Mapping[int, str] = {
    710646: "a notify_id is valid for 10 minutes, and for the app that was given it",
    710675: "the program took too long, or ended meanwhile; its log says more",
    710676: "the program's log says more",
    710677: "the program's log says more",
    790013: "a reply is JSON in UTF-8",
    790014: "`wwspec contracts ABILITY` prints the output contract",
    790015: "a request is JSON in UTF-8",
    790016: "`wwspec contracts ABILITY` prints the input contract",
    800003: "`wwspec abilities` lists those of the program",
}
"""What to do about an errcode that a call of a program meets."""

_REQUEST_ID = re.compile(r"hint: \[([^\]\s]{1,128})\]")
_PATH = re.compile(r"(\$[^\s:,;]*)")


def request_id(errmsg: str) -> str:
    """Return the number under which WeCom finds a request, from the errmsg of its refusal; empty without one."""
    found = _REQUEST_ID.search(errmsg)
    return found[1] if found else ""


def misfit_path(errmsg: str) -> str:
    """Return the place that does not fit a contract, such as `$.limit`; empty when the errmsg names none."""
    found = _PATH.search(errmsg)
    return found[1] if found else ""
