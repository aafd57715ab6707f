"""`wwspec new`: the folder of a new program."""

import shlex
from pathlib import Path

import click

from wwspec_router.scaffold.project import make_project, project_files


@click.command()
@click.argument("folder", metavar="NAME", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Make the folder of a new program: abilities with their tests, and what its image is built from.

    NAME is a folder that does not exist yet, or is empty. Its last part also names the program and its image. When
    something is wrong, nothing is written.

    Example: wwspec new shop && cd shop && pytest
    """
    files = project_files(folder.name)
    make_project(folder, files)
    click.echo(f"{folder}: {len(files)} files, {folder / 'README.md'} explains them. Next:")
    steps = {
        f"cd {shlex.quote(str(folder))} && pytest": "its tests, in an emulated zone",
        "wwspec dev": "the program beside the emulator; it restarts when a file changes",
        "wwspec call chat_digest '{\"limit\": 10}'": "in another terminal: a call, as the enterprise app makes it",
    }
    width = max(map(len, steps))
    for step, text in steps.items():
        click.echo(f"  {step:{width}}  # {text}")
