"""Does what the emulator orders of machines, for who started them: `wwspec dev` and `Zone.serve`."""

import logging
import threading
from typing import Any, Protocol

from wwspec_contracts.errors import WWSpecError
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_devtools.emulator.http.reading import StreamEndedError

_log = logging.getLogger(__name__)


class Starter(Protocol):
    """Who started the machines. Its methods raise `WWSpecError` when they fail."""

    def stop_machine(self, number: int) -> None:
        """End the program of a machine."""

    def start_machine(self, number: int) -> None:
        """Start it, and return once it takes calls."""

    def wipe_machine(self, number: int) -> None:
        """End it, remove what it has stored, and start it."""


class Follower:
    """Follows the orders on a thread of its own, until the emulator ends.

    Args:
        url: Of the emulator.
        starter: Does what is ordered.
    """

    def __init__(self, url: str, starter: Starter) -> None:
        self._client = EmulatorClient(url)
        self._orders = {"stop": starter.stop_machine, "start": starter.start_machine, "wipe": starter.wipe_machine}
        self._client.machines.follow()
        self._thread = threading.Thread(target=self._run, name="machines", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for its end, once the emulator has ended."""
        self._thread.join()

    def _run(self) -> None:
        with self._client as client:
            try:
                for event in client.stream(kinds=["clock"]):  # entries are of no interest: the fewest
                    if event.name == "program":
                        self._do(client.machines.states())  # the event may be older than what was done meanwhile
            except (StreamEndedError, EmulatorError):
                _log.debug("the emulator has ended")

    def _do(self, machines: list[dict[str, Any]]) -> None:
        for machine in machines:
            if machine["order"]:
                number, fault = machine["number"], ""
                try:
                    self._orders[machine["order"]](number)
                except WWSpecError as error:
                    fault = str(error)
                self._client.machines.report(number, fault)
