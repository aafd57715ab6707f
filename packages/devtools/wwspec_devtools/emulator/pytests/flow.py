"""Exchanges that belong together, with masked secrets: how one ended, and what a test needs to repeat it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errcodes import WAITING
from wwspec_contracts.errors import JsonError
from wwspec_devtools.emulator.state.faults import FaultSpec
from wwspec_devtools.emulator.state.traffic.entries import APP, CALL, CALLBACK, EVENT, SDK
from wwspec_devtools.emulator.state.traffic.traces import FAILED, JOB, Failure

_CALLS = ("sync_call_program", "async_program_task")
_RESULT = "async_program_result"
_REPORT = "program_async_job_call_back"
_UNREACHABLE = (710674, 710675, 710676, 710677)
_WRONG_REPLY = (790013, 790014)
_NO_JSON = object()


class Texts(msgspec.Struct, frozen=True):
    """The JSON texts of an exchange; a row has empty ones."""

    request: str = ""
    reply: str = ""


class Sent(msgspec.Struct, frozen=True):
    """What the program got besides the request."""

    notify_id: str
    request_id: str
    is_async: bool


class Run(msgspec.Struct, frozen=True):
    """What is read of a program's report on one attempt."""

    kind: str
    outcome: str
    failure: Failure | None = None


_NO_FAULT = Run("", "ok")


class Hit(FaultSpec, kw_only=True):
    """A fault that hit an exchange."""

    id: str


class Verdict(msgspec.Struct, frozen=True):
    """Whether a JSON text fits its contract."""

    fits: bool


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an entry, from `views`, that is read. A row lacks the last five fields."""

    number: int
    kind: str
    name: str
    ability: str
    parent: int | None
    time_ms: float
    errcode: int | None
    program_errcode: int | None
    reason: tuple[str, str]
    """In English and Chinese."""
    faults: list[str]
    contract: dict[str, Verdict | None] | None
    """By `request` and `reply`."""
    text: Texts = Texts()
    http: dict[str, Any] | None = None
    call: Sent | None = None
    hits: list[Hit] = []
    traces: list[Run] = []


class AbilityCall(NamedTuple):
    """An app's call of an ability; `data` is JSON text."""

    ability: str
    data: str
    notify_id: str
    is_async: bool


class Flow:
    """An exchange and all that belong to it.

    Args:
        number: Of the exchange: an app's call, a call of the program, or an event.
        rows: All of its flow by their numbers.
        whole: Returns the whole exchange of a row.
    """

    def __init__(self, number: int, rows: Mapping[int, Exchange], whole: Callable[[Exchange], Exchange]) -> None:
        self.exchange = whole(rows[number])
        self.asked = ability_call_of(self.exchange)
        """The call of an ability; None for another exchange."""
        self._rows = rows
        self._whole = whole
        self._caused = list[Exchange]()
        numbers = {number}
        for row in sorted(rows.values(), key=lambda each: each.number):
            if row.parent in numbers:
                numbers.add(row.number)
                self._caused.append(row)

    def _causes(self, row: Exchange) -> Iterator[Exchange]:
        """Yield the recorded causes of an exchange, the nearest first."""
        while (cause := self._rows.get(row.parent or 0)) is not None and cause.number < row.number:
            yield cause
            row = cause

    def outcome(self) -> tuple[int, int, str]:
        """Return the outcome: the errcodes of platform and program, and the program's reply as JSON text, if any."""
        own = self.exchange
        errcode, program_errcode = own.errcode or 0, own.program_errcode or 0
        if self.asked is not None and self.asked.is_async and errcode == 0:
            return self._result() or (0, program_errcode, "")
        if own.kind != APP:
            return _refusal(own) or errcode, program_errcode, own.text.reply
        reply = _text_at(own.text.reply, "response_data") if self.asked else own.text.reply
        return errcode, program_errcode, reply

    def _result(self) -> tuple[int, int, str] | None:
        """Return the result of an asynchronous call: the one that the app fetched, else the one that was reported."""
        fetched = [row for row in self._caused if row.name == _RESULT and row.errcode not in (None, WAITING)]
        reported = [row for row in self._caused if row.name == _REPORT and row.errcode == 0]
        if not (fetched or reported):
            return None
        found = self._whole((fetched or reported)[-1])
        reply = _text_at(found.text.reply, "response_data") if fetched else _text_at(found.text.request, "result")
        return found.errcode or 0, found.program_errcode or 0, reply

    def faults(self) -> list[FaultSpec]:
        """Return the faults that hit the exchange, or an exchange that it caused, each with its count.

        A program that could not be called counts as a fault, so the repeated exchange ends in the same way.
        """
        met = [self.exchange, *(self._whole(row) for row in self._caused if row.faults)]
        hits = [hit for each in met for hit in each.hits]
        errcode, counts = self.outcome()[0], Counter(hit.id for hit in hits)
        if not hits and errcode in _UNREACHABLE:
            return [FaultSpec(on="program", effect="errcode", value=errcode, count=1)]
        return [msgspec.structs.replace(hit, count=counts[hit.id]) for hit in {hit.id: hit for hit in hits}.values()]

    def failure(self) -> str:
        """Return why the program's code failed, in one line.

        Empty when it did not fail, when a fault was the cause, and when the program refused the call on purpose.
        """
        if self.faults():
            return ""
        is_event, number = self.exchange.kind == EVENT, self.exchange.number
        passed_on = [self._whole(row) for row in self._caused if row.kind == CALL and row.parent == number]
        runs = [run for each in (self.exchange, *passed_on) for run in each.traces if run.kind == JOB or not is_event]
        *_, last = runs or [_NO_FAULT]
        is_fault = last.outcome != "ok" and last.failure is not None and not last.failure.refuses
        if is_fault or (is_event and last.outcome == FAILED) or self.outcome()[0] in _WRONG_REPLY:
            return (passed_on or [self.exchange])[-1].reason[0]
        return ""

    def notifier(self) -> Exchange | None:
        """Return the event or call that sent the notify_id of the app's call."""
        callback = next((row for row in self._causes(self.exchange) if row.kind == CALLBACK), None)
        for row in self._causes(callback) if callback else ():
            if row.kind == EVENT or (row.kind == CALL and row.ability):
                return self._whole(row)
        return None

    def uses_platform(self) -> bool:
        """Return whether the program called the platform: its reply then has data of the emulator."""
        return any(row.kind == SDK and row.name not in (_REPORT, "spec_notify_app") for row in self._caused)


def json_of(text: str, default: Any = None) -> Any:
    """Return the value of a JSON text; the default for another text."""
    try:
        return decode_json(text)
    except JsonError:
        return default


def ability_call_of(exchange: Exchange) -> AbilityCall | None:
    """Return the call of an ability; None for another exchange."""
    sent, text = exchange.call, exchange.text.request
    if exchange.kind == CALL and sent is not None:
        return AbilityCall(exchange.ability, text, sent.notify_id, sent.is_async)
    if exchange.kind != APP or exchange.name not in _CALLS or not isinstance(json_of(text), dict):
        return None
    ability, data, notify_id = (_text_at(text, name) for name in ("ability_id", "request_data", "notify_id"))
    return AbilityCall(ability, data, notify_id, exchange.name == _CALLS[1])


def _refusal(exchange: Exchange) -> int:
    """Return the platform's errcode for a replay that does not fit the contract; 0 for one that fits."""
    for side, no_json in (("request", 790015), ("reply", 790013)):
        verdict = (exchange.contract or {}).get(side)
        if exchange.kind == CALL and verdict is not None and not verdict.fits:
            return no_json if json_of(getattr(exchange.text, side), _NO_JSON) is _NO_JSON else no_json + 1
    return 0


def _text_at(text: str, name: str) -> str:
    """Return a member of a JSON text's object; empty unless it is a text."""
    value = json_of(text)
    member = value.get(name) if isinstance(value, dict) else ""
    return member if isinstance(member, str) else ""
