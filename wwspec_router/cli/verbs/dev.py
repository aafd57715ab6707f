"""`wwspec dev`: program and emulator side by side, while the program is being written."""

import os
import re
import sys
import tempfile
import termios
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import click

from wwspec_router.cli.browser import open_in_browser, open_option
from wwspec_router.cli.dev_note import DevNote, noted
from wwspec_router.cli.emulator_options import EMULATOR_OPTIONS, emulator_options, port_options
from wwspec_router.cli.environment import ENV_FILE, read_env_file
from wwspec_router.cli.forwarding import forwarded
from wwspec_router.cli.help import SectionedCommand
from wwspec_router.cli.hints import call_lines, print_places, sample_call, styled
from wwspec_router.cli.language import VARIABLE
from wwspec_router.cli.options import app_options, needs, own_settings_file, setting_options, store_option
from wwspec_router.cli.ports import require_free_ports
from wwspec_router.cli.watching import changes
from wwspec_router.config import NO_LIMIT, registry_path, settings
from wwspec_router.contracts.files import ConsoleContract
from wwspec_router.contracts.saved_requests import FOLDER
from wwspec_router.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_router.errors import ConfigurationError
from wwspec_router.host.child import START_LIMIT, STOP_LIMIT, Child, ChildError
from wwspec_router.host.signals import until_interrupted
from wwspec_router.registry.own_settings import file_variable

DECIDED = (
    *("host", "allow_remote", "port", "sdk", "store"),
    *("debug_token", "access_token", "corpid", "corpsecret", "api_url"),
)
"""Settings of the program that this verb sets itself, or has its own option for."""
SETTINGS = tuple(name for name in settings() if name not in DECIDED)
SHOWN_CHANGES = 3
DEBUG_STOP = 3.0
"""Seconds that a program has to end when `wwspec dev --debug` ends: it may be at a prompt."""
_PLACE = re.compile(r"([\w./-]*\.(?:py|toml|env|json):\d+):? ")
"""FILE:LINE in the text of a fault; the last one is that of code, if the fault is in code."""


class _DevCommand(SectionedCommand):
    sections: ClassVar = {
        "Options of the emulator, as of `wwspec emulate`": EMULATOR_OPTIONS,
        "Options of the program, as of `wwspec serve`": SETTINGS,
    }


@click.command(cls=_DevCommand)
@needs("emulator")
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
    """
    context = click.get_current_context()
    if not app.is_dir():
        raise ConfigurationError(f"{app}: there is no such folder; name the application's folder with --app")
    require_free_ports({"--port": port, "--emulator-port": emulator_port})
    registry = registry_path(app, registry)
    url, program_url = f"http://127.0.0.1:{emulator_port}", f"http://127.0.0.1:{port}"
    emulate, emulator_environment = forwarded(context, EMULATOR_OPTIONS)
    serve, program_environment = forwarded(context, SETTINGS)
    if debug:
        emulate.append(f"--call-timeout={NO_LIMIT}")
        serve.append("--debug")
    with until_interrupted(), _terminal_kept() if debug else nullcontext(), ExitStack() as stack:
        where = ["--port", str(emulator_port), "--program-url", program_url, "--requests", str(app / FOLDER)]
        emulator = Child(["emulate", *where, *emulate], emulator_environment)
        stack.callback(emulator.stop)
        emulator.wait_ready(f"{url}/emulator/info")
        client = stack.enter_context(EmulatorClient(url))
        try:
            stack.enter_context(noted(app, DevNote(url, program_url)))
        except ConfigurationError as error:
            _say(f"{error}; the verbs of this folder find this one with --url {url}", fg="yellow")
        program_environment |= {
            "WWSPEC_EMULATOR_URL": url,
            "WWSPEC_STORE": store,  # it may hold a password, which a command line would show
            "WWSPEC_STORE_FILE": "",
        }
        program_environment |= file_variable(own_settings_file(context))
        program = _DevelopedProgram(app, registry, port, serve, program_environment, client, in_terminal=debug)
        stack.callback(program.stop, DEBUG_STOP if debug else STOP_LIMIT)
        watched = changes(app, registry)
        if opens:
            open_in_browser(f"{url}/")
        if program.start():
            _print_hints(client, program_url, app, program.contracts)
        if page:
            stack.callback(Child(["zone", "page", page, "--url", url]).stop)
        if debug:
            _say("breakpoint() opens a prompt in this terminal; no time limit ends a call")
        _say(f"watching abilities/ and all else in {app}; Ctrl-C ends it")
        for changed in watched:
            _say(f"{_names(app, changed)} changed: restarting the program")
            client.begin_start()
            program.stop(NO_LIMIT if debug else STOP_LIMIT)
            if program.start():
                _say("the program is up again", fg="green")


def _say(text: str, fg: str = "cyan") -> None:
    click.echo(styled(text, fg=fg), err=True)


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


def _print_hints(client: EmulatorClient, program_url: str, app: Path, contracts: Mapping[str, ConsoleContract]) -> None:
    click.echo()
    print_places(client, program_url, f"{len(contracts)} abilities of {app}")
    click.echo("\nIn another terminal:\n")
    for line in call_lines(client, *sample_call(contracts)):
        click.echo(f"  {line}")
    click.echo()


class _DevelopedProgram:
    """The program under development: it starts again when its files change.

    Args:
        app: The application folder.
        registry: Its registry file.
        port: Where it listens.
        options: Further options of `wwspec serve`.
        environment: Added to its environment, and before that of `.env`.
        client: Of the emulator.
        in_terminal: Whether it reads this terminal; its start then takes as long as it takes.

    Attributes:
        contracts: The contracts of its abilities, at the latest start.
    """

    def __init__(
        self,
        app: Path,
        registry: Path,
        port: int,
        options: list[str],
        environment: Mapping[str, str],
        client: EmulatorClient,
        *,
        in_terminal: bool,
    ) -> None:
        self._app = app
        self._in_terminal = in_terminal
        self._application = ["--app", str(app), "--registry", str(registry)]
        self._serve = ["serve", "--sdk", "emulator", *self._application, "--port", str(port), *options]
        self._url = f"http://127.0.0.1:{port}/healthz"
        self._environment = environment
        self._client = client
        self._child: Child | None = None
        self.contracts: Mapping[str, ConsoleContract] = {}

    def start(self) -> bool:
        """Register the program's abilities and start it. On a fault, print it, tell the emulator and return False."""
        self._client.begin_start()
        try:
            own = read_env_file(self._app / ENV_FILE)
            environment = {**{key: own[key] for key in own if key not in os.environ}, **self._environment}
            self._register(environment)
            self._child = Child(self._serve, environment, in_terminal=self._in_terminal)
            self._child.wait_ready(self._url, NO_LIMIT if self._in_terminal else START_LIMIT)
        except (ChildError, ConfigurationError) as error:
            _say(str(error), fg="red")
            _say("the program is not started; fix the fault, then save the file", fg="yellow")
            self.stop(STOP_LIMIT)
            self._client.end_start(_fault(str(error)))
            return False
        self._client.end_start()
        try:
            self._client.receive_events()
        except EmulatorError as error:  # the corp has cancelled the authorisation, or its permission has ended
            _say(f"the program gets no events: {error}", fg="yellow")
        return True

    def stop(self, limit: float) -> None:
        """End the program, if it runs, and kill it after so many seconds."""
        if self._child is not None:
            self._child.stop(limit)
            self._child = None

    def _register(self, environment: Mapping[str, str]) -> None:
        """Register the program's abilities with the emulator.

        Raises:
            ChildError: The program has a fault; the text is what `wwspec check` says of it.
        """
        with tempfile.TemporaryDirectory(prefix="wwspec-dev-") as folder:
            output = Path(folder, "output")
            # In a process of its own: this one keeps the modules of the first import. In English: see `Error: ` below.
            arguments = ["zone", "register", *self._application, "--url", self._client.url]
            register = Child(arguments, {**environment, VARIABLE: "en", "PYTHONBREAKPOINT": "0"}, output)
            try:
                register.wait_success()
            except ChildError:
                raise ChildError(output.read_text(errors="replace").strip().removeprefix("Error: ")) from None
        self.contracts = self._client.contracts()


def _fault(text: str) -> str:
    """Return what a call is told of a program that is not started: where its first fault is, and which."""
    first, *more = text.splitlines()
    for found in [*_PLACE.finditer(first)][-1:]:
        first = f"fault in {found[1]}: {first[found.end() :]}"
    return f"{first} (and {len(more)} more in the terminal of `wwspec dev`)" if more else first
