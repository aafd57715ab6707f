"""`wwspec image`: the image of a program as a flat tar, and a check of such a tar."""

import shlex
from pathlib import Path

import click

from wwspec_devtools.cli.option_types import FILE
from wwspec_devtools.image.engine import ENGINES
from wwspec_router.cli.language import translated
from wwspec_router.cli.options import print_json


@click.command()
@click.option(
    "--app",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    default=Path(),
    help="The program's folder, with its Dockerfile.  [default: this folder]",
)
@click.option("--output", type=FILE, help="Where the tar goes.  [default: dist/zone-image.tar in the program's folder]")
@click.option("--base", metavar="IMAGE", help="A base image with CPython 3.12, best with its digest: NAME:TAG@sha256:…")
@click.option("--index-url", metavar="URL", help="A mirror of the Python package index; it is not kept in the image.")
@click.option("--engine", type=click.Choice(ENGINES), help="What builds.  [default: the first that works]")
@click.option(
    "--check",
    "tar",
    type=FILE,
    metavar="TAR",
    help="Build nothing: look into this tar or tar.gz. Needs no engine; extracts and starts nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="With --check: print JSON.")
@click.argument("build_options", nargs=-1, metavar="[-- BUILD-OPTION...]")
def command(
    app: Path,
    output: Path | None,
    base: str | None,
    index_url: str | None,
    engine: str | None,
    tar: Path | None,
    as_json: bool,
    build_options: tuple[str, ...],
) -> None:
    """Build the image of a program and export it as WeCom's console takes it: a tar of the flat root file system.

    Needs docker, podman or buildah, and the vendor's wwspecapisdk.so in sdk/. The start command for the console is
    /bin/bash /app/run.sh. Wheels in wheels/ come before those of the package index. Options after -- go to the build of
    the engine.

    With --check there is one line for each check, and exit code 1 when the zone would not take or start the image:

    \b
    ok     nothing to do
    fault  the line names the fix
    """  # noqa: D301 - click's own mark for a paragraph that keeps its lines
    if tar is not None:
        if output or base or index_url or engine or build_options:
            raise click.UsageError("--check looks into a tar and builds nothing: leave out what is for a build")
        _check(tar, as_json)
        return
    if as_json:
        raise click.UsageError("--json goes with --check")
    if any("BASE_IMAGE=" in each for each in build_options):
        raise click.UsageError("name the base image with --base, so that messages name it, too")
    from wwspec_devtools.image.build import Order, build_image

    file = (app / "dist/zone-image.tar" if output is None else output).absolute()
    order = Order(app, file, base, index_url, build_options, engine)
    build_image(order, _say)
    _say(f"look into it with: wwspec image --check {shlex.quote(str(file))}")
    click.echo(file)


def _check(tar: Path, as_json: bool) -> None:
    from wwspec_devtools.image.checks import inspect_tar

    _say(f"reading {tar}")
    report = inspect_tar(tar)
    if as_json:
        print_json(report.document())
    else:
        click.echo("\n".join(report.lines(translated)))
    if report.has_fault:
        click.get_current_context().exit(1)


def _say(line: str) -> None:
    click.echo(f"wwspec image: {translated(line)}", err=True)
