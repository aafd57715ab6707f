"""`wwspec abilities`: what is registered."""

from pathlib import Path

import click

from wwspec_router.cli.options import app_options, print_json
from wwspec_router.config import registry_path
from wwspec_router.registry.table import build_table


@click.command()
@app_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(app: Path, registry: Path | None, as_json: bool) -> None:
    """List the ability IDs that the program answers, and what answers each."""
    table = build_table(app, registry_path(app, registry))
    rows = [
        {"ability_id": name, "target": each.description, "timeout": each.timeout, "declared": each.place}
        for name, each in sorted(table.abilities.items())
    ]
    if as_json:
        print_json(rows)
        return
    width = max(map(len, table.abilities), default=0)
    for row in rows:
        limit = "" if row["timeout"] is None else f"  within {row['timeout']:g} s"
        click.echo(f"{row['ability_id']:<{width}}  {row['target']}{limit}")
