"""A zone for tests: a program, the emulator of the platform around it, and an enterprise app that calls it.

One class in three forms, so that the same test runs on each:

* `Zone.in_process(app)`: everything in this process, without sockets; fast, and a debugger stops in handlers.
* `Zone.serve(app)`: program and emulator as processes on ports that the system chooses, as in production.
* `Zone.connect(url)`: an emulator that runs already, with whatever program it calls, such as a container.

Every part is real in each form: calls travel sealed, through the emulator's stand-in for the vendor's SDK. Needs the
extra `emulator`.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from wwspec_router.emulator.http.client import CallResult, EmulatorClient
from wwspec_router.testing.served import ServedProgram

__all__ = ["ServedZone", "Zone"]


class Zone:
    """A program in a zone, as an enterprise app meets it. A context manager: the program ends with it.

    Args:
        client: Talks to the emulator.
        ends: Closed with the zone.
    """

    def __init__(self, client: EmulatorClient, ends: ExitStack) -> None:
        self.client = client
        """The emulator's controls; see `EmulatorClient`."""
        self._stack = ends

    @staticmethod
    def in_process(app: Path, registry: Path | None = None, **emulator: Any) -> "Zone":
        """Return a zone within this process.

        One process holds one application, since `abilities` and `schemas` are imported under these names.

        Args:
            app: The application folder.
            registry: Its registry file; None means the usual one.
            emulator: Fields of `EmulatorSettings`, such as `seed`, `messages`, `clock_start`.

        Raises:
            ConfigurationError: The application or its registry file has faults.
        """
        from wwspec_router.testing.in_process import start  # it imports the whole program

        return Zone(*start(app, registry, emulator))

    @staticmethod
    def serve(
        app: Path, registry: Path | None = None, *, serve: Sequence[str] = (), emulate: Sequence[str] = ()
    ) -> "ServedZone":
        """Return a zone of two processes.

        Args:
            app: The application folder.
            registry: Its registry file; None means the usual one.
            serve: Further options of `wwspec serve`.
            emulate: Further options of `wwspec emulate`.

        Raises:
            ChildError: The program or the emulator did not start; the text says what it printed.
        """
        return ServedZone(app, registry, serve, emulate)

    @staticmethod
    def connect(url: str) -> "Zone":
        """Return a zone whose emulator runs already.

        Args:
            url: Where the emulator listens.

        Raises:
            EmulatorError: Nothing answers there.
        """
        with ExitStack() as stack:
            client = stack.enter_context(EmulatorClient(url))
            client.receive_events()
            return Zone(client, stack.pop_all())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what this zone started."""
        self._stack.close()

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

    def advance(self, seconds: float) -> int:
        """Put the emulator's clock forward at once; return its time in Unix seconds."""
        return self.client.advance(seconds)


class ServedZone(ServedProgram, Zone):
    """See `Zone.serve`. It can also crash the program and start it again; see `ServedProgram`."""

    def __init__(self, app: Path, registry: Path | None, serve: Sequence[str], emulate: Sequence[str]) -> None:
        ServedProgram.__init__(self, app, registry, serve, emulate)
        Zone.__init__(self, self.client, self._stack)
