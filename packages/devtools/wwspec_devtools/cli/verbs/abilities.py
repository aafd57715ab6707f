"""`wwspec abilities`: what is registered, and which contracts are the application's own."""

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import click

from wwspec_devtools.cli.tables import print_list
from wwspec_devtools.console_contracts.targets import describe_event, describe_target
from wwspec_router.cli.options import app_options, print_json
from wwspec_router.config import registry_path
from wwspec_router.registry.loader import ModuleContract
from wwspec_router.registry.table import AbilityTable, build_table
from wwspec_router.registry.targets import ApiTarget, CallbackTarget, FuncTarget, Target


@click.command()
@app_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(app: Path, registry: Path | None, as_json: bool) -> None:
    """List the ability IDs that the program answers, what answers each, and where that is declared.

    Below them are events that own code runs on, and notifications of the program's own. Then comes each contract of
    the application's own, with its files: it replaces a contract of WeCom, or adds one.
    """
    table = build_table(app, registry_path(app, registry))
    abilities = sorted(table.abilities.items())
    if as_json:
        print_json(
            [
                {
                    "ability_id": name,
                    "target": describe_target(each.target),
                    "timeout": each.timeout,
                    "declared": each.place,
                    "own_contracts": [
                        file for own in _contracts(table, each.target) if own.is_own for file in own.files
                    ],
                }
                for name, each in abilities
            ]
        )
        return
    rows = []
    for name, each in abilities:
        limit = "" if each.timeout is None else f", within {each.timeout:g} s"
        rows.append((name, f"{describe_target(each.target)}{limit}", each.place))
    for event_type, target in table.event_targets.items():
        rows.append((f"event {event_type}", describe_event(target), target.place))
    kinds = [each.name for each in table.kinds.values()]
    rows += [(f"notification {kind}", "", table.registry.place("notifications", kind)) for kind in kinds]
    names = ("answers", "with", "declared at")
    shown = [(*each, place.removeprefix(f"{app}{os.sep}")) for *each, place in rows]
    print_list([dict(zip(names, each, strict=True)) for each in shown], names, as_json=False)
    for contract in chain(table.api_contracts.values(), table.events.values()):
        if contract.is_own:
            click.echo(_own_contract(contract))


def _contracts(table: AbilityTable, target: Target) -> Iterator[ModuleContract]:
    """Yield the contracts of SDK APIs and events that an ability is checked by."""
    match target:
        case ApiTarget(api=api):
            yield table.api_contracts[api]
        case CallbackTarget():
            yield from table.events.values()
        case FuncTarget(functions=functions):
            for each in functions.values():
                yield from _contracts(table, each)


def _own_contract(contract: ModuleContract) -> str:
    files = contract.files
    does = "adds the contract" if contract.replaces is None else "replaces the shipped contract"
    does = does if len(files) == 1 else "add the contract"
    return f"{' and '.join(files)} {does} of {contract.kind} {contract.name}"
