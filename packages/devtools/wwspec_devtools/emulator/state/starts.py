"""Whether a program can take calls, as its starter says: `wwspec dev` starts a program anew after each change."""

import threading

from wwspec_contracts.errcodes import DOWN
from wwspec_devtools.emulator.answers import RefusedError

HOLD_SECONDS = 10.0
"""Real seconds for which a call waits for a program that starts."""

NOT_STARTED = "not started: "
"""Begins the hint of a refusal when the program has a fault."""


class Start:
    """The latest start of one program. It has ended when nobody has said that one begins."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._ended.set()
        self._fault = ""
        self.begun = 0
        """How many starts have begun."""

    def begin(self) -> None:
        """Let calls wait."""
        self.begun += 1
        self._fault = ""
        self._ended.clear()

    def end(self, fault: str = "") -> None:
        """Let calls through.

        Args:
            fault: Why the program could not start; calls are then refused.
        """
        self._fault = fault
        self._ended.set()

    def wait(self) -> None:
        """Wait for a start that is under way. The caller holds no lock.

        Raises:
            RefusedError: 710674: the program could not start, or has not started within `HOLD_SECONDS`.
        """
        if not self._ended.wait(HOLD_SECONDS):
            raise RefusedError(DOWN, f"{NOT_STARTED}the program still starts after {HOLD_SECONDS:g} seconds")
        if self._fault:
            raise RefusedError(DOWN, f"{NOT_STARTED}{self._fault}")
