"""The pytest test of a recorded exchange: it does the same, and expects the same."""

import re
from typing import Any, Literal

import msgspec

from wwspec_router.contracts.source_text import width
from wwspec_router.emulator.display.masking import MASK
from wwspec_router.emulator.events.types import EVENT_TYPES
from wwspec_router.emulator.pytests.expected import is_mixed, shape_of, stable_values
from wwspec_router.emulator.pytests.flow import AbilityCall, Flow, ability_call_of, json_of
from wwspec_router.emulator.pytests.python import STEP, assignment, call, literal, replaced
from wwspec_router.emulator.pytests.steps import EVENT_TOKEN, TOKEN, ability_call, function, under_faults
from wwspec_router.emulator.state.traffic.entries import APP, EVENT

__all__ = ["Asserts", "RecordedTest", "recorded_test"]

Asserts = Literal["values", "shape"]
"""What of a reply is compared."""

_DEEPEST = 100
"""Lists and objects in one another: Python's parser takes not many more."""


class RecordedTest(msgspec.Struct, frozen=True):
    """A file with the test of an exchange."""

    source: str
    asserts: Asserts
    has_reply: bool
    """Whether a reply is compared at all."""
    is_incomplete: bool
    """Whether something masked is to be filled in."""


def recorded_test(flow: Flow, asserts: Asserts | None = None) -> RecordedTest | None:
    """Return the test of an exchange; None when no test can do it.

    Args:
        flow: The exchange, and what belongs to it.
        asserts: By default values, and the shape of what is made of the emulator's data or of an event.
    """
    exchange, asked = flow.exchange, flow.asked
    posted = exchange.kind == APP and exchange.http is not None and exchange.http.method == "POST"
    if asked is None and not ((exchange.kind == EVENT or posted) and _holder(exchange.text.request) is not None):
        return None
    is_made = flow.uses_platform() or (asked is not None and asked.notify_id != "")
    return _Writer(flow, asserts or ("shape" if is_made else "values")).file()


class _Writer:
    def __init__(self, flow: Flow, asserts: Asserts) -> None:
        self._flow = flow
        self._exchange = flow.exchange
        self._outcome = flow.outcome()
        self._faults = flow.faults()
        self._asserts: Asserts = asserts
        self._has_reply = self._is_incomplete = self._needs_token = False
        self._imports: dict[str, set[str]] = {"wwspec_router.testing.zone": {"Zone"}}
        """Module -> names of it; none for the module itself."""

    def file(self) -> RecordedTest:
        exchange, outcome, asked = self._exchange, self._outcome, self._flow.asked
        cause = self._cause(asked) if asked is not None and asked.notify_id else []
        *before, statement = self._event() if exchange.kind == EVENT else self._call(asked, notified=bool(cause))
        token = EVENT_TOKEN if self._needs_token else ()
        lines = [*cause, *token, *before, *under_faults(self._faults, [statement]), *self._checks(asked)]
        errcode = outcome.errcode or outcome.program_errcode
        ends = "is_accepted" if exchange.kind == EVENT else "answers_as_recorded"
        todo = [f"Values that are {MASK} were masked: fill them in."] if self._is_incomplete else []
        what = f"is_refused_with_{errcode}" if errcode else ends
        test = function(exchange.ability or exchange.name, what, lines, todo)
        source = f'"""Entry {exchange.number} of the emulator\'s record."""\n\n{self._head()}\n\n\n{test}'
        return RecordedTest(source, self._asserts, self._has_reply, self._is_incomplete)

    def _head(self) -> str:
        """Return the imports, those of the standard library first."""
        lines = [
            f"from {module} import {', '.join(sorted(names))}" if names else f"import {module}"
            for module, names in sorted(self._imports.items(), key=lambda item: (bool(item[1]), item[0]))
        ]
        blocks = [
            [line for line in lines if bool(re.match(r"import json|from unittest", line)) is own]
            for own in (True, False)
        ]
        return "\n\n".join("\n".join(block) for block in blocks if block)

    def _cause(self, asked: AbilityCall) -> list[str]:
        """Return what is to be done first: what notified the app."""
        cause = self._flow.notifier()
        before = cause and ability_call_of(cause)
        if before:
            request = self._request(before)
            return ability_call("zone.call", before.ability, request, name="first_request", after=".raise_for_error()")
        return [call("zone.fire", [literal(cause.name if cause else "conversation_new_message")])]

    @property
    def _indent(self) -> int:
        """Columns before the statement that the test is about."""
        return 2 * STEP if self._faults else STEP

    def _call(self, asked: AbilityCall | None, *, notified: bool) -> list[str]:
        """Return the lines of a call, the call itself last."""
        if asked is None:
            path = self._exchange.http.path.partition("?")[0] if self._exchange.http else ""
            api = re.sub(r"^.*/cgi-bin/(chatdata/(?=[^/]*$))?", "", path, flags=re.DOTALL)
            request = self._unmasked(_holder(self._exchange.text.request))
            return [
                assignment("request", request),
                call("answer = zone.client.app_call", [literal(api), "request"], self._indent),
            ]
        notify_id = "zone.notified()" if notified else ""
        request, indent = self._request(asked), self._indent
        if not asked.is_async:
            return ability_call("answer = zone.call", asked.ability, request, notify_id, indent=indent)
        if not self._exchange.errcode:
            return ability_call(
                "answer = zone.submit", asked.ability, request, notify_id, indent=indent, after=".result()"
            )
        *before, last = ability_call("zone.submit", asked.ability, request, notify_id, indent=indent + STEP)
        return [*before, self._refused("wwspec_router.testing.zone", "CallRefusedError", last)]

    def _event(self) -> list[str]:
        """Return the lines that send an event, the call itself last."""
        name, event = self._exchange.name, _holder(self._exchange.text.request)
        given, sent = list[str](), event
        method = "fire_as_is"
        if name in EVENT_TYPES:
            own = next((value for key, value in event.items() if key not in ("event_type", "timestamp")), None)
            sent = {key: value for key, value in own.items() if value != MASK} if isinstance(own, dict) else {}
            method, given = "fire", [literal(name)]
        lines = []
        if sent or method == "fire_as_is":
            lines.append(assignment("event", self._unmasked(sent)))
            given.append("event")
        if not self._outcome.errcode:
            return [*lines, call(f"fired = zone.client.{method}", given, self._indent)]
        last = call(f"zone.client.{method}", given, self._indent + STEP)
        return [*lines, self._refused("wwspec_router.emulator.http.client", "EmulatorError", last)]

    def _refused(self, module: str, error: str, line: str) -> str:
        """Return a block in which a line raises an error."""
        self._imports["pytest"] = set()
        self._imports.setdefault(module, set()).add(error)
        return f'{" " * self._indent}with pytest.raises({error}, match="{self._outcome.errcode}"):\n{line}'

    def _checks(self, asked: AbilityCall | None) -> list[str]:
        errcode, program_errcode = self._outcome.errcode, self._outcome.program_errcode
        if self._exchange.kind == EVENT:
            if errcode:
                return []
            self._imports["json"] = set()
            return self._reply('json.loads(fired["reply"])')
        if asked is None:
            return [f'    assert answer["errcode"] == {errcode}'] if errcode else self._reply("answer")
        if asked.is_async and self._exchange.errcode:
            return []
        if errcode or program_errcode:
            return [
                f"    assert answer.refused_by == {literal('platform' if errcode else 'program')}",
                f"    assert answer.errcode == {errcode or program_errcode}",
            ]
        return self._reply("answer.reply") or ["    assert answer.errcode == 0"]

    def _reply(self, source: str) -> list[str]:
        """Return what is asserted of a reply; nothing when there is none.

        Args:
            source: Python of the reply.
        """
        reply = _holder(self._outcome.reply)
        if reply is None:
            return []
        self._has_reply = True
        if self._asserts == "shape" and not is_mixed(reply):
            self._imports["wwspec_router.contracts.matching"] = {"mismatches"}
            keys = [] if isinstance(reply, list) else [f"    assert {source}.keys() == shape.keys()"]
            fits = f"    assert list(mismatches(shape, {source})) == []"
            return [assignment("shape", shape_of(reply)), fits, *keys]
        self._asserts = "values"
        sent = self._exchange.call
        values = stable_values(reply, self._exchange.time_ms / 1000, sent.request_id if sent else "")
        if values != reply:
            self._imports["unittest.mock"] = {"ANY"}
        head = f"    assert {source} == "
        return [head + literal(values, width(head), indent=STEP)]

    def _request(self, asked: AbilityCall) -> Any:
        """Return the request of an ability: a JSON value, or its text when a test can't have the value."""
        value = _holder(asked.data)
        return asked.data if value is None else self._unmasked(value)

    def _unmasked(self, request: Any) -> Any:
        """Return a request without what is masked: a token is that of an event, other values are to be filled in."""

        def unmasked(key: str, value: Any) -> Any:
            if value != MASK:
                return value
            if key == "token":
                self._needs_token = True
                return TOKEN
            self._is_incomplete = True
            return value

        return replaced(request, unmasked)


def _holder(text: str) -> Any:
    """Return the object or list of a JSON text, unless it is nested too deeply; None for another text."""
    value = json_of(text)
    return value if isinstance(value, dict | list) and not _is_deeper(value, _DEEPEST) else None


def _is_deeper(value: Any, levels: int) -> bool:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_is_deeper(each, levels - 1) for each in members)
