"""`wwspec contracts`: what to paste into WeCom's admin console, and whether the console still has it."""

from pathlib import Path
from typing import Any

import click
import msgspec

from wwspec_router.cli.options import app_options, print_json
from wwspec_router.errors import ConfigurationError
from wwspec_router.registry.examples import ConsoleContract, compare, console_contracts, json_schemas
from wwspec_router.registry.table import build_table

__all__ = ["command", "read_contracts", "write_contracts"]

SIDES = ("input", "output")


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
@click.argument("ability_ids", nargs=-1, metavar="[ABILITY]...")
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
    table = build_table(app, registry or app / "abilities" / "registry.toml")
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
        write_contracts(out, wanted)
        click.echo(f"{out}: {len(wanted)} abilities")
    else:
        print_json(wanted)


def write_contracts(folder: Path, contracts: dict[str, ConsoleContract]) -> None:
    """Write two files for each ability, as the emulator and `--diff` read them."""
    folder.mkdir(parents=True, exist_ok=True)
    for ability_id, contract in contracts.items():
        for side in SIDES:
            text = msgspec.json.format(msgspec.json.encode(getattr(contract, side)), indent=2).decode()
            _file(folder, ability_id, side).write_text(f"{text}\n", encoding="utf-8")


def read_contracts(folder: Path) -> dict[str, dict[str, Any]]:
    """Read what the console has: ability ID -> side -> example, from whatever files there are.

    Raises:
        ConfigurationError: A file is not JSON; all such files are named.
    """
    found: dict[str, dict[str, Any]] = {}
    faults = []
    for path in sorted(folder.glob("*.json")):
        ability_id, _, side = path.name.removesuffix(".json").rpartition(".")
        if side not in SIDES:
            faults.append(f"{path}: name it <ability ID>.input.json or <ability ID>.output.json")
            continue
        try:
            found.setdefault(ability_id, {})[side] = msgspec.json.decode(path.read_bytes())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            faults.append(f"{path}: not JSON: {error}")
    if faults:
        raise ConfigurationError("\n".join(faults))
    return found


def _file(folder: Path, ability_id: str, side: str) -> Path:
    if "/" in ability_id or ability_id.startswith("."):
        raise ConfigurationError(f"the ability ID {ability_id} can't be part of a file's name")
    return folder / f"{ability_id}.{side}.json"


def _diff(folder: Path, contracts: dict[str, ConsoleContract], *, whole: bool) -> None:
    registered = read_contracts(folder)
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
