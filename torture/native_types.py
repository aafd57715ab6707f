"""What the compiled check is tried with: every contract of this repository, and types made at random.

A random type has whatever a contract can have, and much that none has: the compiled check must know what it knows, and
take nothing else for certain.
"""

import itertools
from collections.abc import Iterator
from random import Random
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union

import msgspec
from msgspec import UNSET, Meta, UnsetType

from torture.fuzz_targets import ROOT
from wwspec_contracts.base import Contract, Flag, Output, Unsigned, max_bytes
from wwspec_devtools.console_contracts.targets import wrapped_requests
from wwspec_router.registry.table import AbilityTable, build_table
from wwspec_router.registry.targets import FuncTarget

__all__ = ["Case", "contracts", "random_types"]

_NAMES = tuple("id msgid has_more a b 数据 é 😀".split())
_NAMES += ("", " ", "with space", "errcode", "key", "keys", "key1", "x" * 15, "x" * 16, "x" * 17, "y" * 63)
_ODD_NAMES: tuple[str, ...] = ("\x7f", "\x85", "\u2028", "\ufeff", "'")
_CHOICES = ("a", "ab", "abc", "", "x" * 16, "数", "😀", "text", "0", "true", "null", "á", "[]", "b c")
_ODD_CHOICES = ('a"', "\\", "\n", "\x00", "\x7f", "\\u0041", "a/b")


class Case(NamedTuple):
    """One type to try."""

    name: str
    type: Any
    is_request: bool


def contracts() -> list[Case]:
    """Return the contracts of WeCom's APIs and events, and of the reference program's abilities."""
    table = build_table(ROOT, ROOT / "abilities" / "registry.toml")
    found = {(each.type, each.is_request): each for each in (*_of_abilities(table), *_of_wecom(table))}
    return list(found.values())


def _of_wecom(table: AbilityTable) -> Iterator[Case]:
    for name, api in table.api_contracts.items():
        yield Case(f"{name}.Request", api.request, is_request=True)
        yield Case(f"{name}.Response", api.response, is_request=False)
    for name, event in table.events.items():
        yield Case(f"{name}.Event", event.event, is_request=False)
    if table.stored_events is not None:
        yield Case("stored events", table.stored_events.type, is_request=False)


def _of_abilities(table: AbilityTable) -> Iterator[Case]:
    for name, ability in table.abilities.items():
        target = ability.target
        if isinstance(target, FuncTarget):
            for func, request in wrapped_requests(target).items():
                yield Case(f"{name} {func} request", request, is_request=True)
            for func, function in target.functions.items():
                yield Case(f"{name} {func} reply", function.output.type, is_request=False)
        else:
            yield Case(f"{name} request", target.input.type, is_request=True)
            yield Case(f"{name} reply", target.output.type, is_request=False)
    for kind in table.kinds.values():
        yield Case(f"notification {kind.name}", kind.output.type, is_request=False)


def random_types(random: Random, count: int) -> list[Case]:
    """Return random types; the same state of `random` makes the same ones."""
    maker = _Maker(random)
    return [Case(f"random type {number}", maker.type(), is_request=random.random() < 0.5) for number in range(count)]


class _Checked(Contract):
    a: int

    def __post_init__(self) -> None:
        if self.a % 2:  # which the types allow
            raise ValueError("odd")


class _Tagged(Contract, tag="tagged"):
    a: int = 0


class _Array(Contract, array_like=True):
    a: int


class _Endless(Contract):
    a: int = 0
    inner: "list[_Endless]" = []


_KNOWN: tuple[Any, ...] = (str, str, str, int, int, bool, Flag, Annotated[bool, Meta(extra={"also": "int"})], Unsigned)
_UNKNOWN: tuple[Any, ...] = (
    *(float, Any, bytes, msgspec.Raw, dict[str, int], None, set[int], tuple[int, str], int | str, int | float),
    *(Annotated[str, Meta(pattern="^[0-9]+$")], Annotated[int, Meta(multiple_of=3)], Annotated[float, Meta(ge=0)]),
    *(_Checked, _Tagged, _Array, _Endless, Literal["a", 1], Literal["a", None]),
)


class _Maker:
    """Makes one random type after another."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._numbers = itertools.count()
        self._structs: list[Any] = []

    def type(self) -> Any:
        """Return a type, mostly an object."""
        return self._struct(0) if self._random.random() < 0.9 else self._any(0)

    def _any(self, depth: int) -> Any:
        draw = self._random.random()
        if depth < 4 and draw < 0.3:
            return self._list(depth) if draw < 0.15 else self._struct(depth)
        if draw < 0.35 and self._structs:
            return self._random.choice(self._structs)
        if draw < 0.45:
            return self._random.choice(_UNKNOWN)
        if draw < 0.5:
            return Optional[self._any(depth + 1) if depth < 4 else str]  # noqa: UP045 - of any type, None as well
        return self._bounded(self._random.choice(_KNOWN))

    def _bounded(self, type_: Any) -> Any:
        random, draw = self._random, self._random.random()
        if type_ is str and draw < 0.2:
            least, most = sorted((random.randrange(20), random.randrange(20)))
            return Annotated[str, Meta(min_length=least, max_length=most)]
        if type_ is str and draw < 0.4:
            return Annotated[str, max_bytes(random.choice((0, 1, 3, 16, 40)), min_length=random.choice((None, 0, 1)))]
        if type_ is str and draw < 0.5:
            names = random.sample(_CHOICES + (_ODD_CHOICES if draw < 0.43 else ()), random.randrange(1, 5))
            return Literal[tuple(names)]
        if type_ is int and draw < 0.2:
            return Literal[tuple(random.sample((0, 1, -1, 2, 10, 10**17, -(10**18), 10**18, 2**62), 3))]
        if type_ is int and draw < 0.6:
            bounds = (0, 1, -1, 10, random.randrange(-100, 100), 10**17, 10**18 - 1, 10**18, -(10**18))
            least, most = sorted(random.choices(bounds, k=2))
            metas = (Meta(ge=least, le=most), Meta(gt=least, lt=most), Meta(ge=least), Meta(le=most))
            return Annotated[int, random.choice(metas)]
        return type_

    def _list(self, depth: int) -> Any:
        item = self._any(depth + 1)
        inner: Any = tuple[item, ...] if self._random.random() < 0.2 else list[item]  # type: ignore[valid-type]  # made at random
        if self._random.random() < 0.3:
            least, most = sorted((self._random.randrange(4), self._random.randrange(6)))
            return Annotated[inner, Meta(min_length=least, max_length=most)]
        return inner

    def _struct(self, depth: int) -> Any:
        random = self._random
        count = random.choice((0, 1, 2, 3, 4, 6, 8)) if random.random() < 0.98 else random.choice((63, 64, 65, 70))
        base = random.choice((Contract, Contract, Contract, Output))
        names = [*_NAMES, *(_ODD_NAMES if random.random() < 0.05 else ())]
        names = [each for each in names if base is Contract or each != "errcode"]
        random.shuffle(names)
        names += [f"k{number}" for number in range(count)]
        fields = [self._field(names[number], f"f{number}", depth) for number in range(count)]
        made = msgspec.defstruct(f"Random{next(self._numbers)}", fields, bases=(base,), kw_only=True)
        self._structs.append(made)
        return made

    def _field(self, name: str, attribute: str, depth: int) -> tuple[str, Any, Any]:
        type_, draw = self._any(depth + 1), self._random.random()
        if draw < 0.1:
            type_ = Annotated[type_, Meta(extra={"aliases": ["alias"]})]
        if draw < 0.5:
            return attribute, type_, msgspec.field(name=name)
        return attribute, Union[type_, UnsetType], msgspec.field(name=name, default=UNSET)  # noqa: UP007 - the same
