"""Controls the machines of a running emulator's program, for tests and verbs."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

_WAIT_MS = 1000
"""Milliseconds that one request waits for the end of an order; an emulator that ends waits for the request."""


class MachineControls:
    """The machines of the program: `zone.client.machines` in a test.

    A machine that is stopped gets no calls and no events: the others do. Each method returns when it is done.

    Args:
        asked: Asks the emulator.
    """

    def __init__(self, asked: Callable[..., dict[str, Any]]) -> None:
        self._asked = asked

    def states(self) -> list[dict[str, Any]]:
        """Return all machines: `number`, `url`, `state` (`up`, `down`, `unknown`, `stopped`), `pids` and others."""
        found: list[dict[str, Any]] = self._asked("GET", "/emulator/machines")["machines"]
        return found

    def stop(self, number: int) -> None:
        """Stop a machine. It keeps its disk.

        Args:
            number: Of the machine, from 1 on.

        Raises:
            EmulatorError: There is no such machine, or it could not be done.
        """
        self._order(number, "stop")

    def start(self, number: int) -> None:
        """Start a machine that was stopped. Takes and raises what `stop` does."""
        self._order(number, "start")

    def wipe(self, number: int) -> None:
        """Deploy the program anew on a machine: its store and its files are gone. Takes and raises what `stop` does.

        Only who started the program can do this: `wwspec dev --machines` and `Zone.serve(machines=)`.
        """
        self._order(number, "wipe")

    def deploy(self) -> None:
        """Deploy the program anew on each machine, one after the other. Raises what `stop` does."""
        for each in self.states():
            self.wipe(each["number"])

    def follow(self) -> None:
        """Say that who calls this has started the machines, and does what is ordered."""
        self._asked("POST", "/emulator/machines/follow")

    def report(self, number: int, fault: str) -> None:
        """Say that an order is done, or why it failed."""
        self._asked("POST", "/emulator/machines/report", {"machine": number, "fault": fault})

    def _order(self, number: int, order: str) -> None:
        self._asked("POST", "/emulator/machines", {"machine": number, "order": order})
        query = urlencode({"wait_ms": _WAIT_MS})
        while not self._asked("GET", f"/emulator/machines/{number}?{query}")["done"]:
            pass
