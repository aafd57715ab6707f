"""Exchanges that belong together, as they are shown: secrets are masked. How one ended, and what it needs for that."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from wwspec_router.contracts.decoding import decode_json
from wwspec_router.emulator.state.faults import FaultSpec
from wwspec_router.emulator.state.traffic.entries import APP, CALL, CALLBACK, EVENT, SDK
from wwspec_router.errcodes import WAITING
from wwspec_router.errors import JsonError

__all__ = ["AbilityCall", "Exchange", "Flow", "Outcome", "ability_call_of", "json_of"]

_CALLS = ("sync_call_program", "async_program_task")
_RESULT = "async_program_result"
_REPORT = "program_async_job_call_back"
_UNREACHABLE = (710674, 710675, 710676, 710677)


class Texts(msgspec.Struct, frozen=True):
    """JSON texts of an exchange."""

    request: str = ""
    reply: str = ""


class Http(msgspec.Struct, frozen=True):
    """Where a request went."""

    method: str
    path: str


class Sent(msgspec.Struct, frozen=True):
    """What went to the program beside the request."""

    notify_id: str
    request_id: str
    is_async: bool


class Hit(FaultSpec, kw_only=True):
    """A fault that hit an exchange."""

    id: str


class Verdict(msgspec.Struct, frozen=True):
    """Whether a JSON text fits its contract."""

    fits: bool


class Verdicts(msgspec.Struct, frozen=True):
    """On both sides; None where there is none."""

    request: Verdict | None
    reply: Verdict | None


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of an entry as `views` shows it, and as a session file has it; a row lacks the last four fields."""

    number: int
    kind: str
    name: str
    ability: str
    parent: int | None
    time_ms: float
    errcode: int | None
    program_errcode: int | None
    faults: list[str]
    contract: Verdicts | None
    text: Texts = Texts()
    http: Http | None = None
    call: Sent | None = None
    hits: list[Hit] = []


class AbilityCall(msgspec.Struct, frozen=True):
    """What an app asks of an ability."""

    ability: str
    data: str
    """JSON text."""
    notify_id: str
    is_async: bool


class Outcome(msgspec.Struct, frozen=True):
    """How an exchange ended."""

    errcode: int
    """The platform's."""
    program_errcode: int
    reply: str
    """JSON text of the program's reply; empty when there was none."""


class Flow:
    """The exchanges that belong to one.

    Args:
        exchange: Which one: an app's call, a call of the program, or an event.
        rows: All of its flow.
        whole: Returns all of an exchange of which the row is known.
    """

    def __init__(self, exchange: Exchange, rows: Iterable[Exchange], whole: Callable[[Exchange], Exchange]) -> None:
        self.exchange = whole(exchange)
        self.asked = ability_call_of(self.exchange)
        """The ability's call that it is; None for others."""
        self._rows = {row.number: row for row in sorted(rows, key=lambda each: each.number)}
        self._whole = whole
        self._caused = self._descendants()

    def _descendants(self) -> list[Exchange]:
        numbers, found = {self.exchange.number}, list[Exchange]()
        for row in self._rows.values():
            if row.parent in numbers:
                numbers.add(row.number)
                found.append(row)
        return found

    def _causes(self, row: Exchange) -> Iterable[Exchange]:
        """Yield what led to an exchange, the nearest first, as far as it is kept."""
        while (cause := self._rows.get(row.parent or 0)) is not None and cause.number < row.number:
            yield cause
            row = cause

    def outcome(self) -> Outcome:
        """Return how it ended."""
        own, text = self.exchange, self.exchange.text.reply
        errcode, program_errcode = own.errcode or 0, own.program_errcode or 0
        if self.asked is not None and self.asked.is_async and errcode == 0:
            return self._result() or Outcome(0, program_errcode, "")
        if own.kind != APP:
            return Outcome(_refusal(own) or errcode, program_errcode, text)
        return Outcome(errcode, program_errcode, _text_at(text, "response_data") if self.asked else text)

    def _result(self) -> Outcome | None:
        """Return what came of an asynchronous call: the result that the app fetched, else the one that was reported."""
        fetched = [row for row in self._caused if row.name == _RESULT and row.errcode not in (None, WAITING)]
        reported = [row for row in self._caused if row.name == _REPORT and row.errcode == 0]
        if not (fetched or reported):
            return None
        found = self._whole((fetched or reported)[-1])
        reply = _text_at(found.text.reply, "response_data") if fetched else _text_at(found.text.request, "result")
        return Outcome(found.errcode or 0, found.program_errcode or 0, reply)

    def faults(self) -> list[FaultSpec]:
        """Return the faults that hit it and what it caused, each with how often.

        A program that could not be called counts as one, so that the exchange ends in the same way.
        """
        met = [self.exchange, *(self._whole(row) for row in self._caused if row.faults)]
        hits = {hit.id: hit for each in met for hit in each.hits}
        counts = Counter(hit.id for each in met for hit in each.hits)
        errcode = self.outcome().errcode
        if not hits and errcode in _UNREACHABLE:
            return [FaultSpec(on="program", effect="errcode", value=errcode, count=1)]
        return [msgspec.structs.replace(hit, count=counts[name]) for name, hit in hits.items()]

    def notifier(self) -> Exchange | None:
        """Return what the app had been notified of when it called with a notify_id: an event, or a call."""
        callback = next((row for row in self._causes(self.exchange) if row.kind == CALLBACK), None)
        causes = self._causes(callback) if callback else ()
        cause = next((row for row in causes if row.kind == EVENT or (row.kind == CALL and row.ability)), None)
        return cause and self._whole(cause)

    def uses_platform(self) -> bool:
        """Tell whether the program asked the platform for something: its reply is then made of the emulator's data."""
        return any(row.kind == SDK and row.name not in (_REPORT, "spec_notify_app") for row in self._caused)


def json_of(text: str) -> Any:
    """Return the value of a JSON text; None for another text."""
    try:
        return decode_json(text)
    except JsonError:
        return None


def ability_call_of(exchange: Exchange) -> AbilityCall | None:
    """Return the ability's call that an exchange is; None for others."""
    sent, text = exchange.call, exchange.text.request
    if exchange.kind == CALL and sent is not None:
        return AbilityCall(exchange.ability or exchange.name, text, sent.notify_id, sent.is_async)
    if exchange.kind != APP or exchange.name not in _CALLS or not isinstance(json_of(text), dict):
        return None
    ability, data, notify_id = (_text_at(text, name) for name in ("ability_id", "request_data", "notify_id"))
    return AbilityCall(ability, data, notify_id, exchange.name == _CALLS[1])


def _refusal(exchange: Exchange) -> int:
    """Return the errcode with which the platform refuses what a replay has sent; 0 when it does not.

    A replay goes to the program without a look at the contract.
    """
    verdicts, text = exchange.contract, exchange.text
    if exchange.kind != CALL or verdicts is None:
        return 0
    if verdicts.request is not None and not verdicts.request.fits:
        return 790015 if _is_no_json(text.request) else 790016
    if verdicts.reply is not None and not verdicts.reply.fits:
        return 790013 if _is_no_json(text.reply) else 790014
    return 0


def _is_no_json(text: str) -> bool:
    return json_of(text) is None and text.strip() != "null"


def _text_at(text: str, name: str) -> str:
    """Return a member of a JSON text's object; empty unless it is a text."""
    value = json_of(text)
    member = value.get(name) if isinstance(value, dict) else ""
    return member if isinstance(member, str) else ""
