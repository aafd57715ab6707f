"""Controls the machines of a running emulator's program, for tests and verbs."""

from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec

from wwspec_devtools.emulator.http.control_rows import control

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

    @control("GET", "/emulator/machines", "machines")
    def states(self) -> list[dict[str, Any]]:
        """Return all machines: `number`, `url`, `state` (`up`, `down`, `unknown`, `stopped`), `pids` and others."""

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

    @control("POST", "/emulator/machines/follow")
    def follow(self) -> None:
        """Say that who calls this has started the machines, and does what is ordered."""

    @control("POST", "/emulator/machines/report", number="machine")
    def report(self, number: int, fault: str = "") -> None:
        """Say that an order is done, or why it failed."""

    @control("POST", "/emulator/machines", number="machine")
    def _give(self, number: Annotated[int, msgspec.Meta(ge=1)], order: Literal["stop", "start", "wipe"]) -> None:
        """Give an order; `_order` waits until it is done."""

    def _order(self, number: int, order: Literal["stop", "start", "wipe"]) -> None:
        self._give(number, order)
        query = urlencode({"wait_ms": _WAIT_MS})
        while not self._asked("GET", f"/emulator/machines/{number}?{query}")["done"]:
            pass
