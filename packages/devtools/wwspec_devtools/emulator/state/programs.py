"""The programs that are linked with apps, as the platform knows them.

Plain state: the caller holds the emulator's lock.
"""

from collections.abc import Mapping

import msgspec

from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.emulator.state.machines import Machines
from wwspec_devtools.emulator.state.starts import Start


class LinkedProgram(msgspec.Struct, kw_only=True):
    """A program that runs in the zone."""

    program_id: str
    machines: Machines
    """Where it runs."""
    contracts: Mapping[str, ConsoleContract] | None
    """Console contracts by ability ID; None: calls are not checked."""
    registrations: int = 0
    """How often they were registered."""
    debug_url: str = ""
    """Where calls and events go in debug mode; empty: to the usual address."""
    start: Start = msgspec.field(default_factory=Start)
    """Its latest start, for which calls wait."""

    @property
    def url(self) -> str:
        """Where its first machine listens."""
        return self.machines.all[0].url


class Operation(msgspec.Struct):
    """How one app has its program run."""

    log_level: int = 2
    """The log level: 1 ERR, 2 INFO, 3 DBG."""
    sdk_debugs: bool = False
    """Whether the program called the SDK's `spec_open_debug_mode` with an access token of the app."""
    app_debugs: bool = False
    """Whether the app called `open_debug_mode`."""
