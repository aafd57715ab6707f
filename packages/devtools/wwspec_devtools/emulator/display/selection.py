"""Chooses recorded exchanges by the parameters of a query."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from wwspec_contracts.decoding import convert
from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.display.reasons import FAILURES
from wwspec_devtools.emulator.display.verdicts import digest
from wwspec_devtools.emulator.state.traffic.entries import KINDS, Body, Entry

_Number = Annotated[int, Meta(ge=0, lt=10**18)]
"""The number of an entry."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions on entries. One that is left out accepts all entries."""

    since: _Number = 0
    """Only entries after this number."""
    before: _Number | None = None
    limit: Annotated[int, Meta(ge=1, lt=10**18)] | None = None
    """The most entries to choose: the newest."""
    kinds: frozenset[str] = msgspec.field(default=frozenset(), name="kind")
    flow: _Number | None = None
    ability: str = ""
    corp: str = ""
    errcode: Annotated[int, Meta(gt=-(10**18), lt=10**18)] | None = None
    """An errcode of the platform or the program."""
    failed: bool = False
    """Only entries that failed."""
    text: str = ""
    """A text in the name or in a body, in upper or lower case."""

    def choose(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the chosen entries, in their order."""
        found = [entry for entry in entries if self._is_wanted(entry)]
        if self.text:
            found = list(filter(_text_condition(self.text), found))
        return found if self.limit is None else found[-self.limit :]

    def _is_wanted(self, entry: Entry) -> bool:
        """Return whether an entry meets all conditions but that of the text; the cheap ones come first."""
        return (
            (self.before is None or entry.number < self.before)
            and (not self.kinds or entry.kind in self.kinds)
            and self.flow in (None, entry.flow)
            and self.ability in ("", entry.ability)
            and self.corp in ("", entry.corpid)
            and (not self.failed or digest(entry).verdict in FAILURES)
            and (self.errcode is None or self.errcode in (entry.errcode, digest(entry).program_errcode))
        )


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
    """Read a selection from the parameters of a query, which may have others.

    Raises:
        RefusedError: 40058, naming the parameter.
    """
    given: dict[str, Any] = {"kind": []}
    for name, value in parameters:
        if name == "kind":
            given[name] += [value] if value else []
        else:
            given[name] = value
    if not set(given["kind"]) <= set(KINDS):
        raise RefusedError(40058, f"a kind is one of {', '.join(KINDS)}")
    try:
        return convert(given, Selection, strict=False)
    except msgspec.ValidationError as error:
        raise RefusedError(40058, str(error)) from None
