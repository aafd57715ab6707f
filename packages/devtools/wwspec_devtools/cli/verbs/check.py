"""`wwspec check`: everything that `serve` checks before it opens the port, and what an image would lack."""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from wwspec_contracts.errors import ConfigurationError, RegistryError, did_you_mean
from wwspec_contracts.support.printable import counted
from wwspec_devtools.console_contracts.described import ConsoleContracts, accepts_error_reply, fractions
from wwspec_devtools.image.missing_files import lacking
from wwspec_router.cli.options import app_options, own_settings_file, print_json
from wwspec_router.config import registry_path
from wwspec_router.registry.own_settings import read_own_settings
from wwspec_router.registry.table import AbilityTable, build_table, check_configuration


@click.command()
@app_options
@click.option("--json", "as_json", is_flag=True, help="Print an object with the lists `faults` and `notes`.")
def command(app: Path, registry: Path | None, as_json: bool) -> None:
    """Check the application and its registry file, and what an image made of the folder would lack.

    Of the image: modules and files that .dockerignore keeps out, and packages that requirements.txt does not name.

    Prints every fault with its row and the fix, and exits with 1 when there is one. A note is no fault. Needs no SDK.
    The variables of the folder's .env count, too; those of the shell go before them.
    """
    try:
        table, contracts = _checked(app, registry)
    except ConfigurationError as error:
        if not as_json:
            raise
        print_json({"faults": getattr(error, "faults", (str(error),)), "notes": ()})
        click.get_current_context().exit(1)
    notes = list(_notes(table, contracts))
    if as_json:
        print_json({"faults": (), "notes": notes})
        return
    for note in notes:
        click.echo(note)
    apis, events = table.api_contracts.values(), table.events.values()
    abilities = counted(len(table.abilities), "ability", "abilities")
    own = sum(each.is_own for each in (*apis, *events))
    click.echo(
        f"{table.registry.path}: {abilities}, {counted(len(apis), 'SDK API')}, {counted(len(events), 'event')}"
        f"{f' ({own} of these contracts of its own)' if own else ''}: no fault"
    )


def _checked(app: Path, registry: Path | None) -> tuple[AbilityTable, ConsoleContracts]:
    """Return the table of an application without a fault; raise a ConfigurationError about all that is wrong."""
    table = build_table(app, registry_path(app, registry))
    check_configuration(table)
    contracts = ConsoleContracts(table)
    faults = [
        f"{table.abilities[ability_id].place}: an error reply does not fit the output contract of {ability_id}, so the "
        "app would see 790014 instead; add errcode (a number) and errmsg (a string)"
        for ability_id, contract in contracts.items()
        if not accepts_error_reply(contract)
    ]
    faults += lacking(app, table.registry)
    if faults:
        raise RegistryError(faults)
    read_own_settings(table.settings, own_settings_file(click.get_current_context()), os.environ)
    return table, contracts


def _notes(table: AbilityTable, contracts: ConsoleContracts) -> Iterator[str]:
    for ability_id, contract in contracts.items():
        for path in fractions(contract.input):
            yield (
                f"{table.abilities[ability_id].place}: note: input {path} takes 1 as well as 1.0, but the console lets "
                "only 1.0 pass (790016): tell the apps that call it, or declare it as an int"
            )
    of_rows = {name: each.declared_by for name, each in table.api_contracts.items() if each.declared_by}
    for name, ability_id in of_rows.items():
        meant = did_you_mean(name, table.api_contracts.keys() - of_rows.keys(), "this release does not know it")
        place = table.abilities[ability_id].place
        yield f"{place}: note: the examples of this row are the contract of SDK API {name}: {meant}"
