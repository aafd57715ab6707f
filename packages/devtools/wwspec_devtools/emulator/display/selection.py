"""Chooses recorded exchanges by the parameters of a query."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.display.reasons import FAILURES
from wwspec_devtools.emulator.display.verdicts import digest
from wwspec_devtools.emulator.state.traffic.entries import KINDS, Body, Entry


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions on entries. One that is left out accepts all entries."""

    since: int = 0
    """Only entries after this number."""
    before: int | None = None
    limit: int | None = None
    """The most entries to choose: the newest."""
    kinds: frozenset[str] = frozenset()
    flow: int | None = None
    ability: str = ""
    corp: str = ""
    errcode: int | None = None
    """An errcode of the platform or the program."""
    failed: bool = False
    """Only entries that failed."""
    text: str = ""
    """A text in the name or in a body, in upper or lower case."""

    def choose(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the chosen entries, in their order."""
        found = list(entries)
        for condition in self._conditions():
            found = [entry for entry in found if condition(entry)]
        return found if self.limit is None else found[-self.limit :]

    def _conditions(self) -> Iterable[Callable[[Entry], bool]]:
        """Yield the conditions, the cheap ones first."""
        if self.before is not None:
            before = self.before
            yield lambda entry: entry.number < before
        if self.kinds:
            yield lambda entry: entry.kind in self.kinds
        if self.flow is not None:
            yield lambda entry: entry.flow == self.flow
        if self.ability:
            yield lambda entry: entry.ability == self.ability
        if self.corp:
            yield lambda entry: entry.corpid == self.corp
        if self.failed:
            yield lambda entry: digest(entry).verdict in FAILURES
        if self.errcode is not None:
            yield lambda entry: self.errcode in (entry.errcode, digest(entry).program_errcode)
        if self.text:
            yield _text_condition(self.text)


def _text_condition(text: str) -> Callable[[Entry], bool]:
    """Return a condition for the text, in plain form or escaped as JSON once or twice."""
    needles = {text.lower()}
    quoted = text
    for _ in range(2):
        escaped = (msgspec.json.encode(quoted).decode()[1:-1], _ascii(quoted))
        needles.update(each.lower() for each in escaped)
        quoted = escaped[1]

    def found(body: Body) -> bool:
        if isinstance(body, int):
            return False
        content = (body if isinstance(body, str) else body.decode(errors="replace")).lower()
        return any(needle in content for needle in needles)

    return lambda entry: found(entry.name) or found(entry.request) or found(entry.reply)


def _ascii(text: str) -> str:
    """Return a text as ASCII-only JSON writes it."""
    from json import dumps  # msgspec writes UTF-8

    return dumps(text)[1:-1]


def read_selection(parameters: Iterable[tuple[str, str]]) -> Selection:
    """Read a selection from the parameters of a query.

    Raises:
        RefusedError: 40058, naming the parameter.
    """
    given: dict[str, Any] = {}
    kinds = set()
    for name, value in parameters:
        if name in ("since", "before", "limit", "flow"):
            given[name] = _number(name, value)
        elif name == "errcode":
            given[name] = -_number(name, value[1:]) if value.startswith("-") else _number(name, value)
        elif name == "kind" and value:
            kinds.add(value)
        elif name in ("ability", "corp", "text"):
            given[name] = value
        elif name == "failed":
            given[name] = value == "true"
    if not kinds <= set(KINDS):
        raise RefusedError(40058, f"a kind is one of {', '.join(KINDS)}")
    if given.get("limit") == 0:
        raise RefusedError(40058, "limit is 1 or more")
    return Selection(kinds=frozenset(kinds), **given)


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        raise RefusedError(40058, f"{name} is the number of an entry" if name != "errcode" else "errcode is a number")
    return int(value)
