"""A program as it is served, on one machine or several, and an emulator, each in a process of its own.

It knows nothing of `Zone`.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from wwspec_devtools.app_settings import app_variables, file_variable, settings_file
from wwspec_devtools.child import Child, StartProcess
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.http.follower import Follower
from wwspec_devtools.emulator.standin.wwspec_standin.link import MACHINE_VARIABLE
from wwspec_devtools.testing.ports import held_ports
from wwspec_router.config import VAR


class ServedProgram:
    """All processes. It can also crash the program and start it again.

    Args:
        app: The application folder.
        registry: Its registry file.
        serve: Further options of `wwspec serve`.
        emulate: Further options of `wwspec emulate`.
        scene: The scene file.
        own: The application's own settings; see `Zone.serve`.
        machines: How many machines the program runs on.
        start_process: Starts each process.
        start_limit: Seconds within which each must be ready.

    Attributes:
        folder: Logs, the store's file, and files of the program's code; removed with the processes.
        emulator: The emulator's process.
        client: The emulator's controls.

    Raises:
        ChildError: The program or the emulator did not start; the text says what it printed.
    """

    def __init__(
        self,
        app: Path,
        registry: Path,
        serve: Sequence[str],
        emulate: Sequence[str],
        scene: Path | None = None,
        own: Mapping[str, object] | None = None,
        machines: int = 1,
        start_process: StartProcess | None = None,
        start_limit: float | None = None,
    ) -> None:
        self._child = partial(Child, start_process=start_process, start_limit=start_limit)
        variables = {**app_variables(own or {}), **file_variable(settings_file(app))}
        self._application = ("--app", str(app), "--registry", str(registry))
        self._machines: list[_Machine] = []
        with ExitStack() as stack:
            ports = stack.enter_context(held_ports(machines))  # also while the program is down
            self.folder: Path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wwspec-zone-")))
            played = ["--port", "0", "--machines", str(machines), *(["--scene", str(scene)] if scene else [])]
            self.emulator: Child = self._child(["emulate", *played, *emulate], output=self.folder / "emulator.log")
            follower = stack.enter_context(ExitStack())  # it ends after the emulator
            stack.callback(self.emulator.stop)
            stack.callback(self.stop_program)
            self.client: EmulatorClient = stack.enter_context(EmulatorClient(self.emulator.announced_url()))
            command = ["serve", "--sdk", "emulator", *self._application, *serve]
            variables["WWSPEC_EMULATOR_URL"] = self.client.url
            numbers = range(1, machines + 1) if machines > 1 else [0]
            self._machines = [
                _Machine(self, number, port, command, variables) for number, port in zip(numbers, ports, strict=True)
            ]
            self._var = self._machines[0].var
            registering = self._registering()
            stack.callback(registering.stop)
            started = self._start()  # beside it: both take as long
            registering.wait_success()
            for each in started:
                each.wait_ready()
            self.client.receive_events()
            if machines > 1:
                follower.callback(Follower(self.client.url, _Starter(self._machines)).join)
            self._stack = stack.pop_all()

    @property
    def program(self) -> Child:
        """The program's process; with several machines that of the first."""
        return self._machines[0].child

    @property
    def program_url(self) -> str:
        """Where the program listens, also after a restart; with several machines where the first does."""
        return self._machines[0].url

    def start_program(self) -> None:
        """Start the program where it does not run, always at the same port, and point the emulator at it."""
        for each in self._start():
            each.wait_ready()

    def _start(self) -> "list[_Machine]":
        """Start the program where it does not run, and return where; see `_Machine.wait_ready`."""
        started = [each for each in self._machines if not each.is_stopped and not each.runs]
        for each in started:
            each.start()
        return started

    def stop_program(self) -> None:
        """End the program as the platform does, with SIGTERM; on all machines."""
        for each in self._machines:
            each.end()

    def kill_program(self, machine: int = 1) -> None:
        """End the program as a crash does, with SIGKILL.

        Args:
            machine: On which machine.
        """
        self._machines[machine - 1].child.kill()

    def program_log(self) -> str:
        """Return what the program has logged so far, machine after machine."""
        return "".join(each.log.read_text() for each in self._machines if each.log.exists())

    def renew(self) -> None:
        """Start the program again with an empty store and no files of its own, and set the emulator back to its start.

        Machines that were stopped run again.

        Raises:
            ChildError: The program did not start.
            EmulatorError: The emulator has ended.
        """
        self.stop_program()
        self.client.reset()
        for each in self._machines:
            each.empty()
        self.start_program()
        for each in self._machines:
            if each.is_stopped:
                self.client.machines.start(each.number)

    def close(self) -> None:
        """End all processes."""
        self._stack.close()

    def _registering(self) -> Child:
        """Begin to register the abilities, in a process of its own: this one may have another application's modules."""
        register = ["zone", "register", *self._application, "--url", self.client.url]
        return self._child(register, output=self.folder / "register.log")


class _Machine:
    """One machine: a process, and a folder that is its disk.

    Args:
        program: All processes.
        number: Its number; 0 for the only one.
        port: Where its program listens.
        command: The verb and its options, without what is different on each machine.
        environment: The same of variables.
    """

    child: Child

    def __init__(
        self, program: ServedProgram, number: int, port: int, command: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self.number = number
        self.url = ""
        self.is_stopped = False
        """Whether an order has stopped it."""
        self._program = program
        disk = program.folder / f"machine-{number}" if number else program.folder
        self.log, self._store, self.var = disk / "program.log", disk / "notify.db", disk / "var"
        self.var.mkdir(parents=True)
        self._command = [*command[:1], "--port", str(port), "--store", f"sqlite:{self._store}", *command[1:]]
        self._environment = {VAR: str(self.var), **({MACHINE_VARIABLE: str(number)} if number else {}), **environment}

    @property
    def runs(self) -> bool:
        """Whether its process runs."""
        return hasattr(self, "child") and self.child.process.poll() is None

    def start(self) -> None:
        """Start its process."""
        self.child = self._program._child(self._command, self._environment, output=self.log)

    def wait_ready(self) -> None:
        """Wait until it takes calls, and point the emulator at it; raises `ChildError`."""
        self.url = self.child.announced_url()
        self.child.wait_ready(f"{self.url}/healthz")
        self._program.client.point_to(self.url, machine=max(1, self.number))

    def end(self) -> None:
        """End its process, if it has one."""
        if hasattr(self, "child"):
            self.child.stop()

    def empty(self) -> None:
        """Remove all that its program has stored."""
        for file in self._store.parent.glob(f"{self._store.name}*"):
            file.unlink()
        shutil.rmtree(self.var)
        self.var.mkdir()


class _Starter:
    """Does what the emulator orders of the machines.

    Args:
        machines: All of them.
    """

    def __init__(self, machines: Sequence[_Machine]) -> None:
        self._machines = machines

    def stop_machine(self, number: int) -> None:
        """End the program of a machine."""
        machine = self._machines[number - 1]
        machine.is_stopped = True
        machine.end()

    def start_machine(self, number: int) -> None:
        """Start it; raises `ChildError`."""
        machine = self._machines[number - 1]
        machine.is_stopped = False
        if not machine.runs:
            machine.start()
            machine.wait_ready()

    def wipe_machine(self, number: int) -> None:
        """Start it with an empty store and no files of its own; raises `ChildError`."""
        self.stop_machine(number)
        self._machines[number - 1].empty()
        self.start_machine(number)
