"""`wwspec dev`: program and emulator side by side, while the program is being written."""

import os
import sys
import termios
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.support.printable import counted
from wwspec_contracts.support.signals import until_interrupted
from wwspec_devtools.app_settings import file_variable
from wwspec_devtools.child import STOP_LIMIT, Child
from wwspec_devtools.cli.browser import open_in_browser, open_option
from wwspec_devtools.cli.dev_banner import print_call_lines, print_places, sample_call
from wwspec_devtools.cli.dev_note import DevNote, noted
from wwspec_devtools.cli.dev_program import DevelopedProgram, machine_places, say
from wwspec_devtools.cli.emulator_options import OFTEN_USED, often_used_options, port_options
from wwspec_devtools.cli.free_ports import require_free_ports
from wwspec_devtools.cli.watching import changes
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.http.follower import Follower
from wwspec_devtools.emulator.settings import read_settings
from wwspec_router.cli.options import app_options, own_settings_file, setting_options, store_option
from wwspec_router.config import NO_LIMIT, registry_path, settings, variable

DECLARED = ("workers", "log_level")
"""Settings of the program that are options here, too; wwspec.toml and the environment have the others."""
SHOWN_CHANGES = 3
DEBUG_STOP = 3.0
"""Seconds that a program has to end when `wwspec dev --debug` ends: it may be at a prompt."""


@click.command(context_settings={"auto_envvar_prefix": "WWSPEC_EMULATOR"})  # --corps is WWSPEC_EMULATOR_CORPS
@app_options
@port_options
@open_option
@click.option(
    "--debug",
    is_flag=True,
    help="For debuggers: the program is one process that reads this terminal, breakpoint() opens pdb there, and no "
    "time limit ends a call.",
)
@click.option(
    "--page", metavar="URL", default="", help="Open this page of the app in a Chromium whose WeCom is the emulator."
)
@store_option("sqlite:var/dev.db", "Where events wait.")
@often_used_options
@partial(setting_options, but=settings().keys() - DECLARED)
def command(
    app: Path,
    registry: Path | None,
    port: int,
    emulator_port: int,
    opens: bool,
    debug: bool,
    page: str,
    store: str,
    scene: Path | None,
    machines: int,
    **_: Any,
) -> None:
    """Run the program and the emulator, and restart the program when a file of the application changes.

    The emulator keeps its state throughout. A program with a fault is tried again at the next change; with --debug a
    change waits for the calls that run.

    Further settings come from [serve] and [dev] of wwspec.toml, [emulator] of the scene file, and the variables
    WWSPEC_... and WWSPEC_EMULATOR_...
    """
    context = click.get_current_context()
    if scene is not None and context.get_parameter_source("machines") is ParameterSource.DEFAULT:
        machines = read_settings(scene, callback_url="", command_url="").machines  # the tokens are the emulator's
    ports = range(port, port + machines)
    _check(app, ports, emulator_port, debug=debug)
    registry = registry_path(app, registry)
    url, program_url = f"http://127.0.0.1:{emulator_port}", f"http://127.0.0.1:{port}"
    emulate = [*_given(context, OFTEN_USED), f"--machines={machines}"]
    serve = _given(context, DECLARED)
    if debug:
        emulate.append(f"--call-timeout={NO_LIMIT}")
        serve.append("--debug")
    with until_interrupted(), _terminal_kept() if debug else nullcontext(), ExitStack() as stack:
        where = ["--port", str(emulator_port), "--program-url", program_url]
        emulator = Child(["emulate", *where, *emulate], {"WWSPEC_APP": str(app)})
        stack.callback(emulator.stop)
        client = stack.enter_context(EmulatorClient(url))
        variables = {**_variables(context), "WWSPEC_EMULATOR_URL": url, **file_variable(own_settings_file(context))}
        places = machine_places(app, ports, store)
        program = DevelopedProgram(app, registry, places, serve, variables, client, in_terminal=debug)
        stack.callback(program.close, DEBUG_STOP if debug else STOP_LIMIT)
        program.prepare()
        emulator.wait_ready(f"{url}/emulator/info")
        stack.enter_context(noted(app, DevNote(url, program_url)))
        watched = changes(app, registry)
        if opens:
            open_in_browser(f"{url}/")
        hints = partial(_print_hints, client, program_url, app, program, len(ports))
        is_up = program.start()
        if len(ports) > 1:
            Follower(url, program)
        if is_up:
            hints()
        if page:
            stack.callback(Child(["zone", "page", page, "--url", url]).stop)
        if debug:
            say("breakpoint() opens a prompt in this terminal; no time limit ends a call")
        say(f"watching {app}; Ctrl-C ends it")
        _restart(program, app, watched, NO_LIMIT if debug else STOP_LIMIT, None if is_up else hints)


def _restart(
    program: DevelopedProgram,
    app: Path,
    watched: Iterable[list[Path]],
    limit: float,
    introduce: Callable[[], None] | None,
) -> None:
    """Start the program again at each change.

    Args:
        program: The program.
        app: Its folder.
        watched: Yields the files of each change.
        limit: Seconds that the program has to end.
        introduce: Prints what a person needs to know, at the first start that succeeds; None when it is printed.
    """
    for changed in watched:
        say(f"{_names(app, changed)} changed: restarting the program")
        if not program.start(limit):
            continue
        if introduce is None:
            say("the program is up again", fg="green")
        else:
            introduce()
            introduce = None


def _given(context: click.Context, names: Iterable[str]) -> list[str]:
    """Return those of the options that a verb was given, for another verb."""
    given = [name for name in names if context.get_parameter_source(name) is not ParameterSource.DEFAULT]
    return [f"--{name.replace('_', '-')}={context.params[name]}" for name in given]


def _variables(context: click.Context) -> dict[str, str]:
    """Return the settings of wwspec.toml that are no options of this verb, as variables; those that are set stay."""
    names = (context.default_map or {}).keys() & settings().keys() - context.params.keys()
    return {
        variable(name): str((context.default_map or {})[name]) for name in names if not os.environ.get(variable(name))
    }


def _check(app: Path, ports: Sequence[int], emulator_port: int, *, debug: bool) -> None:
    if debug and len(ports) > 1:
        raise click.UsageError("--debug is for one machine: leave --machines out")
    if not app.is_dir():
        raise ConfigurationError(f"{app}: there is no such folder; name the application's folder with --app")
    for port in ports:
        require_free_ports({"--port": port, "--emulator-port": emulator_port})


@contextmanager
def _terminal_kept() -> Iterator[None]:
    """Restore the terminal at the end: a program that is killed at the prompt of a debugger leaves it without echo."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _names(app: Path, changed: list[Path]) -> str:
    names = [str(path.relative_to(app)) if path.is_relative_to(app) else str(path) for path in changed]
    more = len(names) - SHOWN_CHANGES
    return ", ".join(names[:SHOWN_CHANGES]) + (f" and {more} more files" if more > 0 else "")


def _print_hints(client: EmulatorClient, program_url: str, app: Path, program: DevelopedProgram, machines: int) -> None:
    click.echo()
    several = f", on {machines} machines: this port and those behind it" if machines > 1 else ""
    abilities = counted(len(program.contracts), "ability", "abilities")
    print_places(client, program_url, f"{abilities} of {app}{several}")
    click.echo()
    print_call_lines(client, *sample_call(program.contracts, client.info()))
