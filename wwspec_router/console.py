"""What to register in WeCom's admin console for each ability: two JSON examples, made from the contracts [100019].

Used by the command line and, through it, by the emulator, so that both are told the same as the console is.
"""

from typing import Any

import msgspec

from wwspec_router.contracts.examples import console_example
from wwspec_router.contracts.matching import merged
from wwspec_router.table import Ability, AbilityTable, FuncTarget

__all__ = ["ConsoleContract", "console_contract", "console_contracts"]


class ConsoleContract(msgspec.Struct, frozen=True):
    """The two JSON examples of one ability, decoded."""

    input: Any
    output: Any


def console_contracts(table: AbilityTable) -> dict[str, ConsoleContract]:
    """Return what to register, by ability ID, in the order of the table."""
    return {ability_id: console_contract(ability) for ability_id, ability in table.abilities.items()}


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
