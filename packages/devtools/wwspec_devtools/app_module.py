"""The module of an application's own abilities that its enterprise app imports, as Python source.

It has a class for each request, which `client.call` and `client.submit` take, and one for each reply. An ability that
only uses types of WeCom is left out: the app has those already. The same registry file and contracts give the same
text.
"""

import inspect
import keyword
import re
import sys
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

import msgspec

from wwspec_contracts.base import UNSET, Output, UnsetType
from wwspec_contracts.errcodes import ProgramErrcodes
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.source_text import MADE_BY, SourceError, class_name, docstring, literal
from wwspec_devtools.console_contracts.source import Imports, Source, is_of_file, is_shipped, nested
from wwspec_devtools.console_contracts.targets import wrapped_requests
from wwspec_router.registry.request_paths import WHOLE
from wwspec_router.registry.table import AbilityTable
from wwspec_router.registry.targets import Ability, ApiTarget, CallbackTarget, FuncTarget, HandlerTarget

HEAD = f'''\
"""The abilities of {{program}}: `client.call` and `client.submit` take the requests, and know their replies.

{MADE_BY}, which also tells with `--check` whether the program has changed. Do not edit.
"""
'''
_NEEDED = ("msgspec", "wwspec_contracts")
"""Packages that the module imports."""
NOTIFIED = "Notified"
_HOME = "wwspec_contracts.base"
NOTIFIED_DOC = "What is stored under a notify_id; the keys of WeCom's own events are left out."
_GENERAL = ("Request", "Response")
"""Names of contracts that are too general outside of their module."""
_IMPORTED = frozenset(
    ("AbilityRequest", "Annotated", "Any", "ClassVar", "Contract", "Enum", "Flag", "IntEnum", "Literal", "Meta")
    + ("Output", "ProgramErrcodes", "StrEnum", "UNSET", "UnsetType", "Unsigned", "None", "True", "False", "ERRCODES")
)
"""Names that a class of the module can't have."""
_IDENTITY = ("ability_id", "errcodes", "idempotency_field", "trace_field")
"""Attributes of each request's class, which no field can have."""


class OwnAbility(NamedTuple):
    """One ability that goes into the module."""

    ability_id: str
    place: str
    name: str
    """Name of the request's class."""
    request: type[msgspec.Struct]
    reply: type[msgspec.Struct]
    reply_name: str
    doc: str
    once_key: str = ""
    """The key by which a repeated call is recognised, as the registry file has it; empty when none is."""
    trace: str = ""
    """Where the request carries a traceparent."""


class _Inside(NamedTuple):
    """Where a contract or an enum inside of requests and replies was first found."""

    owner: str
    """Ability and side."""
    prefix: str
    """The class that has it."""
    path: str


def module_name(table: AbilityTable) -> str:
    """Return the name of the module: that of the program, in letters of a Python name.

    Raises:
        ConfigurationError: The program has no name, or the name of a module which others import.
    """
    program = table.registry.program.name
    name = re.sub(r"\W+", "_", program.lower()).strip("_")
    place = table.registry.place("program")
    if not (name.isidentifier() and name.isascii()) or keyword.iskeyword(name):
        raise ConfigurationError(
            f"{place}: name: {program!r} can't be the name of a Python module: begin with a letter from a to z"
        )
    if name in sys.stdlib_module_names or name in _NEEDED:
        raise ConfigurationError(
            f"{place}: name: {name}.py would hide the module {name} that Python programs import: give the program "
            "another name"
        )
    return name


def client_module(table: AbilityTable) -> str:
    """Return the source of the module.

    Raises:
        ConfigurationError: There is no ability to write, or a contract or a name can't be written; a line for each
            says which.
    """
    program = table.registry.program
    return module_of(program.name, list(_abilities(table)), program)


def module_of(program: str, own: list[OwnAbility], errcodes: ProgramErrcodes = ProgramErrcodes()) -> str:  # noqa: B008
    """Return the source of the module with these abilities; errors are those of `client_module`."""
    faults: list[str] = []
    if not own:
        raise ConfigurationError(f"{program} has no ability of its own: the app has the types of WeCom's APIs already")
    inside = _types_inside(own, faults)
    names = _name_types(own, inside, faults)
    statement = _errcodes(errcodes)
    module = _Module(names, has_errcodes=statement != "")
    blocks = [] if faults else [*module.shared(inside, faults), *module.abilities(own, faults)]
    if faults:
        raise ConfigurationError("\n".join(dict.fromkeys(faults)))
    exported = {name for type_, name in names.items() if not is_shipped(type_)}
    exported |= {each.name for each in own} | {each.reply_name for each in own}
    exported |= {"ERRCODES"} if statement else set()
    listed = ["__all__ = [", *(f'    "{name}",' for name in sorted(exported)), "]"]
    top = "\n".join([HEAD.format(program=literal(program)[1:-1]), *module.imports.lines(), "", *listed])
    top += f"\n\n{statement}" if statement else ""
    return "\n\n\n".join([top, *("\n".join(lines) for lines in blocks)]) + "\n"


def _abilities(table: AbilityTable) -> Iterator[OwnAbility]:
    notified = _notification_types(table)
    for ability_id, ability in table.abilities.items():
        found = _contracts(table, ability, notified)
        if found is not None:
            name = class_name(ability_id)
            name = f"{name}Ability" if name in _IMPORTED else name
            reply_name = NOTIFIED if found[1] is notified else f"{name}Response"
            key, row = _once_key(ability), table.registry.abilities.get(ability_id)
            trace = "" if row is None else row.trace or ""
            yield OwnAbility(ability_id, ability.place, name, found[0], found[1], reply_name, found[2], key, trace)


def _once_key(ability: Ability) -> str:
    once = ability.target.once if isinstance(ability.target, HandlerTarget) else None
    return "" if once is None else ".".join(once.key) or WHOLE


def _contracts(table: AbilityTable, ability: Ability, notified: Any) -> tuple[Any, Any, str] | None:
    """Return request, reply and text of an ability; None when the app has types for it already."""
    match ability.target:
        case HandlerTarget(handler=handler, input=request, output=reply):
            return request.type, reply.type, handler.function.__doc__ or ""
        case FuncTarget(functions=functions) if len(functions) == 1:
            name, target = next(iter(functions.items()))
            if isinstance(target, HandlerTarget):
                return wrapped_requests(ability.target)[name], target.output.type, target.handler.function.__doc__ or ""
        case ApiTarget(api=api, input=request, output=reply):
            row = table.registry.abilities.get(ability.ability_id)
            narrowed = row is not None and (row.input is not None or row.output is not None)
            if narrowed or table.api_contracts[api].is_own:
                return request.type, reply.type, f"The SDK API {api}, as this program has it."
        case CallbackTarget(input=request) if notified is not None:
            return request.type, notified, "Fetch what is stored under a notify_id, which goes beside the request."
    return None


def _notification_types(table: AbilityTable) -> Any:
    """Return the types of the program's own notifications and event results; None when there are none."""
    keys = {kind.name: type_ for type_, kind in table.kinds.items()}
    for target in table.event_targets.values():
        if target.result_key is not None and target.handler.response is not None:
            keys[target.result_key] = target.handler.response
    if not keys:
        return None
    fields = [(name, type_ | UnsetType, UNSET) for name, type_ in {"event_type": str, "timestamp": int, **keys}.items()]
    return msgspec.defstruct(NOTIFIED, fields, bases=(Output,), kw_only=True)


def _types_inside(own: list[OwnAbility], faults: list[str]) -> dict[type, _Inside]:
    """Return the types inside of all requests and replies, each after the types that it needs."""
    found: dict[type, _Inside] = {}
    for each in own:
        for side, name, whole in (("input", each.name, each.request), ("output", each.reply_name, each.reply)):
            owner = f"ability {each.ability_id}: {side}"
            try:
                for field in msgspec.structs.fields(whole):
                    for type_, path in nested(field.type, f"$.{field.encode_name}"):
                        found.setdefault(type_, _Inside(owner, name, path))
            except SourceError as error:
                faults.append(f"{owner} {error}")
    return found


def _name_types(own: list[OwnAbility], inside: dict[type, _Inside], faults: list[str]) -> dict[type, str]:
    """Return a name for each type inside: its own; or, if that is taken, one that also says where it is from."""
    taken: dict[str, str] = {}
    for each in own:
        for name, who in ((each.name, f"ability {each.ability_id}"), (each.reply_name, f"reply of {each.ability_id}")):
            who = NOTIFIED if name == NOTIFIED == each.reply_name else who
            if not each.name or taken.setdefault(name, who) != who:
                other = f"would be {name}, as is the {taken[name]}" if each.name else "has no letter"
                faults.append(f"{each.place}: the class of ability {each.ability_id} {other}; give it another ID")
    names: dict[type, str] = {}
    left = dict(inside)
    for choose in (_own_name, _name_with_module, _name_with_owner):
        chosen = {type_: choose(type_, where) for type_, where in left.items()}
        often = Counter(chosen.values())
        for type_, name in chosen.items():
            if name and often[name] == 1 and name not in taken and name not in _IMPORTED:
                names[type_] = name
                del left[type_]
        taken |= dict.fromkeys(names.values(), "class of another contract")
    for type_, where in left.items():
        name = _name_with_owner(type_, where)
        faults.append(f"{where.owner} {where.path}: its class would be {name}, as is another; rename the key")
    return names


def _own_name(type_: type, where: _Inside) -> str:
    return "" if is_of_file(type_) or type_.__name__ in _GENERAL else class_name(type_.__name__)


def _name_with_module(type_: type, where: _Inside) -> str:
    return "" if is_of_file(type_) else class_name(f"{type_.__module__.rpartition('.')[2]}_{type_.__name__}")


def _name_with_owner(type_: type, where: _Inside) -> str:
    return f"{where.prefix}{class_name(where.path)}"


def _errcodes(program: ProgramErrcodes) -> str:
    """Return the errcodes of a program that are not the usual ones as a statement; empty when there are none."""
    usual = ProgramErrcodes()
    numbers = {name: getattr(program, name) for name in ProgramErrcodes.__struct_fields__}
    given = [f"    {name}={number}," for name, number in numbers.items() if number != getattr(usual, name)]
    lines = ["ERRCODES = ProgramErrcodes(", *given, ")"]
    doc = '"""Of the program: `errcodes=ERRCODES` of a client has them for calls by ID, too."""'
    return "\n".join([*lines, doc]) if given else ""


class _Module:
    """Writes the classes.

    Args:
        names: The names of the types inside of requests and replies.
        has_errcodes: Whether the module has errcodes of the program, which the requests carry.
    """

    def __init__(self, names: dict[type, str], *, has_errcodes: bool) -> None:
        self.imports = Imports()
        self._has_errcodes = has_errcodes
        self._names = names
        self._source = Source(names, self.imports)

    def shared(self, inside: dict[type, _Inside], faults: list[str]) -> Iterator[list[str]]:
        """Yield the classes inside of requests and replies, and import those of WeCom."""
        for type_, where in inside.items():
            if is_shipped(type_):
                self.imports.add(type_.__module__, type_.__name__, self._names[type_])
                continue
            try:
                write = self._source.enum if issubclass(type_, Enum) else self._source.contract
                yield write(type_, where.path)
            except SourceError as error:
                faults.append(f"{where.owner} {error}")

    def abilities(self, own: list[OwnAbility], faults: list[str]) -> Iterator[list[str]]:
        """Yield the reply and the request of each ability; a reply that several abilities share only once."""
        written: set[str] = set()
        self.imports.add("typing", "ClassVar")
        self.imports.add(_HOME, "AbilityRequest")
        self.imports.add(_HOME, "Output")
        identity = ["    errcodes: ClassVar[ProgramErrcodes] = ERRCODES"] if self._has_errcodes else []
        if self._has_errcodes:
            self.imports.add("wwspec_contracts.errcodes", "ProgramErrcodes")
        for each in own:
            side = "output"
            try:
                if each.reply_name not in written:
                    body = self._source.fields(each.reply, "$", is_reply=True)
                    doc = NOTIFIED_DOC if each.reply_name == NOTIFIED else docstring(each.reply)
                    yield self._source.class_(each.reply_name, "Output", doc, body)
                    written.add(each.reply_name)
                side = "input"
                ability_id = f"    ability_id: ClassVar[str] = {literal(each.ability_id)}"
                fields = self._source.fields(each.request, "$", taken=_IDENTITY)
                known = {"idempotency_field": each.once_key, "trace_field": each.trace}
                places = [f"    {name}: ClassVar[str] = {literal(place)}" for name, place in known.items() if place]
                body = [ability_id, *identity, *places, *fields]
                own_text = "" if is_shipped(each.request) else docstring(each.request)
                texts = (inspect.cleandoc(text) for text in (each.doc, own_text))
                doc = "\n\n".join(dict.fromkeys(filter(None, texts)))
                yield self._source.class_(each.name, f"AbilityRequest[{each.reply_name}]", doc, body)
            except SourceError as error:
                faults.append(f"ability {each.ability_id}: {side} {error}")
