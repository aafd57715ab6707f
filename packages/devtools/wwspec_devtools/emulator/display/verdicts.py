"""How an exchange ended: what the page, `wwspec zone` and reports of tests say of it."""

from typing import Any

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errcodes import WAITING
from wwspec_contracts.errors import JsonError
from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.emulator.matching import Misfit, request_misfit, result_misfit
from wwspec_devtools.emulator.state.traffic.entries import APP, CALL, CALLBACK, EVENT, SDK, Body, Entry
from wwspec_devtools.emulator.state.traffic.traces import FAILED, code_outcome

Json = dict[str, Any]

_REPORT = "program_async_job_call_back"
_OK = "ok"
_CODE_FAILED = "code failed"
_WAITING = str(WAITING)
_CALLBACK_FAILURES = ("failed", "dropped")


class Digest(msgspec.Struct, frozen=True):
    """What is worked out of the bodies, once for each change of the entry."""

    program_errcode: int | None
    contract: Json | None


class _Program(msgspec.Struct):
    """What is read of a program's reply."""

    errcode: Any = None


class _AppReply(msgspec.Struct):
    response_data: str = ""
    response_errcode: int = 0


class _AppRequest(msgspec.Struct):
    request_data: str = ""


class _ReportRequest(msgspec.Struct):
    errcode: int | None = None
    result: str = ""


def digest(entry: Entry) -> Digest:
    """Return what the bodies say of an entry; it is kept until the entry changes."""
    found = entry.digest or _digest(entry)
    entry.digest = found
    return found


def verdict(entry: Entry) -> tuple[str, bool]:
    """Return how an exchange ended, in a word or two, and whether it failed.

    The word is empty while the exchange is under way. `ok` is said only of what the platform delivered, the program
    did not refuse, the contract in the admin console lets pass, and whose job, if it has one, did not fail for good.
    """
    result, said = entry.result, digest(entry)
    if entry.kind == CALLBACK:
        return result, result in _CALLBACK_FAILURES
    misfits = said.contract is not None and any(side and not side["fits"] for side in said.contract.values())
    failed = bool(said.program_errcode) or misfits or result not in ("", _OK, _WAITING)
    if result in ("", _OK) and said.program_errcode:
        return f"program {said.program_errcode}", failed
    if result == _OK and code_outcome(entry.traces) == FAILED:
        return _CODE_FAILED, True
    return "misfit" if result == _OK and misfits else result, failed


def _digest(entry: Entry) -> Digest:
    request, reply = _program_side(entry)
    errcode = _errcode(entry, reply)
    if entry.contract is None:
        return Digest(errcode, None)
    is_ack = entry.kind == SDK or (entry.call is not None and entry.call.is_async) or not reply
    contract = {
        "request": _fit(request, result_misfit if entry.kind == SDK else request_misfit, entry.contract),
        "reply": None if is_ack else _fit(reply, result_misfit, entry.contract),
    }
    return Digest(errcode, contract)


def _program_side(entry: Entry) -> tuple[Body, Body]:
    """Return what the program gets and what it gives."""
    if entry.kind == APP:
        request = read_body(entry.request, _AppRequest)
        reply = read_body(entry.reply, _AppReply)
        return request.request_data if request else "", reply.response_data if reply else ""
    if entry.kind == SDK:
        report = read_body(entry.request, _ReportRequest) if entry.name == _REPORT else None
        return report.result if report else "", ""
    return entry.request, entry.reply


def _errcode(entry: Entry, reply: Body) -> int | None:
    """Return the errcode that the program gives, None when it gives none."""
    if entry.kind == SDK and entry.name == _REPORT:
        report = read_body(entry.request, _ReportRequest)
        return report.errcode if isinstance(report, _ReportRequest) else None
    if entry.kind not in (APP, CALL, EVENT):
        return None
    answer = read_body(entry.reply, _AppReply) if entry.kind == APP else None
    if isinstance(answer, _AppReply) and answer.response_errcode:
        return answer.response_errcode
    found = read_body(reply, _Program)
    return found.errcode if isinstance(found, _Program) and isinstance(found.errcode, int) else None


def request_fit(contract: ConsoleContract, text: str) -> Json | None:
    """Return whether a request's JSON text fits a contract; None for an empty text."""
    return _fit(text, request_misfit, contract)


def _fit(body: Body, judge: Any, contract: ConsoleContract) -> Json | None:
    if isinstance(body, int) or not body:
        return None
    try:
        misfit: Misfit | None = judge(contract, decode_json(body))
    except JsonError as error:
        misfit = "$", str(error)
    return {"fits": True} if misfit is None else {"fits": False, "path": misfit[0], "problem": misfit[1]}


def read_body(body: Body, kind: Any) -> Any:
    """Return what a body holds, as a type; None for one that does not fit it, or is not kept."""
    if isinstance(body, int) or not body:
        return None
    try:
        return decode_json(body, kind)
    except JsonError:
        return None
