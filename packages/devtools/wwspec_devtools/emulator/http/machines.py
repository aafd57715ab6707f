"""The machines of the program: what a person or a test orders of them, and what who started them reports.

Its methods return values and do not know HTTP.
"""

from collections.abc import Sequence
from typing import Any, Literal

from wwspec_devtools.emulator.answers import Answer, accepted
from wwspec_devtools.emulator.http.waiting import WaitMs
from wwspec_devtools.emulator.platform import PlatformPart
from wwspec_devtools.emulator.state.machines import Machine, Machines


class MachineControl(PlatformPart):
    """Controls the machines of one platform's program."""

    def states(self) -> Answer:
        """Return the `machines`."""
        return accepted(machines=[shown_machine(each) for each in self._machines.all])

    def done(self, machine: int, wait_ms: WaitMs = 0) -> Answer:
        """Wait until the order of a machine is `done`; the answer is a refusal when it failed.

        Args:
            machine: Its number.
            wait_ms: How long to wait.
        """
        return accepted(done=self._machines.wait_done(machine, wait_ms / 1000))

    def give(self, number: int, order: Literal["stop", "start", "wipe"]) -> Answer:
        """Give an order to a machine."""
        self._machines.give(number, order)
        return self._changed()

    def follow(self) -> Answer:
        """Note that who started the machines does what is ordered, as the stream tells it."""
        self._machines.is_followed = True
        return accepted()

    def report(self, number: int, fault: str) -> Answer:
        """Note that an order is done, or why it failed."""
        self._machines.report(number, fault)
        return self._changed()

    @property
    def _machines(self) -> Machines:
        return self._platform.world.program.machines

    def _changed(self) -> Answer:
        self._platform.changes.wake_all()
        return accepted()


def shown_connection(machines: Sequence[Machine]) -> dict[str, Any]:
    """Return how machines do, together: whether one of them is up, since when, and which processes there are."""
    ups = {each.is_up if each.is_wanted else False for each in machines}
    is_up = True if True in ups else None if None in ups else False
    since = min((each.since for each in machines if each.is_up is is_up and each.since is not None), default=None)
    return {
        "state": {None: "unknown", True: "up", False: "down"}[is_up],
        "since_ms": None if since is None else int(since * 1000),
        "pids": sorted({pid for each in machines for pid in each.processes}),
    }


def shown_machine(machine: Machine) -> dict[str, Any]:
    """Return what is shown of a machine. With `orders` each order changes it: else a reader may miss one."""
    shown = {"number": machine.number, "url": machine.url, **shown_connection([machine])}
    if not machine.is_wanted:
        shown["state"] = "stopped"
    return {**shown, "order": machine.order, "orders": machine.orders, "fault": machine.fault}
