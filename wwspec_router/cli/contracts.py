"""`wwspec contracts`: what to paste into WeCom's admin console, and whether the console still has it."""

from pathlib import Path

import click

from wwspec_router.cli.candidates import ability_ids as known_ids
from wwspec_router.cli.options import app_options, print_json
from wwspec_router.config import registry_path
from wwspec_router.contracts.files import ConsoleContract, read_console_files, write_console_files
from wwspec_router.errors import ConfigurationError
from wwspec_router.registry.examples import compare, console_contracts, json_schemas
from wwspec_router.registry.table import build_table


@click.command()
@app_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write <ability ID>.input.json and <ability ID>.output.json there.",
)
@click.option("--json-schema", is_flag=True, help="Print JSON Schemas instead, for other tools.")
@click.option(
    "--diff",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Compare with files that were copied from the console; exit 1 when a call or a reply would be refused.",
)
@click.argument("ability_ids", nargs=-1, metavar="[ABILITY]...", shell_complete=known_ids)
def command(
    app: Path,
    registry: Path | None,
    out: Path | None,
    json_schema: bool,
    diff: Path | None,
    ability_ids: tuple[str, ...],
) -> None:
    """Print the two JSON examples to register for each ABILITY (all of them when none is named)."""
    if sum((out is not None, json_schema, diff is not None)) > 1:
        raise click.UsageError("give one of --out, --json-schema and --diff")
    table = build_table(app, registry_path(app, registry))
    contracts = console_contracts(table)
    unknown = [each for each in ability_ids if each not in contracts]
    if unknown:
        raise ConfigurationError(f"no such ability: {', '.join(unknown)}; `wwspec abilities` lists them")
    wanted = {name: contracts[name] for name in ability_ids or contracts}
    if json_schema:
        print_json({name: json_schemas(table.abilities[name]) for name in wanted})
    elif diff is not None:
        _diff(diff, wanted, whole=not ability_ids)
    elif out is not None:
        write_console_files(out, wanted)
        click.echo(f"{out}: {len(wanted)} abilities")
    else:
        print_json(wanted)


def _diff(folder: Path, contracts: dict[str, ConsoleContract], *, whole: bool) -> None:
    registered = read_console_files(folder)
    differences = [
        f"{ability_id}: {difference}"
        for ability_id, contract in contracts.items()
        for difference in compare(contract, registered.get(ability_id, {}))
    ]
    if whole:
        gone = registered.keys() - contracts.keys()
        differences += [f"{each}: registered, but the program has no such ability" for each in sorted(gone)]
    for difference in differences:
        click.echo(difference)
    if differences:
        click.get_current_context().exit(1)
    click.echo(f"{folder}: no difference in {len(contracts)} abilities")
