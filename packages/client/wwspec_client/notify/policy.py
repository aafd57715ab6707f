"""The bounds and pauses of a receiver."""

from dataclasses import dataclass

from wwspec_contracts.backoff import Backoff
from wwspec_contracts.errors import ConfigurationError


@dataclass(frozen=True)
class NotifyPolicy:
    """Bounds and pauses of a receiver. All times are seconds.

    Raises:
        ConfigurationError: A number is out of its range.
    """

    replay_window: float = 300.0
    """A callback is refused if its timestamp is further from the clock, in either direction."""
    body_limit: int = 262_144
    """Bytes of a callback."""
    lifetime: float = 600.0
    """A notify_id is valid for 10 minutes [99843]. An attempt to fetch that fails later is the last one."""
    handler_attempts: int = 36
    """How often the handler is called with an event when it fails: for half an hour, with the pauses below."""
    handler_limit: float = 300.0
    """How long a call of the handler, or a fetch of an event, may take. A longer one is logged and counts as failed. An
    `async def` function is cancelled; the thread of a plain one is left to it."""
    first_pause: float = 1.0
    """Before the second attempt to fetch or to handle; each later pause is twice as long."""
    longest_pause: float = 60.0
    """No pause is longer."""
    keep_failed: float = 30 * 86_400.0
    """How long `failed` returns a notification that was given up."""
    lease: float = 30.0
    """How long a store keeps a row for a process that no longer answers; one that works renews that."""
    grace: float = 10.0
    """How long running work may take to finish when the receiver stops."""

    def __post_init__(self) -> None:
        if (
            self.body_limit < 1
            or self.handler_attempts < 1
            or min(self.first_pause, self.longest_pause, self.grace) < 0
        ):
            raise ConfigurationError(
                f"{self}: body_limit and handler_attempts are 1 or more, pauses and grace 0 or more seconds"
            )
        if min(self.replay_window, self.lifetime, self.handler_limit, self.keep_failed, self.lease) <= 0:
            raise ConfigurationError(
                f"{self}: replay_window, lifetime, handler_limit, keep_failed and lease are more than 0 seconds"
            )

    def pause(self, attempts: int) -> float:
        """Return the pause before the next attempt, in seconds.

        Args:
            attempts: How many attempts have failed, from 1.
        """
        return Backoff(self.first_pause, self.longest_pause).pause(attempts)
