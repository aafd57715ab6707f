"""What became of the callbacks that an emulator has sent, as its record of the latest ones says."""

from collections import Counter

from torture.service_notes import command_name
from wwspec_devtools.emulator.http.client import EmulatorClient

__all__ = ["Callbacks", "SuiteCallbacks"]


class Callbacks:
    """Reads the record again and again: it holds the latest 1000.

    Args:
        client: Of the emulator.
    """

    def __init__(self, client: EmulatorClient) -> None:
        self._client = client
        self._states: dict[str, str] = {}

    def read(self) -> None:
        """Read the record. Notifications that were withheld are not in it."""
        for each in self._client.notifications():
            self._states[each["notify_id"]] = each["state"]

    @property
    def delivered(self) -> set[str]:
        """The notify_ids that the app has acknowledged."""
        return {notify_id for notify_id, state in self._states.items() if state == "delivered"}

    def figures(self) -> dict[str, int]:
        """Return how many notifications there are of each state; one that failed has met nobody three times."""
        return dict(sorted(Counter(self._states.values()).items()))


class SuiteCallbacks(Callbacks):
    """The same of an app that several corps have: notifications, and commands of the suite."""

    def __init__(self, client: EmulatorClient) -> None:
        super().__init__(client)
        self._corps: dict[str, str] = {}
        self._commands: dict[str, str] = {}

    def read(self) -> None:
        """Read the records of both. Callbacks that were withheld are not in them."""
        super().read()
        self._corps.update((each["notify_id"], each["corpid"]) for each in self._client.notifications())
        for each in self._client.commands():
            self._commands[command_name(each["content"])] = each["state"]

    @property
    def acknowledged(self) -> set[str]:
        """The names of all that the app has acknowledged."""
        return self.delivered | {name for name, state in self._commands.items() if state == "delivered"}

    def knows_ticket(self, ticket: str) -> bool:
        """Return whether the app has acknowledged a suite_ticket."""
        return any(state == "delivered" for name, state in self._commands.items() if name.endswith(f" {ticket}"))

    def of(self, corpid: str) -> set[str]:
        """Return the notify_ids of a corp."""
        return {notify_id for notify_id, owner in self._corps.items() if owner == corpid}

    def figures(self) -> dict[str, int]:
        """Return how many callbacks there are of each state, commands apart."""
        commands = Counter(f"commands {state}" for state in self._commands.values())
        return {**super().figures(), **dict(sorted(commands.items()))}
