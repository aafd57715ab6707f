"""Makes what to register in WeCom's admin console for each ability: two JSON examples from the contracts [100019].

The command line uses it and, through it, the emulator: both work with the console's examples.
"""

import inspect
import os
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from wwspec_contracts.errors import DEFAULT_ERRCODE
from wwspec_contracts.examples import console_example
from wwspec_contracts.files import SIDES, ConsoleContract, DescribedContract
from wwspec_contracts.matching import matches, merged
from wwspec_devtools.console_contracts.schema import contract_schema
from wwspec_devtools.console_contracts.source import is_of_file
from wwspec_devtools.console_contracts.targets import describe_target, wrapped_requests
from wwspec_router.registry.loader import shipped_apis
from wwspec_router.registry.table import AbilityTable
from wwspec_router.registry.targets import Ability, ApiTarget, FuncTarget, HandlerTarget, Target

_EXAMPLES_KEPT = 512
"""Types whose examples and schemas are kept: those of WeCom's APIs are the same for every program."""

_example = lru_cache(_EXAMPLES_KEPT)(console_example)
"""Returns a type's example, which nobody changes."""
_schemas = lru_cache(_EXAMPLES_KEPT)(contract_schema)
"""Returns the schema of types, which nobody changes."""


def describe_apis() -> None:
    """Make the examples and schemas of all SDK APIs, so that those of a program take less time."""
    for api in shipped_apis():
        for type_ in (api.request, api.response):
            _example(type_)
            _schemas((type_,))


class ConsoleContracts(Mapping[str, ConsoleContract]):
    """What to register, by ability ID, in the order of the table; each is made when it is first asked for.

    To make all takes a tenth of a second, and most tests of a program call one or two abilities.
    """

    def __init__(self, table: AbilityTable) -> None:
        self._abilities = table.abilities
        self._made: dict[str, ConsoleContract] = {}

    def __getitem__(self, ability_id: str) -> ConsoleContract:
        if ability_id not in self._made:
            self._made[ability_id] = console_contract(self._abilities[ability_id])
        return self._made[ability_id]

    def __contains__(self, ability_id: object) -> bool:
        return ability_id in self._abilities

    def __iter__(self) -> Iterator[str]:
        return iter(self._abilities)

    def __len__(self) -> int:
        return len(self._abilities)


def accepts_error_reply(contract: ConsoleContract) -> bool:
    """Tell whether an error reply fits the output contract; one that does not reaches the app as 790014."""
    return matches(contract.output, {"errcode": DEFAULT_ERRCODE, "errmsg": "any"})


def fractions(example: Any, path: str = "$") -> Iterator[str]:
    """Yield the path of each number with a fraction in an example: the console refuses a whole number there."""
    match example:
        case float():
            yield path
        case dict():
            for key, value in example.items():
                yield from fractions(value, f"{path}.{key}")
        case list():
            for value in example:
                yield from fractions(value, f"{path}[]")


def console_contract(ability: Ability) -> ConsoleContract:
    """Return what to register for one ability.

    The examples of an ability with several functions have the keys of all of them.
    """
    requests, replies = ([_example(each) for each in types] for types in _types(ability))
    return ConsoleContract(merged(requests), merged(replies))


def described_contracts(table: AbilityTable, folder: Path) -> dict[str, DescribedContract]:
    """Return what to register, by ability ID, with the program's description of each ability.

    Args:
        table: Of the program.
        folder: The application folder; the places of rows are relative to it.
    """
    return {
        ability_id: DescribedContract(
            **msgspec.structs.asdict(console_contract(ability)),
            target=describe_target(ability.target),
            declared=ability.place.removeprefix(f"{folder}{os.sep}"),
            doc=_doc(ability.target),
            timeout=ability.timeout,
            schemas=json_schemas(ability),
        )
        for ability_id, ability in table.abilities.items()
    }


def json_schemas(ability: Ability) -> dict[str, Any]:
    """Return the JSON Schemas of an ability's input and output."""
    return dict(zip(SIDES, map(_schemas, _types(ability)), strict=True))


def _types(ability: Ability) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the types of an ability's requests, and those of its replies: one of each, or one for each function."""
    target = ability.target
    if isinstance(target, FuncTarget):
        return tuple(wrapped_requests(target).values()), tuple(each.output.type for each in target.functions.values())
    return (target.input.type,), (target.output.type,)


def _doc(target: Target) -> str:
    """Return the docstring of an ability; empty when it has none."""
    match target:
        case HandlerTarget(handler=handler):
            return inspect.getdoc(handler.function) or ""
        case ApiTarget() if not is_of_file(target.input.type):
            return inspect.cleandoc(sys.modules[target.input.type.__module__].__doc__ or "")
        case FuncTarget(functions=functions) if len(functions) == 1:
            return _doc(next(iter(functions.values())))
        case _:
            return ""
