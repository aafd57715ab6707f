"""`wwspec new`: the folder of a new program."""

import shlex
from pathlib import Path

import click

from wwspec_devtools.scaffold.project import (
    PACKAGES,
    PUBLISHED,
    WHEELS,
    find_wheels,
    make_project,
    project_files,
    pure_wheel,
)
from wwspec_router.config import PROGRAM


@click.command()
@click.argument("folder", metavar="NAME", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "examples",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Add the abilities whose examples were copied from the console: DIR/<ability ID>.input.json and .output.json.",
)
@click.option(
    "--wheels",
    "wheels_from",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Copy the wheels of wwspec_router from DIR into NAME/wheels, and name them in the requirement files, so that "
    "pip asks no index for it.",
)
@click.option("--minimal", is_flag=True, help="Make a program of one file, program.py, and its test.")
def command(folder: Path, examples: Path | None, wheels_from: Path | None, minimal: bool) -> None:
    """Make the folder of a new program: abilities with their tests, and what its image is built from.

    NAME is a folder that does not exist yet, or is empty. Its last part also names the program and its image. When
    something is wrong, nothing is written.
    """
    if minimal and examples is not None:
        raise click.UsageError("--from writes a registry file: leave --minimal out")
    wheels = [] if wheels_from is None else find_wheels(wheels_from)
    files = project_files(folder.name or str(folder), wheels, minimal=minimal)  # `.` has no name
    handlers: dict[str, str] = {}
    answered: list[str] = []
    new_apis: dict[str, str] = {}
    if examples is not None:
        from wwspec_devtools.scaffold.console import add_console_abilities  # it imports all that `check` does

        files, handlers, answered, new_apis = add_console_abilities(files, examples)
    make_project(folder, files, wheels)
    which = f"{folder / PROGRAM} is the program" if minimal else f"{folder / 'README.md'} explains them"
    click.echo(f"{folder}: {len(files)} files; {which}")
    if wheels:
        click.echo(f"{folder / WHEELS}: {', '.join(wheel.name for wheel in wheels)}")
    elif not PUBLISHED:
        click.echo(
            f"{folder / WHEELS}: pip and the image need {', '.join(map(pure_wheel, PACKAGES))} there; "
            "`scripts/package --build` in a clone of wwspec_router makes them, and --wheels copies them"
        )
    for ability_id, file in handlers.items():
        click.echo(f"{ability_id}: to be written in {folder / file}")
    for ability_id, api in new_apis.items():
        click.echo(f"{ability_id}: the SDK API {api}, which this release does not know: its examples are the contract")
    if answered:
        click.echo(f"answered already: {', '.join(answered)}")
    _say_what_is_next(folder, "invoke_sync_msg" if minimal else "chat_digest", can_install=bool(wheels) or PUBLISHED)


def _say_what_is_next(folder: Path, ability_id: str, *, can_install: bool) -> None:
    place = shlex.quote(str(folder))
    steps = {f"cd {place} && pytest": "its tests, in an emulated zone"}
    if can_install:
        steps = {
            f"cd {place}": "",
            "python3 -m venv .venv": "",
            "source .venv/bin/activate": "",
            "pip install -r requirements-dev.txt": "into an environment of the program's own",
            "pytest -q": "its tests, in an emulated zone",
        }
    steps |= {
        "wwspec dev": "the program beside the emulator; it restarts when a file changes",
        f"wwspec call {ability_id} '{{\"limit\": 10}}'": "in another terminal: a call, as the enterprise app makes it",
    }
    width = max(map(len, steps))
    for step, text in steps.items():
        click.echo(f"  {step:{width}}  # {text}" if text else f"  {step}")
