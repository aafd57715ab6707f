"""What became of the notifications that an emulator has sent, as its record of the latest ones says."""

from collections import Counter

from wwspec_router.emulator.http.client import EmulatorClient

__all__ = ["Callbacks"]


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
