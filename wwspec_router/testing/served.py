"""A zone of two processes: the program as it is served, and the emulator."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from wwspec_router.cli.child import Child
from wwspec_router.emulator.http.client import EmulatorClient
from wwspec_router.emulator.settings import AbilityContract, load_contracts
from wwspec_router.testing.zone import Zone

__all__ = ["ServedZone"]


class ServedZone(Zone):
    """See `Zone.serve`. It can also crash the program and start it again.

    Attributes:
        folder: Logs and the store's file; gone with the zone.
        program: The program's process.
        emulator: The emulator's process.
        program_url: Where the program listens; the same after a restart.
    """

    program: Child
    emulator: Child
    program_url: str

    def __init__(
        self, client: EmulatorClient, folder: Path, app: Path, registry: Path | None, options: Sequence[str]
    ) -> None:
        super().__init__(client)
        self.folder = folder
        registry = registry or app / "abilities" / "registry.toml"
        self._application = ("--app", str(app), "--registry", str(registry))
        self._options = options
        self._port = 0

    @classmethod
    def start(cls, app: Path, registry: Path | None, serve: Sequence[str], emulate: Sequence[str]) -> "ServedZone":
        """Start both processes; see `Zone.serve`."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wwspec-zone-")))
            emulator = Child(["emulate", "--port", "0", *emulate], output=folder / "emulator.log")
            stack.callback(emulator.stop)
            zone = cls(EmulatorClient(emulator.announced_url()), folder, app, registry, serve)
            zone.emulator = emulator
            stack.callback(zone.stop_program)
            stack.push(zone._stack.pop_all())
            zone.client.register(msgspec.to_builtins(zone._contracts()))
            zone.start_program()
            zone.client.receive_events()
            zone._stack = stack.pop_all()
        return zone

    def start_program(self) -> None:
        """Start the program, again at the same port if it ran before, and point the emulator at it."""
        self.program = Child(
            ["serve", "--sdk", "emulator", *self._application, "--port", str(self._port)]
            + ["--store", f"sqlite:{self.folder / 'notify.db'}", *self._options],
            {"WWSPEC_EMULATOR_URL": self.client.url},
            output=self.folder / "program.log",
        )
        self.program_url = self.program.announced_url()
        self._port = int(self.program_url.rpartition(":")[2])
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

    def _contracts(self) -> dict[str, AbilityContract]:
        """Export the contracts in a process of its own: this one may have another application's modules."""
        folder = self.folder / "contracts"
        export = Child(["contracts", *self._application, "--out", str(folder)], output=self.folder / "contracts.log")
        export.wait_success()
        return load_contracts(folder)
