"""`wwspec dev`: program and emulator side by side, while the program is being written."""

import sys
import termios
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import click
from click.core import ParameterSource

from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.support.printable import counted
from wwspec_contracts.support.signals import until_interrupted
from wwspec_devtools.app_settings import file_variable
from wwspec_devtools.child import STOP_LIMIT, Child
from wwspec_devtools.cli.browser import open_in_browser, open_option
from wwspec_devtools.cli.dev_banner import print_call_lines, print_places, sample_call
from wwspec_devtools.cli.dev_note import DevNote, keep_note
from wwspec_devtools.cli.dev_program import DevelopedProgram, machine_places, say
from wwspec_devtools.cli.emulator_options import EMULATOR_OPTIONS, emulator_options, port_options
from wwspec_devtools.cli.free_ports import require_free_ports
from wwspec_devtools.cli.watching import changes
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.http.follower import Follower
from wwspec_router.cli.help import SectionedCommand
from wwspec_router.cli.options import SecretOption, app_options, own_settings_file, setting_options, store_option
from wwspec_router.config import NO_LIMIT, registry_path, settings

DECIDED = (
    *("host", "allow_remote", "port", "sdk", "store"),
    *("debug_token", "access_token", "corpid", "corpsecret", "api_url"),
)
"""Settings of the program that this verb sets itself, or has its own option for."""
SETTINGS = tuple(name for name in settings() if name not in DECIDED)
SHOWN_CHANGES = 3
DEBUG_STOP = 3.0
"""Seconds that a program has to end when `wwspec dev --debug` ends: it may be at a prompt."""


class _DevCommand(SectionedCommand):
    sections: ClassVar = {
        "Options of the emulator, as of `wwspec emulate`": EMULATOR_OPTIONS,
        "Options of the program, as of `wwspec serve`": SETTINGS,
    }


@click.command(cls=_DevCommand)
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
    "--page",
    metavar="URL",
    default="",
    help="Open this page of the app in a Chromium whose WeCom is the emulator, as `wwspec zone page` does.",
)
@store_option("sqlite:var/dev.db", "Where events wait.")
@emulator_options
@partial(setting_options, but=DECIDED)
def command(
    app: Path,
    registry: Path | None,
    port: int,
    emulator_port: int,
    opens: bool,
    debug: bool,
    page: str,
    store: str,
    **options: Any,
) -> None:
    """Run the program and the emulator, and restart the program when a file of the application changes.

    Watched are all Python, TOML, JSON, YAML and .env files of the application folder, except what its .gitignore names,
    tests, the folder of the enterprise app (app/, or one with a module of `wwspec contracts --client`), files of
    `wwspec contracts --out` that the registry file does not name, saved requests in requests/, var/, dist/, build/,
    node_modules/, venv/ and folders that begin with a dot. The variables of the file .env are the program's.

    A program with a fault is reported and tried again at the next change; the emulator keeps its state throughout,
    and learns the program's contracts anew at every start. Calls that come while the program starts wait for it, up to
    10 seconds. Log lines show everything: each call, the text of every error, what handlers print. With the vendor's
    SDK nothing of this is logged.

    With --debug a changed file restarts the program once the calls that run have ended.

    With --machines 3 there are three programs, as WeCom deploys one: on --port and the ports behind it, each with a
    store and files of its own below var/machine-1/ and so on. `wwspec zone machine` and `wwspec zone deploy` stop and
    wipe them.
    """
    context = click.get_current_context()
    ports = range(port, port + int(options["machines"]))
    _check(app, ports, emulator_port, debug=debug)
    registry = registry_path(app, registry)
    url, program_url = f"http://127.0.0.1:{emulator_port}", f"http://127.0.0.1:{port}"
    emulate, emulator_environment = options_to_pass_on(context, EMULATOR_OPTIONS)
    serve, program_environment = options_to_pass_on(context, SETTINGS)
    if debug:
        emulate.append(f"--call-timeout={NO_LIMIT}")
        serve.append("--debug")
    with until_interrupted(), _terminal_kept() if debug else nullcontext(), ExitStack() as stack:
        where = ["--port", str(emulator_port), "--program-url", program_url]
        emulator = Child(["emulate", *where, *emulate], emulator_environment)
        stack.callback(emulator.stop)
        client = stack.enter_context(EmulatorClient(url))
        program_environment |= {"WWSPEC_EMULATOR_URL": url, **file_variable(own_settings_file(context))}
        places = machine_places(app, ports, store)
        program = DevelopedProgram(app, registry, places, serve, program_environment, client, in_terminal=debug)
        stack.callback(program.close, DEBUG_STOP if debug else STOP_LIMIT)
        program.prepare()
        emulator.wait_ready(f"{url}/emulator/info")
        try:
            stack.enter_context(keep_note(app, DevNote(url, program_url)))
        except ConfigurationError as error:
            say(f"{error}; the verbs of this folder find this one with --url {url}", fg="yellow")
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
        say(f"watching abilities/ and all else in {app}; Ctrl-C ends it")
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


def options_to_pass_on(context: click.Context, names: Collection[str]) -> tuple[list[str], dict[str, str]]:
    """Return the options that a verb was given, in the form that another verb takes.

    Args:
        context: The context of the verb that was given them.
        names: The parameters to pass on.

    Returns:
        Options, and environment variables for secrets: every user of the machine can read a command line.
    """
    options: list[str] = []
    environment: dict[str, str] = {}
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in names or context.get_parameter_source(name) is ParameterSource.DEFAULT:
            continue
        value = context.params[name]
        if isinstance(parameter, SecretOption):
            environment |= {str(parameter.envvar): str(value), f"{parameter.envvar}_FILE": ""}
        elif isinstance(value, bool):
            options += parameter.opts[:1] if value else parameter.secondary_opts[:1]
        elif isinstance(value, tuple):
            options += [f"{parameter.opts[0]}={each}" for each in value]
        else:
            options.append(f"{parameter.opts[0]}={value}")
    return options, environment


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
    print_call_lines(client, *sample_call(program.contracts))
