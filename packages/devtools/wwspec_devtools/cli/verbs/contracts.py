"""`wwspec contracts`: what to paste into WeCom's admin console, and whether the console still has it."""

import shlex
from pathlib import Path
from typing import Any

import click
import msgspec

from wwspec_contracts.errors import ConfigurationError, did_you_mean
from wwspec_contracts.files import SIDES, ConsoleContract, read_console_files, write_console_files
from wwspec_contracts.support.printable import counted
from wwspec_devtools.cli.candidates import ability_ids as known_ids
from wwspec_devtools.cli.option_types import FOLDER
from wwspec_devtools.console_contracts.comparing import compare
from wwspec_devtools.console_contracts.described import ConsoleContracts, described_contracts, json_schemas
from wwspec_router.cli.options import app_options, print_json
from wwspec_router.config import registry_path
from wwspec_router.registry.table import AbilityTable, build_table


@click.command()
@app_options
@click.option("--out", type=FOLDER, help="Write <ability ID>.input.json and <ability ID>.output.json there.")
@click.option(
    "--json-schema", is_flag=True, help="Print JSON Schemas instead, for other tools; with --out, write them."
)
@click.option(
    "--diff",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Compare with files that were copied from the console; exit 1 when a call or a reply would be refused.",
)
@click.option(
    "--client",
    type=FOLDER,
    help="Write the module of the program's own abilities there, <program>.py, for its enterprise app.",
)
@click.option("--check", is_flag=True, help="With --client: write nothing; exit 1 with a diff when the module is old.")
@click.option("--described", type=click.Path(path_type=Path), hidden=True)  # of `wwspec dev`, which registers them
@click.argument("ability_ids", nargs=-1, metavar="[ABILITY]...", shell_complete=known_ids)
def command(
    app: Path,
    registry: Path | None,
    out: Path | None,
    json_schema: bool,
    diff: Path | None,
    client: Path | None,
    check: bool,
    described: Path | None,
    ability_ids: tuple[str, ...],
) -> None:
    """Print the two JSON examples to register for each ABILITY (all of them when none is named)."""
    if sum((out is not None or json_schema, diff is not None, client is not None)) > 1:
        raise click.UsageError("give --diff or --client alone; --json-schema and --out go together")
    if check and client is None:
        raise click.UsageError("--check goes with --client")
    if client is not None and ability_ids:
        raise click.UsageError("--client writes all abilities: name none")
    table = build_table(app, registry_path(app, registry))
    if described is not None:
        described.write_bytes(msgspec.json.encode(described_contracts(table, app)))
        return
    if client is not None:
        _client(client, table, check=check)
        return
    contracts = ConsoleContracts(table)
    if unknown := [each for each in ability_ids if each not in contracts]:
        raise ConfigurationError(
            "\n".join(
                f"no such ability: {each}; {did_you_mean(each, contracts, '`wwspec abilities` lists them')}"
                for each in unknown
            )
        )
    wanted = {name: contracts[name] for name in ability_ids or contracts}
    if diff is not None:
        _diff(diff, wanted, whole=not ability_ids)
        return
    if json_schema:
        wanted = {name: ConsoleContract(**json_schemas(table.abilities[name])) for name in wanted}
    if out is not None:
        write_console_files(out, wanted)
        click.echo(f"{out}: {counted(len(wanted), 'ability', 'abilities')}")
    else:
        print_json(wanted)


def _client(folder: Path, table: AbilityTable, *, check: bool) -> None:
    """Write the module of the program's own abilities, or print how the folder's module differs."""
    import difflib  # here, since only this option needs them

    from wwspec_devtools.app_module import client_module, module_name

    path = folder / f"{module_name(table)}.py"
    text = client_module(table)
    try:
        old = path.read_text("utf-8") if path.exists() else ""
        if not check and text != old:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from None
    if not check:
        click.echo(f"{path}: {'written' if text != old else 'no change'}")
        return
    lines = difflib.unified_diff(old.splitlines(), text.splitlines(), str(path), f"{path} as it would be", lineterm="")
    differing = list(lines)
    if differing:
        click.echo("\n".join(differing))
        raise click.ClickException(f"{path} is old: `wwspec contracts --client {shlex.quote(str(folder))}` writes it")
    click.echo(f"{path}: no difference")


def _diff(folder: Path, contracts: dict[str, ConsoleContract], *, whole: bool) -> None:
    """Print what differs: first what would be refused, then what is missing, one line for each kind."""
    registered = read_console_files(folder)
    lines = [
        f"{ability_id}: {difference}"
        for ability_id, contract in contracts.items()
        for difference in compare(contract, registered.get(ability_id, {}))
    ]
    for sides in (SIDES, *((side,) for side in SIDES)):
        missing = [name for name in contracts if _missing(registered.get(name, {})) == sides]
        lines += _group(f"not registered ({' and '.join(sides)})", missing)
    if whole:
        lines += _group("registered, but the program has no such ability", sorted(registered.keys() - contracts.keys()))
    if lines:
        click.echo("\n".join(lines))
        click.get_current_context().exit(1)
    click.echo(f"{folder}: no difference in {counted(len(contracts), 'ability', 'abilities')}")


def _missing(registered: dict[str, Any]) -> tuple[str, ...]:
    return tuple(side for side in SIDES if side not in registered)


def _group(what: str, ability_ids: list[str]) -> list[str]:
    """Return one line that names all abilities of a kind; no line without abilities."""
    return [f"{what}: {', '.join(ability_ids)}"] if ability_ids else []
