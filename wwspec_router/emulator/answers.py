"""How the platform says no: errcodes, their texts, and the error that carries them to the caller.

The codes are WeCom's; the words are our own, since WeCom asks not to match on errmsg. Knows nothing of the
APIs.
"""

from typing import Any, TypeVar

import msgspec

from wwspec_router.errors import WWSpecError

Answer = dict[str, Any]
"""A reply of the platform, before it becomes JSON."""

T = TypeVar("T")

_ERRMSGS = {
    -1: "system busy",
    40001: "invalid credential",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40058: "invalid parameter",
    40063: "parameter is empty or missing",
    40206: "request body too large",
    40211: "invalid rsa public key",
    40212: "public key version is lower than the old key's",
    42001: "access_token expired",
    45009: "api freq out of limit",
    48001: "api not modelled by the emulator",
    48002: "app has no right to call the api",
    710611: "invalid cursor",
    710624: "invalid chatid",
    710641: "app has no zone permission",
    710645: "program missing or in an abnormal state",
    710646: "invalid notify_id",
    710674: "connecting to the zone failed",
    710675: "zone call timed out on read or write",
    710676: "zone program answered with an http status other than 200",
    710677: "zone decryption or signature check failed",
    790013: "json result is invalid",
    790014: "json result does not match the output contract",
    790015: "json request is invalid",
    790016: "json request does not match the input contract",
    790017: "invalid job_info",
    790020: "program not linked with the app",
    800003: "ability_id does not exist",
}


class RefusedError(WWSpecError):
    """The platform refuses a call.

    Args:
        errcode: WeCom's code.
        hint: What in the request caused it; never a token, a key or a body.
    """

    def __init__(self, errcode: int, hint: str = "") -> None:
        self.errcode = errcode
        self.hint = hint
        super().__init__(f"{errcode} {_ERRMSGS[errcode]}: {hint}")

    def answer(self, reference: str) -> Answer:
        """Return the reply in WeCom's style.

        Args:
            reference: Time and number of the call, for the hint.
        """
        hint = f" {self.hint}" if self.hint else ""
        return {"errcode": self.errcode, "errmsg": f"{_ERRMSGS[self.errcode]}, hint: [{reference}]{hint}"}


def accepted(**fields: Any) -> Answer:
    """Return a reply that says yes."""
    return {"errcode": 0, "errmsg": "ok", **fields}


def read(kind: type[T], body: bytes) -> T:
    """Decode a request's JSON.

    Raises:
        RefusedError: 40058: not JSON, or a parameter of a wrong type or out of its range.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(40058, str(error)) from None


def require(**parameters: object) -> None:
    """Refuse a call in which one of the parameters is absent.

    Raises:
        RefusedError: 40063, naming the first one.
    """
    for name, value in parameters.items():
        if value in ("", None):
            raise RefusedError(40063, name)
