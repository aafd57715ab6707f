"""A zone for tests: an application, the emulator of the platform around it, and an enterprise app that calls it.

Every part is real: the program and the emulator are processes that speak HTTP on ports that the system chooses, the
SDK is the emulator's stand-in, and calls travel sealed. Needs the extra `emulator`.
"""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from wwspec_router.child import Child
from wwspec_router.emulator.client import CallResult, EmulatorClient
from wwspec_router.emulator.settings import AbilityContract, load_contracts

__all__ = ["Zone"]


class Zone:
    """A program and an emulator, used as a context manager.

    Args:
        app: The application folder.
        registry: Its registry file; `abilities/registry.toml` when None.
        serve: Further options of `wwspec serve`.
        emulate: Further options of `wwspec emulate`.
    """

    def __init__(
        self,
        app: Path,
        registry: Path | None = None,
        *,
        serve: Sequence[str] = (),
        emulate: Sequence[str] = (),
    ) -> None:
        self._app = app
        self._registry = registry or app / "abilities" / "registry.toml"
        self._serve = serve
        self._emulate = emulate
        self._stack = ExitStack()
        self._port = 0
        self.client: EmulatorClient
        self.program: Child
        self.program_url = ""
        self.folder: Path
        """Logs and the store's file; gone with the zone."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wwspec-zone-")))
            log = self.folder / "emulator.log"
            emulator = Child(["emulate", "--port", "0", *self._emulate], output=log)
            stack.callback(emulator.stop)
            self.client = stack.enter_context(EmulatorClient(emulator.announced_url()))
            self.client.register(msgspec.to_builtins(self._contracts()))
            stack.callback(self.stop_program)
            self.start_program()
            self.client.receive_events()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _contracts(self) -> dict[str, AbilityContract]:
        """Export the contracts in a process of its own: this one may have another application's modules."""
        folder = self.folder / "contracts"
        options = ["--app", str(self._app), "--registry", str(self._registry), "--out", str(folder)]
        export = Child(["contracts", *options], output=self.folder / "contracts.log")
        export.wait_success()
        return load_contracts(folder)

    def start_program(self) -> None:
        """Start the program, again at the same port if it ran before, and point the emulator at it."""
        self.program = Child(
            ["serve", "--sdk", "emulator", "--app", str(self._app), "--registry", str(self._registry)]
            + ["--port", str(self._port), "--store", f"sqlite:{self.folder / 'notify.db'}", *self._serve],
            {"WWSPEC_EMULATOR_URL": self.client.url},
            output=self.folder / "program.log",
        )
        self.program_url = self.program.announced_url()
        self._port = int(self.program_url.rpartition(":")[2])
        self.program.wait_ready(f"{self.program_url}/healthz")
        self.client.point_to(self.program_url)

    def stop_program(self) -> None:
        """End the program as the zone does, with SIGTERM."""
        if hasattr(self, "program"):
            self.program.stop()

    def kill_program(self) -> None:
        """End the program as a crash does, with SIGKILL."""
        self.program.kill()

    def call(self, ability_id: str, data: Any = None, notify_id: str = "") -> CallResult:
        """Call an ability as the enterprise app does.

        Args:
            ability_id: Which ability.
            data: The request: JSON text as a str, or a value to be encoded; `{}` when None.
            notify_id: From a notification.
        """
        text = data if isinstance(data, str) else msgspec.json.encode({} if data is None else data).decode()
        return self.client.call(ability_id, text, notify_id)

    def fire(self, event_type: str, **overrides: Any) -> dict[str, Any]:
        """Send an event to the program; see `EmulatorClient.fire`."""
        return self.client.fire(event_type, overrides)

    def notified(self) -> str:
        """Return the notify_id of the latest notification."""
        return str(self.client.notifications()[-1]["notify_id"])

    def program_log(self) -> str:
        """Return what the program has logged so far."""
        return (self.folder / "program.log").read_text()
