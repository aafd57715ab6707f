"""What to register in WeCom's admin console for each ability: two JSON examples, made from the contracts [100019].

Used by the command line and, through it, by the emulator: both work with what the console has.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from wwspec_router.contracts.examples import console_example
from wwspec_router.contracts.files import ConsoleContract
from wwspec_router.contracts.matching import matches, merged, mismatches
from wwspec_router.errors import DEFAULT_ERRCODE
from wwspec_router.registry.table import AbilityTable
from wwspec_router.registry.targets import Ability, FuncTarget

__all__ = [
    "compare",
    "console_contract",
    "console_contracts",
    "fractions",
    "json_schemas",
    "takes_error_reply",
]


def console_contracts(table: AbilityTable) -> dict[str, ConsoleContract]:
    """Return what to register, by ability ID, in the order of the table."""
    return {ability_id: console_contract(ability) for ability_id, ability in table.abilities.items()}


def takes_error_reply(contract: ConsoleContract) -> bool:
    """Tell whether an error reply fits the output contract; one that does not reaches the app as 790014."""
    return matches(contract.output, {"errcode": DEFAULT_ERRCODE, "errmsg": "any"})


def fractions(example: Any, path: str = "$") -> Iterator[str]:
    """Yield the path of each number with a fraction in an example: the console lets no whole number pass there."""
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

    An ability that answers several functions has the keys of all of them taken together.
    """
    target = ability.target
    if isinstance(target, FuncTarget):
        requests = [console_example(each) for each in target.requests.values()]
        replies = [console_example(each.output.type) for each in target.functions.values()]
        return ConsoleContract(merged(requests), merged(replies))
    return ConsoleContract(console_example(target.input.type), console_example(target.output.type))


def compare(contract: ConsoleContract, registered: dict[str, Any]) -> Iterator[str]:
    """Yield what would go wrong with an ability as it is registered in the console.

    Args:
        contract: What the code says.
        registered: `input` and `output` as the console has them; a missing one is not compared.
    """
    if "input" in registered:
        refused = dict(mismatches(registered["input"], contract.input))
        for path, why in refused.items():
            yield f"input {path}: a call that uses it is refused by the platform (790016): {why}"
        for path, why in mismatches(contract.input, registered["input"]):
            if path not in refused:  # another type is reported once
                yield f"input {path}: the console lets it pass, the program refuses it: {why}"
    if "output" in registered:
        for path, why in mismatches(registered["output"], contract.output):
            yield f"output {path}: a reply that holds it is refused by the platform (790014): {why}"


def json_schemas(ability: Ability) -> dict[str, Any]:
    """Return the JSON Schemas of an ability's input and output."""
    target = ability.target
    if isinstance(target, FuncTarget):
        requests = list(target.requests.values())
        replies = [each.output.type for each in target.functions.values()]
        return {"input": _any_of(requests), "output": _any_of(replies)}
    return {"input": msgspec.json.schema(target.input.type), "output": msgspec.json.schema(target.output.type)}


def _any_of(types: list[Any]) -> dict[str, Any]:
    schemas, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    return {"anyOf": list(schemas), "$defs": definitions}
