"""How an exchange ended and why: what the page, `wwspec zone` and reports of tests say of it."""

from typing import Any

import msgspec

from wwspec_contracts import errcodes
from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError
from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.emulator.display import reasons
from wwspec_devtools.emulator.display.reasons import (
    DROPPED,
    FAILED,
    NO_REASON,
    OK,
    POSTPONED,
    UNDER_WAY,
    WAITING,
    Texts,
    value_at,
)
from wwspec_devtools.emulator.matching import Misfit, request_misfit, result_misfit
from wwspec_devtools.emulator.state.tickets import PROGRAM_NOTIFY
from wwspec_devtools.emulator.state.traffic.entries import APP, CALL, CALLBACK, EVENT, SDK, Body, Entry
from wwspec_devtools.emulator.state.traffic.traces import JOB

Json = dict[str, Any]

_REPORT = "program_async_job_call_back"
_NO_RESULT = str(errcodes.WAITING)
_OF_CALLBACKS = {"": UNDER_WAY, "late": WAITING, "recorded": OK, "delivered": OK, "withheld": DROPPED}
"""Maps the state of a callback to its verdict, where they differ."""
_REASONS: dict[str, Texts] = {
    _NO_RESULT: ("no result yet", "尚无结果"),
    "cut": ("the connection was cut", "连接被断开"),
    "recorded": ("not sent: no callback URL", "未发送：没有回调 URL"),
    "withheld": ("withheld by a fault", "被故障注入拦截"),
    "dropped": ("not sent: too many wait, or the emulator ended", "未发送：等待的回调过多，或模拟器已结束"),
}
"""Maps outcomes that say it all to their reasons."""


class Digest(msgspec.Struct, frozen=True):
    """What is worked out of an entry, once for each of its changes."""

    program_errcode: int | None
    contract: Json | None
    verdict: str
    """How it ended, in one of six words. `ok` is said only of what the platform delivered, the program did not refuse,
    the contract in the admin console lets pass, and whose job, if it has one, did not fail."""
    reason: Texts
    """Why it did not end well; empty texts where there is nothing to say."""
    value: str
    """The JSON of what does not fit the contract in the admin console; empty where all fits."""


class _Program(msgspec.Struct):
    """What is read of a program's reply."""

    errcode: Any = None
    errmsg: Any = None


class _AppReply(msgspec.Struct):
    response_data: str = ""
    response_errcode: int = 0
    errmsg: str = ""


class _AppRequest(msgspec.Struct):
    request_data: str = ""


class _ReportRequest(msgspec.Struct):
    errcode: int | None = None
    result: str = ""


def digest(entry: Entry) -> Digest:
    """Return what is worked out of an entry; it is kept until the entry changes."""
    found = entry.digest or _digest(entry)
    entry.digest = found
    return found


def _digest(entry: Entry) -> Digest:
    request, reply, errcode, errmsg = _program_side(entry)
    contract: Json | None = None
    if entry.contract is not None:
        is_ack = entry.kind == SDK or (entry.call is not None and entry.call.is_async) or not reply
        contract = {
            "request": _fit(request, result_misfit if entry.kind == SDK else request_misfit, entry.contract),
            "reply": None if is_ack else _fit(reply, result_misfit, entry.contract),
        }
    unfit = next((side for side, fit in (contract or {}).items() if fit and not fit["fits"]), "")
    value = value_at(request if unfit == "request" else reply, contract[unfit]["path"]) if contract and unfit else ""
    verdict, reason = _verdict(entry, is_refused=bool(errcode or unfit)), NO_REASON
    if entry.kind == CALLBACK:
        reason = _callback_reason(entry)
    elif verdict not in (UNDER_WAY, OK):
        reason = _REASONS.get(entry.result) or _program_reason(entry) or NO_REASON
        if reason == NO_REASON and errcode:
            reason = reasons.refused(errcode, errmsg)
        elif reason == NO_REASON and contract is not None and unfit:
            side = "input" if unfit == "request" and entry.kind != SDK else "output"
            reason = reasons.misfit(side, contract[unfit]["path"], contract[unfit]["problem"][0])
        elif reason == NO_REASON:
            reason = _refusal(entry)
    return Digest(errcode, contract, verdict, reason, value)


def _verdict(entry: Entry, *, is_refused: bool) -> str:
    """Return how an exchange ended.

    Args:
        entry: The exchange.
        is_refused: Whether the program refuses it, or it does not fit the contract in the admin console.
    """
    result, runs = entry.result, [trace for trace in entry.traces if trace.kind == JOB]
    code = runs[-1].outcome if runs else ""
    if entry.kind == CALLBACK:
        return _OF_CALLBACKS.get(result, result)
    if result in ("", _NO_RESULT):
        return WAITING if result else UNDER_WAY
    if result != OK or is_refused or code == FAILED:
        return FAILED
    return POSTPONED if code == POSTPONED else OK


def _program_reason(entry: Entry) -> Texts | None:
    """Return why the program failed, as it tells of this exchange or of the call that this one is about."""
    about = entry.about
    if about is not None and (entry.kind == APP or entry.name == _REPORT) and digest(about).verdict == FAILED:
        return digest(about).reason
    return next((reasons.reason_of(trace) for trace in reversed(entry.traces) if trace.outcome != OK), None)


def _refusal(entry: Entry) -> Texts:
    """Return why the platform refused an exchange, or why it did not come about."""
    errcode = entry.errcode or 0
    if entry.kind == SDK:
        return reasons.api_refused(entry.name, errcode) if entry.reply else reasons.not_called(entry.name, errcode)
    answer = read_body(entry.reply, _AppReply) if entry.kind == APP else None
    if answer is not None:
        said = answer.errmsg.partition("]")[2].strip() or answer.errmsg  # without what the number says
        return reasons.refused(errcode, said)
    return reasons.refused(errcode, *(errcodes.cause(errcode) or ("",)))


def _callback_reason(entry: Entry) -> Texts:
    """Return why a callback did not reach the app."""
    attempt = None if entry.notification is None else entry.notification.attempt
    if entry.result != FAILED or attempt is None:
        return _REASONS.get(entry.result, NO_REASON)
    said = [each or attempt.body.partition("\n")[0] for each in attempt.error]
    if attempt.method == "GET":
        english, chinese = (each or f"{attempt.status}" for each in attempt.error)
        url, chinese_url = ("callback", "回调") if entry.name == PROGRAM_NOTIFY else ("command", "指令回调")
        return f"{url} URL not verified: {english}", f"{chinese_url} URL 未通过验证：{chinese}"
    if attempt.status is None:
        return attempt.error
    english, chinese = f"{attempt.status} by the app: {said[0]}", f"应用返回 {attempt.status}：{said[1]}"
    return english.removesuffix(": "), chinese.removesuffix("：")


def _program_side(entry: Entry) -> tuple[Body, Body, int | None, str]:
    """Return what the program gets and what it gives, and the errcode and the errmsg that it gives, if any."""
    request, reply = entry.request, entry.reply
    errcode: int | None = None
    if entry.kind == APP:
        asked, answer = read_body(request, _AppRequest), read_body(reply, _AppReply)
        request, reply = asked.request_data if asked else "", answer.response_data if answer else ""
        errcode = (answer and answer.response_errcode) or None
    elif entry.kind == SDK:
        report = read_body(request, _ReportRequest) if entry.name == _REPORT else None
        request, reply, errcode = report.result if report else "", "", report.errcode if report else None
    said = read_body(request if entry.kind == SDK else reply, _Program) or _Program()
    if errcode is None and entry.kind in (APP, CALL, EVENT) and isinstance(said.errcode, int):
        errcode = said.errcode
    return request, reply, errcode, said.errmsg if isinstance(said.errmsg, str) else ""


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
    return (
        {"fits": True}
        if misfit is None
        else {"fits": False, "path": misfit[0], "problem": reasons.problem_texts(misfit[1])}
    )


def read_body(body: Body, kind: Any) -> Any:
    """Return what a body holds, as a type; None for one that does not fit it, or is not kept."""
    if isinstance(body, int) or not body:
        return None
    try:
        return decode_json(body, kind)
    except JsonError:
        return None
