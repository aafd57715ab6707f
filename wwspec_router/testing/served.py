"""A program as it is served, and an emulator, each in a process of its own. Knows nothing of `Zone`."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from wwspec_router.config import VAR, registry_path
from wwspec_router.emulator.http.client import EmulatorClient
from wwspec_router.host.child import Child
from wwspec_router.registry.own_settings import app_variables, file_variable, settings_file
from wwspec_router.testing.ports import held_ports


class ServedProgram:
    """Both processes. It can also crash the program and start it again.

    Args:
        app: The application folder.
        registry: Its registry file; None means the usual one.
        serve: Further options of `wwspec serve`.
        emulate: Further options of `wwspec emulate`.
        own: The application's own settings; see `Zone.serve`.

    Attributes:
        folder: Logs, the store's file, and files of the program's code; removed with the processes.
        program: The program's process.
        emulator: The emulator's process.
        program_url: Where the program listens; the same after a restart.
        client: The emulator's controls.

    Raises:
        ChildError: The program or the emulator did not start; the text says what it printed.
    """

    program: Child
    program_url: str

    def __init__(
        self,
        app: Path,
        registry: Path | None,
        serve: Sequence[str],
        emulate: Sequence[str],
        own: Mapping[str, object] | None = None,
    ) -> None:
        self._own = {**app_variables(own or {}), **file_variable(settings_file(app))}
        self._application = ("--app", str(app), "--registry", str(registry_path(app, registry)))
        self._options = serve
        with ExitStack() as stack:
            [self._port] = stack.enter_context(held_ports(1))  # also while the program is down
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wwspec-zone-")))
            self._var = self.folder / "var"
            self._var.mkdir()
            self.emulator = Child(["emulate", "--port", "0", *emulate], output=self.folder / "emulator.log")
            stack.callback(self.emulator.stop)
            stack.callback(self.stop_program)
            self.client = stack.enter_context(EmulatorClient(self.emulator.announced_url()))
            self._register()
            self.start_program()
            self.client.receive_events()
            self._stack = stack.pop_all()

    def start_program(self) -> None:
        """Start the program, always at the same port, and point the emulator at it."""
        self.program = Child(
            ["serve", "--sdk", "emulator", *self._application, "--port", str(self._port)]
            + ["--store", f"sqlite:{self.folder / 'notify.db'}", *self._options],
            {"WWSPEC_EMULATOR_URL": self.client.url, VAR: str(self._var), **self._own},
            output=self.folder / "program.log",
        )
        self.program_url = self.program.announced_url()
        self.program.wait_ready(f"{self.program_url}/healthz")
        self.client.point_to(self.program_url)

    def stop_program(self) -> None:
        """End the program as the platform does, with SIGTERM."""
        if hasattr(self, "program"):
            self.program.stop()

    def kill_program(self) -> None:
        """End the program as a crash does, with SIGKILL."""
        self.program.kill()

    def program_log(self) -> str:
        """Return what the program has logged so far."""
        return (self.folder / "program.log").read_text()

    def renew(self) -> None:
        """Start the program again with an empty store and no files of its own, and set the emulator back to its start.

        Raises:
            ChildError: The program did not start.
            EmulatorError: The emulator has ended.
        """
        self.stop_program()
        self.client.reset()
        for file in self.folder.glob("notify.db*"):
            file.unlink()
        shutil.rmtree(self._var)
        self._var.mkdir()
        self.start_program()

    def close(self) -> None:
        """End both processes."""
        self._stack.close()

    def _register(self) -> None:
        """Register the abilities in a separate process: this one may have another application's modules."""
        register = ["zone", "register", *self._application, "--url", self.client.url]
        Child(register, output=self.folder / "register.log").wait_success()
