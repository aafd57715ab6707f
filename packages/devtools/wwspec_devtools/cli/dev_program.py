"""The program under development, on one machine or several: `wwspec dev` starts it again when its files change."""

import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

import click
import msgspec

from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.files import DescribedContract
from wwspec_devtools.child import STOP_LIMIT, Child, ChildError
from wwspec_devtools.cli.tables import styled
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_devtools.emulator.standin.wwspec_standin.link import MACHINE_VARIABLE
from wwspec_router.cli.environment import env_variables
from wwspec_router.cli.language import VARIABLE
from wwspec_router.config import NO_LIMIT, PROGRAM, VAR

_PLACE = re.compile(r"([\w./-]*\.(?:py|toml|env|json):\d+):? ")
"""FILE:LINE in the text of a fault; the last one is that of code, if the fault is in code."""

HOLD_AFTER = 0.5
"""Seconds after a start until the next one is prepared: the first calls have the cores for themselves."""

_SERVING = (
    "wwspec_router.cli.verbs.serve",
    "wwspec_router.serving.server",
    "wwspec_router.stores.sqlite.events",
    "wwspec_contracts.messages",
    "uvicorn.loops.auto:auto_loop_factory",  # imports uvloop, where it is installed
    "Crypto.Cipher.AES",
)
_DESCRIBING = ("wwspec_devtools.cli.verbs.contracts", "wwspec_devtools.console_contracts.described:describe_apis")
"""What the two processes of a start can do before the application is read; see `prestart.order`."""


class Place(NamedTuple):
    """Where the program runs on one machine."""

    port: int
    environment: dict[str, str]
    """The variables of this machine."""
    disk: Path | None
    """The folder of all that it stores; None for the only machine, whose files are the application's own."""


def machine_places(app: Path, ports: Sequence[int], store: str) -> list[Place]:
    """Return the places of all machines.

    Args:
        app: The application folder.
        ports: Where each listens.
        store: The store's URL. A file of SQLite is one for each machine, on its disk.
    """
    common = {"WWSPEC_STORE_FILE": ""}
    if len(ports) == 1:
        return [Place(ports[0], {**common, "WWSPEC_STORE": store}, None)]  # a command line would show its password
    places = []
    for number, port in enumerate(ports, 1):
        disk = app.resolve() / "var" / f"machine-{number}"
        scheme, _, path = store.partition(":")
        own = f"sqlite:{disk / Path(path).name}" if scheme == "sqlite" and Path(path).name else store
        variables = {"WWSPEC_STORE": own, VAR: str(disk), MACHINE_VARIABLE: str(number)}
        places.append(Place(port, {**common, **variables}, disk))
    return places


class Start(NamedTuple):
    """All that the start of a process depends on, but the files of the application."""

    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    output: Path | None
    steps: tuple[str, ...]
    """What it can do before the application is read; see `prestart.order`."""
    packages: tuple[int, ...]
    """When the folders of installed packages changed last: Python reads their .pth files as it starts."""

    @classmethod
    def of(
        cls, command: Sequence[str], environment: Mapping[str, str], steps: tuple[str, ...], output: Path | None = None
    ) -> Self:
        """Return a start as of now."""
        folders = [Path(each) for each in sys.path if each.endswith("-packages")]
        changed = tuple(each.stat().st_mtime_ns for each in folders if each.is_dir())
        return cls(tuple(command), tuple(environment.items()), output, steps, changed)

    def child(self, *, in_terminal: bool = False, held: bool = False) -> Child:
        """Start the process; see `Child`."""
        steps = self.steps if held else ()
        return Child(self.command, dict(self.environment), self.output, in_terminal=in_terminal, held=steps)


class HeldStarts:
    """The processes that wait for the next start."""

    def __init__(self) -> None:
        self._held: dict[Start, Child] = {}
        self._lock = threading.Lock()
        self._timer = threading.Timer(0.0, lambda: None)

    def child(self, start: Start, *, in_terminal: bool = False) -> Child:
        """Return a child that runs: the one that is held for this very start, or a new one."""
        with self._lock:
            child = self._held.pop(start, None)
        if child is None:
            return start.child(in_terminal=in_terminal)
        if child.process.poll() is not None:  # somebody has killed it
            child.discard()
            return start.child(in_terminal=in_terminal)
        child.release()
        return child

    def prepare(self, wanted: Callable[[], Iterable[Start]]) -> None:
        """Hold a process for each start that is wanted, and no other, from a little later on."""
        self._timer.cancel()
        self._timer = threading.Timer(HOLD_AFTER, self.hold, (wanted,))
        self._timer.start()

    def hold(self, wanted: Callable[[], Iterable[Start]]) -> None:
        """Hold a process for each start that is wanted, and no other, from now on."""
        # A fault of `.env`, or a process that the system does not give: the next start meets it again, and says so.
        with self._lock, suppress(ConfigurationError, OSError):
            starts = set(wanted())
            for start in self._held.keys() - starts:
                self._held.pop(start).discard()
            for start in starts - self._held.keys():
                self._held[start] = start.child(held=True)

    def close(self) -> None:
        """End them."""
        self._timer.cancel()
        if self._timer.ident is not None:
            self._timer.join()
        with self._lock:
            while self._held:
                self._held.popitem()[1].discard()


class DevelopedProgram:
    """The program under development.

    Args:
        app: The application folder.
        registry: Its registry file.
        places: Where it runs, by machine.
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
        places: Sequence[Place],
        options: list[str],
        environment: Mapping[str, str],
        client: EmulatorClient,
        *,
        in_terminal: bool,
    ) -> None:
        self._app = app
        self._in_terminal = in_terminal
        named = [] if registry == app / PROGRAM else ["--registry", str(registry)]  # a registry file may come yet
        self._application = ["--app", str(app), *named]
        self._serve = ["serve", "--sdk", "emulator", *self._application, *options]
        self._places = dict(enumerate(places, 1))
        self._environment = environment
        self._client = client
        self._children: dict[int, Child] = {}
        self._held = HeldStarts()
        self._folder = tempfile.TemporaryDirectory(prefix="wwspec-dev-")
        self._contracts = Path(self._folder.name, "contracts.json")
        self._described = Path(self._folder.name, "output")
        """What the process that reads the abilities prints."""
        self._stopped: set[int] = set()
        """Machines that were stopped by an order."""
        self._lock = threading.RLock()
        """Machines are also stopped and started by orders, on another thread."""
        self.contracts: Mapping[str, DescribedContract] = {}

    def prepare(self) -> None:
        """Begin with what the first start needs, beside the emulator, which takes as long to start."""
        if not self._in_terminal:  # a debugger of an editor would show what is held as processes of the program
            self._held.hold(self._starts)

    def start(self, limit: float = STOP_LIMIT) -> bool:
        """Register the program's abilities and start it. On a fault, print it, tell the emulator and return False.

        Args:
            limit: Seconds that the program has to end, if it runs. Its files are read meanwhile.
        """
        self._client.begin_start()
        is_up = self._start(limit)
        if not self._in_terminal:
            self._held.prepare(self._starts)
        return is_up

    def _start(self, limit: float) -> bool:
        try:
            self._described.write_bytes(b"")
            describing = self._held.child(self._describing())
            self.stop(limit)
            self._register(describing)
            self._launch([each for each in self._places if each not in self._stopped])
        except (ChildError, ConfigurationError) as error:
            say(str(error), fg="red")
            say("the program is not started; fix the fault, then save the file", fg="yellow")
            self.stop(limit)
            self._client.end_start(_fault(str(error)))
            return False
        self._client.end_start()
        for machine in self._client.machines.states() if len(self._places) > 1 else ():
            if machine["fault"]:  # it could not start before
                self._client.machines.report(machine["number"], "")
        try:
            self._client.receive_events()
        except EmulatorError as error:  # the corp has cancelled the authorisation, or its permission has ended
            say(f"the program gets no events: {error}", fg="yellow")
        return True

    def stop(self, limit: float) -> None:
        """End the program, if it runs, and kill it after so many seconds."""
        with self._lock:
            for number in [*self._children]:
                self._children.pop(number).stop(limit)

    def close(self, limit: float) -> None:
        """Stop, as `stop` does, and end all that waits for a next start."""
        self._held.close()
        self.stop(limit)
        self._folder.cleanup()

    def stop_machine(self, number: int) -> None:
        """End the program on one machine."""
        with self._lock:
            self._stopped.add(number)
            if number in self._children:
                self._children.pop(number).stop()
        say(f"machine {number} is stopped")

    def start_machine(self, number: int) -> None:
        """Start it there.

        Raises:
            ChildError: It has a fault.
            ConfigurationError: `.env` has a fault.
        """
        with self._lock:
            self._stopped.discard(number)
            self._launch([number])
        say(f"machine {number} is up", fg="green")

    def wipe_machine(self, number: int) -> None:
        """Start it there with an empty disk; raises as `start_machine` does."""
        self.stop_machine(number)
        disk = self._places[number].disk
        if disk is not None and disk.exists():
            shutil.rmtree(disk)
        self.start_machine(number)

    def _launch(self, numbers: Sequence[int]) -> None:
        with self._lock:
            for number in [each for each in numbers if each not in self._children]:
                disk = self._places[number].disk
                if disk is not None:
                    disk.mkdir(parents=True, exist_ok=True)
                self._children[number] = self._held.child(self._serving(number), in_terminal=self._in_terminal)
            for number in numbers:
                url = f"http://127.0.0.1:{self._places[number].port}/healthz"
                try:
                    self._children[number].wait_ready(url, NO_LIMIT if self._in_terminal else None)
                except ChildError:
                    self._children.pop(number).stop()
                    raise

    def _whole_environment(self) -> dict[str, str]:
        return {**env_variables(self._app), **self._environment}

    def _starts(self) -> list[Start]:
        return [self._describing(), *map(self._serving, self._places)]

    def _serving(self, number: int) -> Start:
        """Return how the program is started on one machine."""
        port, own, _ = self._places[number]
        command = [*self._serve, "--port", str(port)]
        return Start.of(command, {**self._whole_environment(), **own}, _SERVING)

    def _describing(self) -> Start:
        """Return how its abilities are read: in a process of its own, since this one keeps what it has imported."""
        command = ["contracts", *self._application, "--described", str(self._contracts)]
        environment = {**self._whole_environment(), VARIABLE: "en", "PYTHONBREAKPOINT": "0"}  # see `Error: ` below
        return Start.of(command, environment, _DESCRIBING, self._described)

    def _register(self, describing: Child) -> None:
        """Register the abilities that a process reads.

        Raises:
            ChildError: The program has a fault; the text is what `wwspec check` says of it.
        """
        try:
            describing.wait_success()
        except ChildError:
            said = self._described.read_text(errors="replace")
            raise ChildError(said.strip().removeprefix("Error: ")) from None
        self.contracts = msgspec.json.decode(self._contracts.read_bytes(), type=dict[str, DescribedContract])
        self._client.register(self.contracts)


def say(text: str, fg: str = "cyan") -> None:
    """Print a line about the program for who develops it."""
    click.echo(styled(text, fg=fg), err=True)


def _fault(text: str) -> str:
    """Return why calls are refused while the program is down: its first fault, with the place in front."""
    first, *more = text.splitlines()
    for found in [*_PLACE.finditer(first)][-1:]:
        first = f"fault in {found[1]}: {first[found.end() :]}"
    return f"{first} (and {len(more)} more in the terminal of `wwspec dev`)" if more else first
