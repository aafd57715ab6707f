"""The pytest test that repeats a recorded exchange and expects the same outcome.

Of an exchange in which the program's code failed it expects that the code runs without an error.
"""

import re
from functools import reduce
from typing import Any, Literal

import msgspec

from wwspec_contracts.source_text import Name, width
from wwspec_devtools.emulator.display.masking import MASK, masked_value
from wwspec_devtools.emulator.events.types import EVENT_TYPES
from wwspec_devtools.emulator.pytests.flow import AbilityCall, Flow, ability_call_of, json_of
from wwspec_devtools.emulator.pytests.python import STEP, assignment, call, literal, replaced
from wwspec_devtools.emulator.pytests.steps import EVENT_TOKEN, TOKEN, ability_call, function, under_faults
from wwspec_devtools.emulator.state.traffic.entries import APP, EVENT

ANY = Name("ANY")
"""Replaces a value that differs each time."""

_NEAR = 400 * 24 * 3600
"""A number within so many seconds of an exchange counts as a time."""
_ID = re.compile(r"[0-9a-f]{16}")
"""The pattern of random ids, such as those of notifications and jobs."""


def stable_values(reply: Any, seconds: float, request_id: str) -> Any:
    """Return a reply with `ANY` for masked values, and for times and ids of the exchange.

    Args:
        reply: A JSON value.
        seconds: Time of the exchange.
        request_id: Of the exchange; empty when it has none.
    """

    def stable(_: str, value: Any) -> Any:
        match value:
            case bool():
                return value
            case int() | float() if min(abs(value - seconds), abs(value / 1000 - seconds)) < _NEAR:
                return ANY
            case str() if value == MASK or _ID.search(value) or (request_id and value == request_id):
                return ANY
        return value

    return replaced(reply, stable)


def shape_of(reply: Any) -> Any:
    """Return an example of a reply: each list has one element, with the keys of all elements."""
    if isinstance(reply, dict):
        return {key: shape_of(item) for key, item in reply.items()}
    return [reduce(_together, map(shape_of, reply))] if reply and isinstance(reply, list) else reply


def _together(one: Any, other: Any) -> Any:
    """Return a shape with the keys of both."""
    match one, other:
        case [first], [second]:
            return [_together(first, second)]
        case list(), list():
            return one + other
        case dict(), dict():
            return one | {key: _together(one[key], item) if key in one else item for key, item in other.items()}
    return one


def is_mixed(reply: Any) -> bool:
    """Return whether a list of a reply has values of several types, or null and others. No example can show these."""
    members = reply.values() if isinstance(reply, dict) else reply if isinstance(reply, list) else ()
    return any(map(is_mixed, members)) or (isinstance(reply, list) and len({type(each) for each in reply}) > 1)


Asserts = Literal["values", "shape"]
"""The part of a reply that a test compares."""

_JSON, _ANY = "import json", "from unittest.mock import ANY"


class RecordedTest(msgspec.Struct, frozen=True):
    """A file with the test of an exchange."""

    source: str
    asserts: Asserts
    has_reply: bool
    """Whether a reply is compared at all."""
    is_incomplete: bool
    """Whether a person must fill in a masked value."""


def recorded_test(flow: Flow, asserts: Asserts | None = None) -> RecordedTest | None:
    """Return the test of an exchange; None when no test can do it.

    Args:
        flow: The exchange, and what belongs to it.
        asserts: By default values; the shape for a reply with data of the emulator or of an event.
    """
    exchange, asked = flow.exchange, flow.asked
    is_sent = exchange.kind == EVENT or (exchange.kind == APP and (exchange.http or {}).get("method") == "POST")
    if asked is None and not (is_sent and _holder(exchange.text.request) is not None):
        return None
    is_made = flow.uses_platform() or (asked is not None and asked.notify_id != "")
    return _Writer(flow, asserts or ("shape" if is_made else "values")).file()


class _Writer:
    def __init__(self, flow: Flow, asserts: Asserts) -> None:
        self._flow = flow
        self._exchange = flow.exchange
        self._failure = flow.failure()
        outcome = (0, 0, "") if self._failure else flow.outcome()
        self._platform_errcode, program_errcode, self._recorded_reply = outcome
        self._errcode = self._platform_errcode or program_errcode
        self._faults = flow.faults()
        self._indent = 2 * STEP if self._faults else STEP
        self._asserts: Asserts = asserts
        self._has_reply = self._is_incomplete = self._needs_token = False
        self._imports = {"from wwspec_devtools.testing.zone import Zone"}

    def file(self) -> RecordedTest:
        exchange, asked = self._exchange, self._flow.asked
        cause = self._cause() if asked is not None and asked.notify_id else []
        if exchange.kind == EVENT:
            *before, sent = self._event()
        else:
            *before, sent = self._api() if asked is None else self._ability(asked, ["zone.notified()"] if cause else [])
        token = EVENT_TOKEN if self._needs_token else ()
        lines = [*cause, *token, *before, *under_faults(self._faults, [sent]), *self._checks()]
        ends = "is_accepted" if exchange.kind == EVENT else "answers_as_recorded"
        todo = [f"Values that are {MASK} were masked: fill them in."] if self._is_incomplete else []
        if self._failure:
            ends = "runs_without_an_error"
            todo.append(f"Recorded: {self._failure}")
        what = f"is_refused_with_{self._errcode}" if self._errcode else ends
        test = function(exchange.ability or exchange.name, what, lines, todo)
        standard = [line for line in (_JSON, _ANY) if line in self._imports]
        others = sorted(self._imports.difference(standard), key=lambda line: (line.startswith("from"), line))
        head = "\n".join([*standard, *([""] if standard else []), *others])
        source = f'"""Entry {exchange.number} of the emulator\'s record."""\n\n{head}\n\n\n{test}'
        return RecordedTest(source, self._asserts, self._has_reply, self._is_incomplete)

    def _cause(self) -> list[str]:
        """Return the first lines, which notify the app."""
        cause = self._flow.notifier()
        before = cause and ability_call_of(cause)
        if before:
            request = self._request(before)
            return ability_call("zone.call", before.ability, request, name="first_request", after=".raise_for_error()")
        return [call("zone.fire", [literal(cause.name if cause else "conversation_new_message")])]

    def _ability(self, asked: AbilityCall, more: list[str]) -> list[str]:
        """Return the lines of a call of an ability, the call itself last."""
        ability, request, indent = asked.ability, self._request(asked), self._indent
        if not asked.is_async:
            return ability_call("answer = zone.call", ability, request, *more, indent=indent)
        if not self._exchange.errcode:
            return ability_call("answer = zone.submit", ability, request, *more, indent=indent, after=".result()")
        *before, sent = ability_call("zone.submit", ability, request, *more, indent=indent + STEP)
        return [*before, self._refused("wwspec_devtools.testing.answer", "CallRefusedError", sent)]

    def _api(self) -> list[str]:
        """Return the lines of another call of the app, the call itself last."""
        path = str((self._exchange.http or {}).get("path")).partition("?")[0]
        api = re.sub(r"^.*/cgi-bin/(chatdata/(?=[^/]*$))?", "", path, flags=re.DOTALL)
        request = assignment("request", self._unmasked(_holder(self._exchange.text.request)))
        return [request, call("answer = zone.client.app_call", [literal(api), "request"], self._indent)]

    def _event(self) -> list[str]:
        """Return the lines that send an event, the call itself last."""
        name, sent = self._exchange.name, _holder(self._exchange.text.request)
        method, given = "fire_as_is", list[str]()
        if name in EVENT_TYPES:
            own = next((value for key, value in sent.items() if key not in ("event_type", "timestamp")), None)
            sent = {key: value for key, value in own.items() if value != MASK} if isinstance(own, dict) else {}
            method, given = "fire", [literal(name)]
        before = [assignment("event", self._unmasked(sent))] if sent or not given else []
        given += ["event"] * len(before)
        if not self._platform_errcode:
            return [*before, call(f"fired = zone.client.{method}", given, self._indent)]
        refused = call(f"zone.client.{method}", given, self._indent + STEP)
        return [*before, self._refused("wwspec_devtools.emulator.http.client", "EmulatorError", refused)]

    def _refused(self, module: str, error: str, sent: str) -> str:
        """Return a block in which a call raises an error."""
        self._imports |= {"import pytest", f"from {module} import {error}"}
        return f'{" " * self._indent}with pytest.raises({error}, match="{self._platform_errcode}"):\n{sent}'

    def _checks(self) -> list[str]:
        errcode, asked = self._platform_errcode, self._flow.asked
        if self._failure and self._exchange.kind == EVENT:
            return ["    zone.wait_idle()", '    assert zone.client.entry(fired["number"])["verdict"] == "ok"']
        if self._exchange.kind == EVENT:
            return [] if errcode else self._reply('json.loads(fired["reply"])', _JSON)
        if asked is None:
            return [f'    assert answer["errcode"] == {errcode}'] if errcode else self._reply("answer")
        if asked.is_async and self._exchange.errcode:
            return []
        if self._errcode:
            by = literal("platform" if errcode else "program")
            return [f"    assert answer.refused_by == {by}", f"    assert answer.errcode == {self._errcode}"]
        return self._reply("answer.reply") or ["    assert answer.errcode == 0"]

    def _reply(self, source: str, *imports: str) -> list[str]:
        """Return the assertions about a reply; none without a reply.

        Args:
            source: Python of the reply.
            imports: The imports of that source.
        """
        reply = _holder(self._recorded_reply)
        if reply is None:
            return []
        self._has_reply = True
        self._imports.update(imports)
        if self._asserts == "shape" and not is_mixed(reply):
            self._imports.add("from wwspec_contracts.matching import mismatches")
            keys = [] if isinstance(reply, list) else [f"    assert {source}.keys() == shape.keys()"]
            fits = f"    assert list(mismatches(shape, {source})) == []"
            return [assignment("shape", shape_of(reply)), fits, *keys]
        self._asserts = "values"
        sent, head = self._exchange.call, f"    assert {source} == "
        values = stable_values(reply, self._exchange.time_ms / 1000, sent.request_id if sent else "")
        self._imports |= {_ANY} if values != reply else set()
        return [head + literal(values, width(head), indent=STEP)]

    def _request(self, asked: AbilityCall) -> Any:
        """Return the request of an ability: a JSON value, or its text when a test can't have the value."""
        value = _holder(asked.data)
        return asked.data if value is None else self._unmasked(value)

    def _unmasked(self, request: Any) -> Any:
        """Return a request without masked values: a token becomes that of an event, a person fills in the others."""

        def unmasked(key: str, value: Any) -> Any:
            is_token = value == MASK and key == "token"
            self._needs_token |= is_token
            self._is_incomplete |= value == MASK and not is_token
            return TOKEN if is_token else value

        return replaced(request, unmasked)


def _holder(text: str) -> Any:
    """Return the object or list of a JSON text, masked; None for another text."""
    value = masked_value(json_of(text))
    return value if isinstance(value, dict | list) else None
