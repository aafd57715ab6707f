"""Reads the registry file: which ability ID is answered by what.

A registry file is TOML. This module checks its form and reports every fault at once, each with the file, the row and
the fix; `table` then connects the rows with APIs and handlers. It imports nothing of the application.
"""

import re
from collections.abc import Collection, Iterator
from enum import StrEnum
from functools import cache, partial
from itertools import count, islice
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta

from wwspec_contracts.errcodes import ERRCODES, ProgramErrcodes
from wwspec_contracts.errors import ConfigurationError, RegistryError, did_you_mean
from wwspec_contracts.toml import read_toml
from wwspec_router.codecs.codec import OutputPolicy
from wwspec_router.config import PROGRAM, PROGRAM_TABLES
from wwspec_router.stores.job import EVENT_JOB, NOTIFY_JOB

Apis = Literal["*"] | list[str]
"""Names of SDK APIs, or "*" for every API that has a contract: WeCom's, and those that `schemas/api/` adds."""

Seconds = Annotated[float, Meta(gt=0, le=31_536_000)]
"""A duration of at most a year, which every clock and every wait can handle."""

Concurrency = Annotated[int, Meta(ge=1, le=65_536)]
"""How many calls of one ability a worker process runs at once; more are refused. Asynchronous ones don't count."""

_OWN_JOBS = (EVENT_JOB, NOTIFY_JOB)
_RESERVED = (
    f"ability IDs that begin with {' or '.join(_OWN_JOBS)} are reserved for the program's own jobs; choose another"
)

_FREE = 9001
"""WeCom has no errcode of four digits."""

_HEADER = re.compile(
    r"""\s*\[\s*(?P<table>[\w-]+)\s*(?:\.\s*(?P<quote>["']?)(?P<key>.*?)\s*)?\]\s*(?:\#.*)?$""", re.VERBOSE
)
"""The line that begins a table, such as `[abilities."chat.digest"]`."""

_IN_TOML = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
"""Plain names of the types in msgspec's messages."""
_TYPE = rf"\b({'|'.join(_IN_TOML)})\b"

RowT = TypeVar("RowT", bound=msgspec.Struct)


class Program(ProgramErrcodes, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[program]`; its errcodes are those of `ProgramErrcodes`."""

    name: str = "zone-program"
    """The name in logs."""
    notify_ttl: Seconds = 1200.0
    """Seconds that an event waits for `get_callback_data`; the platform's notify_id is valid 600 [99849]. What the
    program tells by itself waits as long after it was fetched."""
    told_for: Seconds = 86_400.0
    """Seconds for which the app is notified again and again of what `ctx.notify` and `notify = "after"` tell it, until
    it fetches."""
    timeout: Seconds | None = None
    """Seconds within which each ability answers, unless its row says otherwise."""
    lifespan: str | None = None
    """`package.module:function`, a context manager that is entered once in each process; it yields `ctx.state`."""
    settings: str | None = None
    """`package.module:Struct`, the application's own settings: `ctx.settings`, read from `[app]` of wwspec.toml."""
    around: str | None = None
    """`package.module:function`, a generator that runs around each handler and all code on events."""
    modules: list[Annotated[str, Meta(min_length=1)]] = []
    """Modules whose marks count, such as `program` or `abilities.shop`."""


class Passthrough(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tables `[passthrough]` and `[func]`: ability IDs made of a prefix and an SDK API's name."""

    prefix: Annotated[str, Meta(min_length=1)]
    apis: Apis = "*"
    timeout: Seconds | None = None
    concurrency: Concurrency | None = None
    drop_empty: bool = False
    """Leave optional empty strings out of what the SDK is sent."""


class FuncTable(Passthrough, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[func]`."""

    functions: dict[str, str] = {}
    """Own functions beside the APIs: from what `input.func` says to `package.module:function`."""


class OnceRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table `[abilities.<ability ID>.once]`: a repeat of a call gets the reply that the call got."""

    key: Annotated[str, Meta(min_length=1)]
    """The value of the request by which a call is recognised, such as `order.id`; `*` for the whole request."""
    ttl: Seconds = 600.0
    """Seconds for which a reply is kept."""
    keep_errors: bool = False
    """Whether a call that failed is kept, too; otherwise its repeat runs."""
    ignore: list[Annotated[str, Meta(min_length=1)]] = []
    """Values of the request in which repeats may differ, such as `sent_at`."""


class AbilityRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table `[abilities.<ability ID>]`. Exactly one of `api`, `handler` and `kind` says what answers."""

    api: str | None = None
    """The SDK API that the ability is another name of."""
    handler: str | None = None
    """`package.module:function`, marked with `@ability`."""
    kind: Literal["callback_data", "func", "status", "jobs", "forget"] | None = None
    """`callback_data` answers a stored event, `status` the program's figures; `func` is the Python demo's protocol.
    `jobs` shows what failed for good and runs it again; `forget` removes all that is stored for a corp."""
    from_corps: list[Annotated[str, Meta(min_length=1)]] = []
    """With `kind = "forget"`: corps whose apps may forget any corp; the others may forget their own only."""
    apis: Apis | None = None
    """With `kind = "func"`: the APIs that `input.func` may name."""
    once: OnceRow | None = None
    """With `handler`: how repeats of a call are recognised."""
    trace: Annotated[str, Meta(min_length=1)] | None = None
    """With `handler`: the value of the request that carries a W3C traceparent, such as `meta.traceparent`."""
    input: str | None = None
    """With `api` or `handler`: file of a console example, in the application folder, that is the input contract."""
    output: str | None = None
    """The same for the output contract."""
    timeout: Seconds | None = None
    concurrency: Concurrency | None = None
    output_policy: OutputPolicy | None = None
    """`prune` (the default for SDK APIs and stored events), `strict` (the default for handlers) or `off`."""
    drop_empty: bool = False
    """With `api` or `kind = "func"`: leave optional empty strings out of what the SDK is sent."""


class EventRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table `[events.<event_type>]`: own code that runs on an event."""

    handler: str
    """`package.module:function`."""
    notify: Literal["now", "after", "never"] = "now"
    """When the app is told of the event: before the handler runs, when it has ended, or never."""
    timeout: Seconds | None = None
    """Seconds within which the handler ends; the default is that of `[program]`."""
    concurrency: Concurrency | None = None
    """How many events of this type a worker process handles at once; further ones wait."""
    retries: Annotated[int, Meta(ge=0, le=1000)] = 3
    """How often the handler runs again after an error."""
    once: bool = False
    """Whether the handler runs only once for events of the same text; see `EventContext.event_key`."""


class NotificationRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table `[notifications.<kind>]`: what handlers tell the app with `ctx.notify`."""

    contract: str
    """`package.module:Type`, a `Contract`: the payload."""


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """A registry file, read."""

    path: Path
    lines: dict[str, int] = {}
    """Where each table begins, by its name in the file without quotes."""
    marked: dict[tuple[str, str], str] = {}
    """Where the mark is that a row comes from, by table and key; rows of the file are absent."""
    program: Program = Program()
    passthrough: Passthrough | None = None
    func: FuncTable | None = None
    abilities: dict[str, AbilityRow] = {}
    events: dict[str, EventRow] = {}
    notifications: dict[str, NotificationRow] = {}
    notify_scenes: dict[str, int] = {}
    """From event_type to the notify_scene (0-255) that `spec_notify_app` is given [99849]; 0 when absent."""

    def place(self, table: str, key: str | None = None) -> str:
        """Return where a table begins, such as `registry.toml:12 [abilities.chat_history]`, or where its mark is.

        Args:
            table: `program`, `passthrough`, `func`, `notify_scenes`, `abilities`, `events` or `notifications`.
            key: The ability ID, event_type or kind.
        """
        return self.marked.get((table, key or "")) or _place(self.path, self.lines, table, key)

    def targets(self) -> Iterator[tuple[str, str]]:
        """Yield each `module:attribute` that is named, and where."""
        found: list[tuple[str | None, str, str | None]] = [
            (each, "program", None) for each in (self.program.lifespan, self.program.settings, self.program.around)
        ]
        found += [(each, "func", None) for each in (self.func.functions.values() if self.func is not None else ())]
        found += [(row.handler, "abilities", ability_id) for ability_id, row in self.abilities.items()]
        found += [(row.handler, "events", event_type) for event_type, row in self.events.items()]
        found += [(row.contract, "notifications", kind) for kind, row in self.notifications.items()]
        yield from ((target, self.place(table, key)) for target, table, key in found if target is not None)


def parse_registry(path: Path) -> tuple[Registry, list[str]]:
    """Read what can be read of a registry file; `program.py` stands for `PROGRAM_TABLES`.

    Returns:
        The registry without its faulty tables, and the faults.

    Raises:
        RegistryError: There is no such file, or it is not TOML.
    """
    if path.name == PROGRAM:
        return _Reader(path, "").read(PROGRAM_TABLES), []
    try:
        text, raw = read_toml(
            path,
            f"start in the application's folder, name it with --app, or the file with --registry; or write {PROGRAM}",
        )
    except ConfigurationError as error:
        raise RegistryError([str(error)]) from None
    reader = _Reader(path, text)
    return reader.read(raw), reader.faults


class _Reader:
    """Reads a registry file and collects its faults."""

    TABLES = ("program", "passthrough", "func", "abilities", "events", "notifications", "notify_scenes")

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = _lines(text)
        self._place = partial(_place, path, self._lines)
        self.faults: list[str] = []

    def read(self, raw: dict[str, Any]) -> Registry:
        for name in (each for each in raw if each not in self.TABLES):
            self.faults.append(f"{self._path} [{name}]: unknown table; {_suggestion(name, self.TABLES)}")
        tables = {name: self._table(raw, name) for name in self.TABLES}
        abilities = self._rows("abilities", tables["abilities"], AbilityRow)
        program = read_row(self._place("program"), tables["program"], Program, self.faults) or Program()
        passthrough = func = None
        if "passthrough" in raw:
            passthrough = read_row(self._place("passthrough"), tables["passthrough"], Passthrough, self.faults)
        if "func" in raw:
            func = read_row(self._place("func"), tables["func"], FuncTable, self.faults)
        self.faults += [f"{self._place('program')}: {fault}" for fault in _errcode_faults(program)]
        for name in ("passthrough", "func"):
            if str(tables[name].get("prefix", "")).startswith(_OWN_JOBS):
                self.faults.append(f"{self._place(name)}: prefix: {_RESERVED}")
        return Registry(
            path=self._path,
            lines=self._lines,
            program=program,
            passthrough=passthrough,
            func=func,
            abilities=abilities,
            events=self._rows("events", tables["events"], EventRow),
            notifications=self._rows("notifications", tables["notifications"], NotificationRow),
            notify_scenes=self._scenes(tables["notify_scenes"]),
        )

    def _table(self, raw: dict[str, Any], name: str) -> dict[str, Any]:
        table = raw.get(name, {})
        if isinstance(table, dict):
            return table
        self.faults.append(f"{self._path} {name}: must be a table; write [{name}]")
        return {}

    def _rows(self, table: str, rows: dict[str, Any], type_: type[RowT]) -> dict[str, RowT]:
        """Read the tables below one, each under a key."""
        read = {key: read_row(self._place(table, key), row, type_, self.faults, key) for key, row in rows.items()}
        return {key: row for key, row in read.items() if row is not None}

    def _scenes(self, scenes: dict[str, Any]) -> dict[str, int]:
        place = self._place("notify_scenes")
        for event_type, scene in scenes.items():
            if not (type(scene) is int and 0 <= scene <= 255):
                self.faults.append(f"{place}: {event_type}: must be a whole number from 0 to 255")
        return scenes


def read_row(place: str, row: Any, type_: type[RowT], faults: list[str], key: str = "") -> RowT | None:
    """Read one table key by key, so that each of its faults is reported.

    Args:
        place: Where it is, as faults say it.
        row: The table.
        type_: What it becomes.
        faults: Takes its faults.
        key: The ability ID of an `AbilityRow`.

    Returns:
        The row; None when it has a fault.
    """
    if not isinstance(row, dict):
        faults.append(f"{place}: must be a table of keys and values")
        return None
    before = len(faults)
    fields = _fields(type_)
    for name, value in row.items():
        if name not in fields:
            faults.append(f"{place}: unknown key {name}; {_suggestion(name, fields)}")
            continue
        if name == "once" and type_ is AbilityRow:
            read_row(f"{place}: once", value, OnceRow, faults)
            continue
        try:
            msgspec.convert(value, fields[name].type)
        except msgspec.ValidationError as error:
            faults.append(f"{place}: {name}: {value_fault(value, fields[name].type, error)}")
    for name, field in fields.items():
        if field.required and name not in row:
            faults.append(f"{place}: missing key {name}")
    if len(faults) > before:
        return None
    read = msgspec.convert(row, type_)
    if isinstance(read, AbilityRow):
        faults += [f"{place}: {fault}" for fault in _row_faults(key, read)]
    return read if len(faults) == before else None


def _errcode_faults(program: Program) -> Iterator[str]:
    """Yield the errcodes that are set apart, and that an app could not tell from others."""
    others = {name: getattr(program, name) for name in ("errcode", "overload_errcode", "once_errcode")}
    for name in ("input_errcode", "timeout_errcode", "crash_errcode", "unknown_errcode"):
        number = getattr(program, name)
        if number is None:
            continue
        same = next((other for other, its in others.items() if its == number), "")
        if same or number in ERRCODES:
            taken = {*ERRCODES, *(getattr(program, key) for key in ProgramErrcodes.__struct_fields__)}
            free = ", ".join(map(str, islice((each for each in count(_FREE) if each not in taken), 4)))
            whose = f"the number of {same}, too" if same else "an errcode of WeCom"
            yield f"{name}: {number} is {whose}; take one that is free, such as {free}, or leave the key out"
        others[name] = number


def _row_faults(ability_id: str, row: AbilityRow) -> Iterator[str]:
    """Yield what is wrong with a row whose keys and values are right each for itself."""
    if not ability_id or not ability_id.isprintable():
        yield "an ability ID is printable text, as it is in the admin console"
    elif ability_id != ability_id.strip():
        yield "an ability ID neither begins nor ends with a space"
    if ability_id.startswith(_OWN_JOBS):
        yield _RESERVED
    given = [name for name in ("api", "handler", "kind") if getattr(row, name) is not None]
    if len(given) != 1:
        yield f"give exactly one of api, handler and kind ({'none' if not given else ' and '.join(given)} given)"
    yield from _misplaced_keys(row)


def _misplaced_keys(row: AbilityRow) -> Iterator[str]:
    """Yield the keys that do not go with what answers."""
    if row.apis is not None and row.kind != "func":
        yield 'apis goes with kind = "func" only'
    if row.from_corps and row.kind != "forget":
        yield 'from_corps goes with kind = "forget" only'
    if row.once is not None and row.handler is None:
        yield "once goes with handler only; write a handler that asks for the API, and give it the ability ID"
    if row.trace is not None and row.handler is None:
        yield "trace goes with handler only; no other request has a key for a traceparent"
    if row.drop_empty and row.api is None and row.kind != "func":
        yield 'drop_empty goes with api or kind = "func" only'
    for name in ("input", "output"):
        if getattr(row, name) is not None and row.kind is not None:
            yield f"{name} goes with api or handler only"
    if row.output_policy is not None and row.kind not in (None, "callback_data"):
        yield 'output_policy goes with api, handler or kind = "callback_data" only'


def value_fault(value: object, type_: Any, error: msgspec.ValidationError) -> str:
    """Return what is wrong with the value of a key."""
    text = str(error).replace("`", "").replace(" | null", "")
    if not text.startswith("Invalid enum value"):
        return re.sub(
            _TYPE, lambda found: _IN_TOML[found[0]], text.replace("Expected", "must be").replace(", got", ", not")
        )
    choices = [each for part in (type_, *get_args(type_)) for each in _choices(part)]
    if "*" in choices:
        return f'write "*" for every API, or a list of names, such as ["{value}"]'
    return f"{value!r} is unknown; {_suggestion(str(value), choices)}"


def _choices(type_: Any) -> tuple[str, ...]:
    """Return the values that a type lists, if it does."""
    if isinstance(type_, type) and issubclass(type_, StrEnum):
        return tuple(each.value for each in type_)
    return get_args(type_) if get_origin(type_) is Literal else ()


@cache
def _fields(type_: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.name: field for field in msgspec.structs.fields(type_)}


def _lines(text: str) -> dict[str, int]:
    """Return the line of each table's header, by its name; TOML's escapes in quoted keys are not undone."""
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if found := _HEADER.match(line):
            table, quote, key = found["table"], found["quote"], found["key"]
            if key is not None and quote:
                key = key.removesuffix(quote)
            lines.setdefault(table if key is None else f"{table}.{key}", number)
    return lines


def _place(path: Path, lines: dict[str, int], table: str, key: str | None = None) -> str:
    line = lines.get(table if key is None else f"{table}.{key}")
    name = table if key is None else f"{table}.{_toml_key(key)}"
    return f"{path}{'' if line is None else f':{line}'} [{name}]"


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else msgspec.json.encode(key[:64]).decode()


def _suggestion(word: str, known: Collection[str]) -> str:
    return did_you_mean(word, known, otherwise=f"known: {', '.join(known)}")
