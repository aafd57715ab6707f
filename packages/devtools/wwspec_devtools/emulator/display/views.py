"""How an exchange is shown: as a row without its bodies, or whole. Secrets are masked here."""

from typing import Any

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errcodes import advice, cause
from wwspec_contracts.errors import JsonError
from wwspec_devtools.emulator.display.masking import masked_headers, masked_path, masked_text, masked_value
from wwspec_devtools.emulator.display.reasons import OK, fix_of
from wwspec_devtools.emulator.display.verdicts import digest, read_body
from wwspec_devtools.emulator.standin.wwspec_standin.link import FAULT_STATUS
from wwspec_devtools.emulator.state.faults import ANSWER
from wwspec_devtools.emulator.state.traffic.entries import (
    APP,
    CALL,
    CALLBACK,
    CLOCK,
    EVENT,
    SDK,
    Body,
    Entry,
    byte_count,
)
from wwspec_devtools.emulator.state.traffic.traces import JOB, Trace

Json = dict[str, Any]

_OK = 200
_AS_THEY_ARE = (
    *("number", "kind", "name", "ability", "parent", "flow", "replay_of", "errcode"),
    *("corpid", "agentid", "pid", "machine"),
)
"""The fields of an entry that a row has unchanged."""


class _ClockRequest(msgspec.Struct):
    seconds: float = 0


def row(entry: Entry) -> Json:
    """Return an entry without its bodies."""
    said, runs = digest(entry), sum(trace.kind == JOB for trace in entry.traces)
    return {
        **{name: getattr(entry, name) for name in _AS_THEY_ARE},
        "time": int(entry.time),
        "time_ms": int(entry.time * 1000),
        "offset_ms": round(entry.offset * 1000, 3),
        "duration_ms": None if entry.duration is None else round(entry.duration * 1000, 3),
        "outcome": entry.result,
        "program_errcode": said.program_errcode,
        "verdict": said.verdict,
        "reason": said.reason,
        "faults": list(entry.faults),
        "contract": said.contract,
        "request_bytes": byte_count(entry.request),
        "reply_bytes": byte_count(entry.reply),
        "replayable": entry.call is not None,
        "attempts": runs if entry.notification is None else entry.notification.attempts,
        "advanced_ms": _advanced(entry),
    }


def row_with_bodies(entry: Entry) -> Json:
    """Return a row, with request and reply decoded and masked, and the last attempt to bring a callback."""
    attempt = None if entry.notification is None else msgspec.to_builtins(entry.notification.attempt)
    return {**row(entry), "request": _decoded(entry.request), "reply": _decoded(entry.reply), "attempt": attempt}


def whole(entry: Entry) -> Json:
    """Return everything about one entry; of an app's call also what the program tells of the call that it led to."""
    traced = entry.about if entry.kind == APP and entry.about is not None else entry
    trace = next((each for each in reversed(traced.traces) if each.outcome != OK), None)
    return {
        **row_with_bodies(entry),
        "http": _http(entry),
        "raw": {
            "request": _as_sent(entry.sealed) if entry.sealed else _shown_text(entry.request),
            "reply": _raw_reply(entry),
        },
        "text": {"request": _shown_text(entry.request), "reply": _shown_text(entry.reply)},
        "sealed": entry.kind in (CALL, EVENT, CALLBACK) and entry.sealed != "",
        "call": _call(entry),
        "hits": [_hit(fault, entry) for fault in entry.hits],
        "causes": _causes(entry),
        "advice": _advice(entry),
        **_misfit(entry, trace),
        "fix": fix_of(digest(entry).reason) or (_advice(entry) if trace is None else None),
        "traces": [_trace(trace) for trace in traced.traces],
    }


def _misfit(entry: Entry, trace: Trace | None) -> Json:
    """Return the value that does not fit a contract, and where the row or mark is of what returned it."""
    said = digest(entry)
    value = trace.failure.value if trace is not None and trace.failure is not None else ""
    declared = trace.declared if trace is not None and said.reason[0].startswith("output ") else ""
    return {"value": value or said.value, "declared": declared}


def _hit(fault: Any, entry: Entry) -> Json:
    """Return a fault; an answer by hand with what it replied here."""
    shown = {name: getattr(fault, name) for name in ("id", "on", "effect", "api", "value")}
    return {**shown, "reply": _decoded(entry.reply)} if fault.effect == ANSWER else shown


def _trace(trace: Trace) -> Json:
    """Return what a program tells of an attempt, without the reference: a job_info is a secret."""
    shown: Json = msgspec.to_builtins(trace)
    del shown["reference"]
    return shown


def _causes(entry: Entry) -> dict[int, tuple[str, str]]:
    """Return what its errcodes mean, in English and Chinese."""
    errcodes = filter(None, (entry.errcode, digest(entry).program_errcode))
    found = {errcode: cause(errcode, _key(entry, errcode)) for errcode in errcodes}
    return {errcode: texts for errcode, texts in found.items() if texts is not None}


def _advice(entry: Entry) -> tuple[str, str] | None:
    """Return what to do about its end, in English and Chinese; None when a fault of a test caused it."""
    if entry.notification is not None and entry.notification.attempt is not None:
        return entry.notification.attempt.advice
    errcode = entry.errcode or digest(entry).program_errcode or 0
    return None if entry.hits else advice(errcode, _key(entry, errcode))


def _key(entry: Entry, errcode: int) -> str:
    """Return which of the program's own errcodes a number is, as the program says; empty when it is none."""
    return next((trace.meaning for trace in entry.traces if trace.errcode == errcode), "")


def _advanced(entry: Entry) -> int | None:
    """Return by how many milliseconds the clock was put forward; None for any other entry."""
    move = read_body(entry.request, _ClockRequest) if entry.kind == CLOCK else None
    return None if move is None else round(move.seconds * 1000)


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


def _raw_reply(entry: Entry) -> str:
    """Return the reply as it was sent. A program's reply without a seal is shown masked, when it is JSON."""
    came_back = entry.came_back
    if came_back is None:
        return _shown_text(entry.reply)
    if any(name.lower() == "ww-signature" for name, _ in masked_headers(came_back.headers)):
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
