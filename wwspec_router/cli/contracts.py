"""`wwspec contracts`: what to paste into WeCom's admin console."""

from pathlib import Path

import click
import msgspec

from wwspec_router.cli.options import app_options, print_json
from wwspec_router.console import ConsoleContract, console_contracts
from wwspec_router.errors import ConfigurationError
from wwspec_router.table import build_table

__all__ = ["command", "write_contracts"]


@click.command()
@app_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write <ability ID>.input.json and .output.json there.",
)
@click.argument("ability_ids", nargs=-1, metavar="[ABILITY]...")
def command(app: Path, registry: Path | None, out: Path | None, ability_ids: tuple[str, ...]) -> None:
    """Print the two JSON examples to register for each ABILITY (all of them when none is named)."""
    contracts = console_contracts(build_table(app, registry or app / "abilities" / "registry.toml"))
    unknown = [each for each in ability_ids if each not in contracts]
    if unknown:
        raise ConfigurationError(f"no such ability: {', '.join(unknown)}; `wwspec abilities` lists them")
    wanted = {name: contracts[name] for name in ability_ids or contracts}
    if out is None:
        print_json(wanted)
    else:
        write_contracts(out, wanted)
        click.echo(f"{out}: {len(wanted)} abilities")


def write_contracts(folder: Path, contracts: dict[str, ConsoleContract]) -> None:
    """Write two files for each ability, as the emulator and `--diff` read them."""
    folder.mkdir(parents=True, exist_ok=True)
    for ability_id, contract in contracts.items():
        for side, example in (("input", contract.input), ("output", contract.output)):
            text = msgspec.json.format(msgspec.json.encode(example), indent=2).decode()
            (folder / f"{ability_id}.{side}.json").write_text(f"{text}\n", encoding="utf-8")
