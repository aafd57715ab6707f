"""The programs that are linked with apps, as the platform knows them.

Plain state: the caller holds the emulator's lock.
"""

import msgspec

from wwspec_router.contracts.files import ConsoleContract
from wwspec_router.emulator.state.starts import Start

MOST_PROCESSES = 64
"""Of one program that are known at a time."""


class LinkedProgram(msgspec.Struct, kw_only=True):
    """A program that runs in the zone."""

    program_id: str
    url: str
    contracts: dict[str, ConsoleContract] | None
    """Console contracts by ability ID; None: calls are not checked."""
    registrations: int = 0
    """How often they were registered."""
    debug_url: str = ""
    """Where calls and events go in debug mode; empty: to the usual address."""
    log_level: int = 2
    """The log level: 1 ERR, 2 INFO, 3 DBG."""
    sdk_debugs: bool = False
    """Whether the program called the SDK's `spec_open_debug_mode`."""
    app_debugs: bool = False
    """Whether the app called `open_debug_mode`."""
    is_up: bool | None = None
    """Whether the last connection succeeded; None before the first one."""
    since: float | None = None
    """Since when that is so, in real Unix seconds."""
    processes: dict[int, float] = {}
    """Its processes that may still run: when each answered last, by PID."""
    start: Start = msgspec.field(default_factory=Start)
    """Its latest start, for which calls wait."""

    @property
    def target(self) -> str:
        """Where calls and events go."""
        return self.debug_url if self.app_debugs and self.debug_url else self.url

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
