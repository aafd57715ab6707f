"""Processes of `wwspec dev` that are started before a file changes: they have imported all but the application."""

import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from wwspec_contracts.errors import ConfigurationError
from wwspec_router.process.child import Child

HOLD_AFTER = 0.5
"""Seconds after a start until the next one is prepared: the first calls have the cores for themselves."""


class Start(NamedTuple):
    """All that the start of a process depends on, but the files of the application."""

    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    output: Path | None
    steps: tuple[str, ...]
    """What it can do before the application is read; see `held.order`."""
    packages: tuple[int, ...]
    """When the folders of installed packages changed last: Python reads their .pth files as it starts."""

    @classmethod
    def of(
        cls, command: Sequence[str], environment: Mapping[str, str], steps: tuple[str, ...], output: Path | None = None
    ) -> Self:
        """Return a start as of now."""
        folders = [Path(each) for each in sys.path if each.endswith("-packages")]
        changed = tuple(each.stat().st_mtime_ns for each in folders if each.is_dir())
        return cls(tuple(command), tuple(environment.items()), output, steps, changed)

    def child(self, *, in_terminal: bool = False, held: bool = False) -> Child:
        """Start the process; see `Child`."""
        steps = self.steps if held else ()
        return Child(self.command, dict(self.environment), self.output, in_terminal=in_terminal, held=steps)


class HeldStarts:
    """The processes that wait for the next start."""

    def __init__(self) -> None:
        self._held: dict[Start, Child] = {}
        self._lock = threading.Lock()
        self._timer = threading.Timer(0.0, lambda: None)

    def child(self, start: Start, *, in_terminal: bool = False) -> Child:
        """Return a child that runs: the one that is held for this very start, or a new one."""
        with self._lock:
            child = self._held.pop(start, None)
        if child is None:
            return start.child(in_terminal=in_terminal)
        if child.process.poll() is not None:  # somebody has killed it
            child.discard()
            return start.child(in_terminal=in_terminal)
        child.release()
        return child

    def prepare(self, wanted: Callable[[], Iterable[Start]]) -> None:
        """Hold a process for each start that is wanted, and no other, from a little later on."""
        self._timer.cancel()
        self._timer = threading.Timer(HOLD_AFTER, self.hold, (wanted,))
        self._timer.start()

    def hold(self, wanted: Callable[[], Iterable[Start]]) -> None:
        """Hold a process for each start that is wanted, and no other, from now on."""
        # A fault of `.env`, or a process that the system does not give: the next start meets it again, and says so.
        with self._lock, suppress(ConfigurationError, OSError):
            starts = set(wanted())
            for start in self._held.keys() - starts:
                self._held.pop(start).discard()
            for start in starts - self._held.keys():
                self._held[start] = start.child(held=True)

    def close(self) -> None:
        """End them."""
        self._timer.cancel()
        if self._timer.ident is not None:
            self._timer.join()
        with self._lock:
            while self._held:
                self._held.popitem()[1].discard()
