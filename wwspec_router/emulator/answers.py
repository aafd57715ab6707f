"""How the platform refuses: errcodes, their texts, and the error that carries them to the caller.

The codes are WeCom's; the words are our own, since WeCom asks not to match on errmsg. Knows nothing of the
APIs.
"""

from typing import Any, TypeVar

import msgspec

from wwspec_router.contracts.decoding import decode_json
from wwspec_router.errors import JsonError, WWSpecError

Answer = dict[str, Any]
"""A reply of the platform, before it becomes JSON."""

T = TypeVar("T")

ERRMSGS = {
    -1: "system busy",
    40001: "invalid credential",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40058: "invalid parameter",
    40063: "parameter is empty or missing",
    40080: "invalid suite_secret",
    40082: "invalid suite_token",
    40083: "invalid suite_id",
    40084: "invalid permanent_code",
    40085: "invalid suite_ticket",
    40088: "jobid does not exist",
    40145: "media_id is unknown or expired",
    40206: "request body too large",
    40211: "invalid rsa public key",
    40212: "public key version is lower than the old key's",
    42001: "access_token expired",
    42003: "code expired",
    42009: "suite_access_token expired",
    42022: "code already used",
    45009: "api freq out of limit",
    45029: "reply size out of limit",
    45033: "too many concurrent calls",
    48001: "api not authorised",
    48002: "app has no right to call the api",
    50100: "invalid paging cursor",
    60111: "userid does not exist",
    301052: "chat archive has expired",
    710600: "msgid or key incorrect",
    710601: "msgid incorrect",
    710602: "msgtype can't be analysed",
    710603: "secret_key incorrect",
    710606: "group not in scope",
    710607: "department not in scope",
    710608: "user not in scope",
    710610: "neither keywords nor key behaviours",
    710611: "invalid cursor",
    710612: "rule does not exist",
    710613: "msgid repeated",
    710615: "session_type incorrect",
    710616: "jobid belongs to another kind of task",
    710619: "too many keyword rules",
    710620: "rule_id incorrect",
    710621: "bad phone number",
    710622: "bad bank card number",
    710623: "too many messages in one task",
    710624: "invalid chatid",
    710629: "too many messages to export",
    710636: "ability_id does not exist",
    710637: "every message failed to be analysed",
    710638: "calling the program failed",
    710641: "app has no zone permission",
    710642: "still waiting for the result",
    710643: "app has no right to the knowledge base",
    710645: "program missing or in an abnormal state",
    710646: "invalid notify_id",
    710648: "key behaviour does not exist",
    710649: "too many group ids",
    710650: "keyword list missing",
    710671: "debug credential expired",
    710673: "program not in debug mode",
    710674: "connecting to the zone failed",
    710675: "zone call timed out on read or write",
    710676: "zone program answered with an http status other than 200",
    710677: "zone decryption or signature check failed",
    710722: "operator userid missing",
    710723: "keywords empty",
    710724: "userid not in the app's range",
    710725: "creation times incorrect",
    710728: "no document licence, or not in the archive trial",
    710729: "document missing or not recognised",
    710731: "creation time does not match",
    710732: "document type does not match",
    710737: "keywords too long",
    710738: "creator does not match",
    710803: "invalid user_doc_ticket",
    790010: "task is not in progress",
    790013: "json result is invalid",
    790014: "json result does not match the output contract",
    790015: "json request is invalid",
    790016: "json request does not match the input contract",
    790017: "invalid job_info",
    790020: "program not linked with the app",
    790024: "knowledge base belongs to another app",
    790025: "invalid web_url",
    790026: "too many contents in the knowledge base",
    790027: "too many knowledge bases",
    790028: "not all contents may be removed",
    790029: "web_url twice in the knowledge base",
    790032: "invalid content name",
    790033: "invisible characters in a name",
    790034: "knowledge base was deleted",
    790040: "input too long once filled in",
    790041: "no message content to work on",
    800000: "invalid knowledge base id",
    800001: "invalid model_id",
    800003: "ability_id does not exist",
}
ERRCODES = tuple(ERRMSGS)
"""Every errcode that the emulated platform gives."""


OR_EARLIER_LIFE = "or from before the emulator's last start or reset"
"""Ends the hint of a refused cursor, token or id: the emulator knows only what it has handed out since."""

_MISSING = "Object missing required field"
"""How msgspec begins to say so."""


class RefusedError(WWSpecError):
    """The platform refuses a call.

    Args:
        errcode: WeCom's code.
        hint: What in the request caused it; never a token, a key or a body.
    """

    def __init__(self, errcode: int, hint: str = "") -> None:
        self.errcode = errcode
        self.hint = hint
        super().__init__(f"{errcode} {errmsg(errcode)}: {hint}")

    def answer(self, reference: str) -> Answer:
        """Return the reply in WeCom's style.

        Args:
            reference: Time and number of the call, for the hint.
        """
        hint = f" {self.hint}" if self.hint else ""
        return {"errcode": self.errcode, "errmsg": f"{errmsg(self.errcode)}, hint: [{reference}]{hint}"}


class Asked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of every object in a request of an SDK API: a field that the API does not have is refused."""


AskedT = TypeVar("AskedT", bound=Asked)


def errmsg(errcode: int) -> str:
    """Return the words for an errcode inside an answer, such as of one message."""
    return "ok" if errcode == 0 else ERRMSGS.get(errcode, "refused")


def accepted(**fields: Any) -> Answer:
    """Return the reply to a call that is accepted."""
    return {"errcode": 0, "errmsg": "ok", **fields}


def read(kind: type[T], body: bytes) -> T:
    """Decode a request's JSON.

    Raises:
        RefusedError: 40058: not JSON, or a parameter of a wrong type or out of its range.
    """
    try:
        return decode_json(body, kind)
    except JsonError as error:
        raise RefusedError(40058, str(error)) from None


def asked(kind: type[AskedT], body: bytes) -> AskedT:
    """Decode the request of an SDK API.

    Raises:
        RefusedError: 40058, also for a parameter that the API does not have; 40063 for one that is absent though it has
            no default.
    """
    try:
        return read(kind, body)
    except RefusedError as error:
        raise RefusedError(40063, error.hint) if error.hint.startswith(_MISSING) else error from None


def require(**parameters: object) -> None:
    """Refuse a call in which one of the parameters is absent.

    Raises:
        RefusedError: 40063, naming the first one.
    """
    for name, value in parameters.items():
        if value in ("", None):
            raise RefusedError(40063, name)
