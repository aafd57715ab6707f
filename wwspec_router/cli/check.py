"""`wwspec check`: everything that `serve` checks before it opens the port, and nothing more."""

from pathlib import Path

import click

from wwspec_router.cli.options import app_options
from wwspec_router.table import build_table, check_configuration


@click.command()
@app_options
def command(app: Path, registry: Path | None) -> None:
    """Check the application and its registry file.

    Prints every fault with its row and the mend, and exits with 1 when there is one. Needs no SDK.
    """
    table = build_table(app, registry or app / "abilities" / "registry.toml")
    check_configuration(table)
    click.echo(
        f"{table.registry.path}: {len(table.abilities)} abilities, {len(table.api_contracts)} SDK APIs, "
        f"{len(table.events)} events: no fault"
    )
