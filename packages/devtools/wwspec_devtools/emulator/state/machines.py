"""The machines of a program, and which of them gets a call or an event [100142].

Each machine has a process and a disk of its own. Who started them does what is ordered of one: stop, start, wipe. Safe
under threads, with a lock of its own.
"""

import threading
from sys import getsizeof
from time import monotonic

import msgspec

from wwspec_contracts.errcodes import DOWN
from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.bounded import MIB, BoundedDict
from wwspec_devtools.emulator.settings import machine_url

MOST_PROCESSES = 64
"""Of one machine that are known at a time."""
KEPT_BYTES = 4 * MIB
"""The most bytes of the notify_ids whose machine is known."""

STOP, START, WIPE = "stop", "start", "wipe"
ORDER_SECONDS = 60.0
"""Seconds within which an order must be done."""
NONE_RUNS = "no machine of the program runs"
_NOT_OURS = (
    "this emulator can't wipe what it did not start; start the machines by `wwspec dev --machines` or "
    "`Zone.serve(machines=)`"
)


class Machine(msgspec.Struct, kw_only=True, eq=False):
    """One machine, for the life of its disk."""

    number: int
    """From 1 on."""
    url: str
    """Where its program listens."""
    is_wanted: bool = True
    """Whether it shall run."""
    order: str = ""
    """What who started it has still to do: `STOP`, `START` or `WIPE`; empty when there is nothing."""
    orders: int = 0
    """How many orders it got; those of the disk before count, too."""
    ordered: float = 0.0
    """When the last one came, by the monotonic clock."""
    fault: str = ""
    """Why the last order failed."""
    is_up: bool | None = None
    """Whether the last connection succeeded; None before the first one."""
    since: float | None = None
    """Since when that is so, in real Unix seconds."""
    processes: dict[int, float] = {}
    """Its processes that may still run: when each answered last, by PID."""

    @property
    def takes_calls(self) -> bool:
        """Whether calls and events go to it."""
        return self.is_wanted and not self.order and not self.fault

    def forget(self) -> None:
        """Forget whether it could be connected to, and who answered."""
        self.is_up, self.since, self.processes = None, None, {}

    def note_connection(self, is_up: bool, now: float) -> None:
        """Note whether it could be connected to."""
        if self.is_up is not is_up:
            self.is_up, self.since = is_up, now
            self.processes = {}

    def note_answer(self, pid: int, began: float, now: float) -> None:
        """Note which process answered.

        Those that have not answered since this one began are forgotten: a program that is started again has others.
        When none is left, it is up since then. One that still runs comes back with its next answer.

        Args:
            pid: The process.
            began: When it began: real Unix seconds, as the others.
            now: When it answered.
        """
        alive = {each: seen for each, seen in self.processes.items() if each != pid and seen >= began}
        if self.processes and not alive and pid not in self.processes:
            self.since = began
        self.processes = {**dict(list(alive.items())[1 - MOST_PROCESSES :]), pid: now}


class Machines:
    """All machines of one program.

    Args:
        url: Where the first one listens.
        count: How many there are. Each further one listens on the next port.
    """

    def __init__(self, url: str, count: int = 1) -> None:
        self.all = [Machine(number=number, url=machine_url(url, number)) for number in range(1, count + 1)]
        self.is_followed = False
        """Whether who started them does what is ordered."""
        self._latest = 0
        """The number of the machine that had the last call."""
        self._made = BoundedDict[str, Machine](KEPT_BYTES)
        """Which machine made a notify_id."""
        self._changed = threading.Condition()

    @property
    def are_several(self) -> bool:
        """Whether there is more than one."""
        return len(self.all) > 1

    def first(self) -> Machine:
        """Return the first machine that takes calls.

        Raises:
            RefusedError: 710674: none does.
        """
        found = next((each for each in self.all if each.takes_calls), None)
        if found is None:
            raise RefusedError(DOWN, f"{NONE_RUNS}: `wwspec zone machine start 1` starts one")
        return found

    def next(self, wanted: Machine | None = None) -> Machine:
        """Return the machine for a call: the wanted one while it takes calls, else each in its turn.

        Raises:
            RefusedError: 710674: none takes calls.
        """
        if wanted is not None and self.lives(wanted):
            return wanted
        with self._changed:
            later = (each for each in self.all if each.takes_calls and each.number > self._latest)
            chosen = next(later, None) or self.first()
            self._latest = chosen.number
            return chosen

    def lives(self, machine: Machine) -> bool:
        """Return whether a machine still has its disk and takes calls."""
        return machine in self.all and machine.takes_calls

    def note_made(self, notify_id: str, number: int) -> None:
        """Note which machine made a notify_id; 0 when that is not known."""
        if self.are_several and 0 < number <= len(self.all):
            with self._changed:
                self._made.put(notify_id, self.all[number - 1], getsizeof(notify_id))

    def maker(self, notify_id: str) -> Machine | None:
        """Return the machine that made a notify_id; None when that is not known."""
        return self._made.get(notify_id)

    def point_to(self, url: str, number: int = 1) -> None:
        """Change where a machine listens.

        Raises:
            RefusedError: 40058: there is no such machine.
        """
        self._machine(number).url = url

    def give(self, number: int, order: str) -> None:
        """Order that a machine is stopped, started, or wiped: started anew with an empty disk.

        Calls and events go to the others from now on. When nobody follows, it is only about them.

        Raises:
            RefusedError: 40058: there is no such machine, it still does another order, or nobody can wipe it.
        """
        with self._changed:
            machine = self._machine(number)
            if machine.order and not _is_overdue(machine):
                raise RefusedError(40058, f"machine {number} has an order already: {machine.order}")
            if order == WIPE:
                if not self.is_followed:
                    raise RefusedError(40058, f"machine {number}: {_NOT_OURS}")
                machine = self.all[number - 1] = Machine(number=number, url=machine.url, orders=machine.orders)
            machine.is_wanted, machine.fault = order != STOP, ""
            machine.forget()
            machine.order = order if self.is_followed else ""
            machine.orders, machine.ordered = machine.orders + 1, monotonic()

    def report(self, number: int, fault: str) -> None:
        """Note that an order is done, or why it failed.

        Raises:
            RefusedError: 40058: there is no such machine.
        """
        with self._changed:
            machine = self._machine(number)
            machine.order, machine.fault = "", fault
            self._changed.notify_all()

    def wait_done(self, number: int, seconds: float) -> bool:
        """Wait until the order of a machine is done, or so many seconds; return whether it is.

        Raises:
            RefusedError: 40058: there is no such machine, or the order failed, or is not done in time.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._machine(number).order, seconds)
            machine = self._machine(number)
        if machine.fault:
            raise RefusedError(40058, f"machine {number}: {machine.fault}")
        if machine.order and _is_overdue(machine):
            raise RefusedError(40058, f"machine {number}: not done within {ORDER_SECONDS:g} seconds: {machine.order}")
        return not machine.order

    def forget(self) -> None:
        """Forget who answered, as a reset of the emulator does; what is ordered stays."""
        for each in self.all:
            each.forget()
        self._latest = 0

    def _machine(self, number: int) -> Machine:
        if not 0 < number <= len(self.all):
            count = len(self.all)
            raise RefusedError(40058, f"no machine {number}: there {'are' if count > 1 else 'is'} {count}")
        return self.all[number - 1]


def _is_overdue(machine: Machine) -> bool:
    return monotonic() > machine.ordered + ORDER_SECONDS
