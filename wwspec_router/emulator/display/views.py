"""How an exchange is shown: as a row without its bodies, or whole. This module masks secrets and makes verdicts."""

from typing import Any

import msgspec

from wwspec_router.contracts.decoding import decode_json
from wwspec_router.contracts.files import ConsoleContract
from wwspec_router.emulator.display.masking import masked_headers, masked_path, masked_text, masked_value
from wwspec_router.emulator.matching import Misfit, request_misfit, result_misfit
from wwspec_router.emulator.standin.wwspec_standin.link import FAULT_STATUS
from wwspec_router.emulator.state.traffic.entries import APP, CALL, CALLBACK, CLOCK, EVENT, SDK, Body, Entry, byte_count
from wwspec_router.emulator.state.traffic.traces import JOB
from wwspec_router.errcodes import WAITING, advice
from wwspec_router.errors import JsonError

Json = dict[str, Any]

_REPORT = "program_async_job_call_back"
_OK = 200
_WAITING = str(WAITING)
_CALLBACK_FAILURES = ("failed", "dropped")


class _Digest(msgspec.Struct, frozen=True):
    """Values derived from the bodies, once for each change of the entry."""

    program_errcode: int | None
    contract: Json | None


class _Program(msgspec.Struct):
    """The part of a program's reply that is read."""

    errcode: Any = None


class _AppReply(msgspec.Struct):
    response_data: str = ""
    response_errcode: int = 0


class _AppRequest(msgspec.Struct):
    request_data: str = ""


class _ClockRequest(msgspec.Struct):
    seconds: float = 0


class _ReportRequest(msgspec.Struct):
    errcode: int | None = None
    result: str = ""


def row(entry: Entry) -> Json:
    """Return an entry without its bodies."""
    digest = entry.digest or _digest(entry)
    entry.digest = digest
    result = entry.result
    return {
        "number": entry.number,
        "kind": entry.kind,
        "name": entry.name,
        "ability": entry.ability,
        "parent": entry.parent,
        "flow": entry.flow,
        "replay_of": entry.replay_of,
        "time": int(entry.time),
        "time_ms": int(entry.time * 1000),
        "offset_ms": round(entry.offset * 1000, 3),
        "duration_ms": None if entry.duration is None else round(entry.duration * 1000, 3),
        "outcome": result,
        "errcode": entry.errcode,
        "program_errcode": digest.program_errcode,
        "failed": _failed(entry, result, digest),
        "corpid": entry.corpid,
        "agentid": entry.agentid,
        "pid": entry.pid,
        "faults": list(entry.faults),
        "contract": digest.contract,
        "request_bytes": byte_count(entry.request),
        "reply_bytes": byte_count(entry.reply),
        "replayable": entry.call is not None,
        "attempts": sum(trace.kind == JOB for trace in entry.traces),
        "advanced_ms": _advanced(entry),
    }


def row_with_bodies(entry: Entry) -> Json:
    """Return a row, with request and reply decoded and masked."""
    return {**row(entry), "request": _decoded(entry.request), "reply": _decoded(entry.reply)}


def whole(entry: Entry) -> Json:
    """Return everything about one entry."""
    return {
        **row_with_bodies(entry),
        "http": _http(entry),
        "raw": {"request": _raw_request(entry), "reply": _raw_reply(entry)},
        "text": {"request": _shown_text(entry.request), "reply": _shown_text(entry.reply)},
        "sealed": entry.kind in (CALL, EVENT, CALLBACK) and entry.sealed != "",
        "call": _call(entry),
        "hits": [
            {name: getattr(fault, name) for name in ("id", "on", "effect", "api", "value")} for fault in entry.hits
        ],
        "advice": _advice(entry),
        "traces": msgspec.to_builtins(entry.traces),
    }


def _advice(entry: Entry) -> tuple[str, str] | None:
    """Return what to do about the errcode, in English and Chinese; None when a fault of a test caused it."""
    return None if entry.hits else advice(entry.errcode or _digest(entry).program_errcode or 0)


def _advanced(entry: Entry) -> int | None:
    """Return by how many milliseconds the clock was put forward; None for any other entry."""
    move = _read(entry.request, _ClockRequest) if entry.kind == CLOCK else None
    return None if move is None else round(move.seconds * 1000)


def _failed(entry: Entry, result: str, digest: _Digest) -> bool:
    if entry.kind == CALLBACK:
        return result in _CALLBACK_FAILURES
    misfit = digest.contract is not None and any(
        side is not None and not side["fits"] for side in digest.contract.values()
    )
    return bool(digest.program_errcode) or misfit or result not in ("", "ok", _WAITING)


def _digest(entry: Entry) -> _Digest:
    request, reply = _program_side(entry)
    errcode = _errcode(entry, reply)
    if entry.contract is None:
        return _Digest(errcode, None)
    is_ack = entry.kind == SDK or (entry.call is not None and entry.call.is_async) or not reply
    verdict = {
        "request": _verdict(request, result_misfit if entry.kind == SDK else request_misfit, entry.contract),
        "reply": None if is_ack else _verdict(reply, result_misfit, entry.contract),
    }
    return _Digest(errcode, verdict)


def _program_side(entry: Entry) -> tuple[Body, Body]:
    """Return the program's request and its reply."""
    if entry.kind == APP:
        request = _read(entry.request, _AppRequest)
        reply = _read(entry.reply, _AppReply)
        return request.request_data if request else "", reply.response_data if reply else ""
    if entry.kind == SDK:
        report = _read(entry.request, _ReportRequest) if entry.name == _REPORT else None
        return report.result if report else "", ""
    return entry.request, entry.reply


def _errcode(entry: Entry, reply: Body) -> int | None:
    """Return the program's errcode; None without one."""
    if entry.kind == SDK and entry.name == _REPORT:
        report = _read(entry.request, _ReportRequest)
        return report.errcode if isinstance(report, _ReportRequest) else None
    if entry.kind not in (APP, CALL, EVENT):
        return None
    answer = _read(entry.reply, _AppReply) if entry.kind == APP else None
    if isinstance(answer, _AppReply) and answer.response_errcode:
        return answer.response_errcode
    found = _read(reply, _Program)
    return found.errcode if isinstance(found, _Program) and isinstance(found.errcode, int) else None


def request_verdict(contract: ConsoleContract, text: str) -> Json | None:
    """Return whether a request's JSON text fits a contract; None for an empty text."""
    return _verdict(text, request_misfit, contract)


def _verdict(body: Body, judge: Any, contract: ConsoleContract) -> Json | None:
    if isinstance(body, int) or not body:
        return None
    try:
        misfit: Misfit | None = judge(contract, decode_json(body))
    except JsonError as error:
        misfit = "$", str(error)
    return {"fits": True} if misfit is None else {"fits": False, "path": misfit[0], "problem": misfit[1]}


def _read(body: Body, kind: Any) -> Any:
    if isinstance(body, int) or not body:
        return None
    try:
        return decode_json(body, kind)
    except JsonError:
        return None


def _decoded(body: Body) -> Any:
    """Return a body as a masked JSON value, or its length when it is not JSON."""
    if isinstance(body, int):
        return {"not kept, bytes": body}
    try:
        return masked_value(decode_json(body))
    except JsonError:
        return f"not JSON, {len(_text(body))} characters" if body else ""


def _http(entry: Entry) -> Json | None:
    head, reply = entry.head, entry.came_back
    if head is None:
        return None
    return {
        "method": head.method,
        "path": masked_path(head.path),
        "status": _own_status(entry) if reply is None else reply.status,
        "request_headers": masked_headers(head.headers),
        "reply_headers": [] if reply is None else masked_headers(reply.headers),
    }


def _own_status(entry: Entry) -> int | None:
    """Return the HTTP status of the emulator's own response; None when it sent none, or is the client."""
    if entry.kind not in (APP, SDK) or entry.outcome in ("", "cut"):
        return None
    return _OK if entry.reply else FAULT_STATUS  # an SDK call that fails with a return code has no reply


def _raw_request(entry: Entry) -> str:
    return _shown_text(entry.request) if entry.sealed == "" else _as_sent(entry.sealed)


def _raw_reply(entry: Entry) -> str:
    """Return the reply as it was sent. A program's reply without a seal is shown masked, when it is JSON."""
    came_back = entry.came_back
    if came_back is None:
        return _shown_text(entry.reply)
    if any(_lower(name) == "ww-signature" for name, _ in came_back.headers):
        return _as_sent(came_back.body)
    return _shown_text(came_back.body)


def _as_sent(body: Body) -> str:
    return f"not kept, {body} bytes" if isinstance(body, int) else _text(body)


def _shown_text(body: Body) -> str:
    """Return a text without a seal, masked."""
    if isinstance(body, int):
        return f"not kept, {body} bytes"
    text = _text(body)
    try:
        decode_json(text)
    except JsonError:
        return f"not JSON, {len(text)} characters" if text else ""
    return masked_text(text)


def _call(entry: Entry) -> Json | None:
    if entry.kind not in (CALL, EVENT) or entry.call is None:
        return None
    names = ("call_type", "notify_id", "request_id", "is_async", "timestamp")
    return {name: getattr(entry.call, name) for name in names}


def _text(body: str | bytes) -> str:
    return body if isinstance(body, str) else body.decode(errors="replace")


def _lower(name: str | bytes) -> str:
    return (name if isinstance(name, str) else name.decode("latin-1")).lower()
