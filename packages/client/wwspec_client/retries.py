"""Which requests are sent again, and when: one table of failures, and one rule."""

from dataclasses import dataclass
from typing import NamedTuple

from wwspec_client.errors import ZoneClientError
from wwspec_contracts.backoff import Backoff
from wwspec_contracts.errcodes import DOWN, RETRY_AFTER
from wwspec_contracts.errors import ConfigurationError


class Facts(NamedTuple):
    """What a failure says about its request."""

    retryable: bool
    """The same request may succeed later."""
    may_have_run: bool
    """The program may have handled it, if it was a call of one."""


NOT_SENT = Facts(retryable=True, may_have_run=False)
NO_ANSWER = Facts(retryable=True, may_have_run=True)
NO_JSON = Facts(retryable=False, may_have_run=True)

_BUSY = Facts(retryable=True, may_have_run=False)
_BROKEN = Facts(retryable=True, may_have_run=True)
_REFUSED = Facts(retryable=False, may_have_run=False)
_UNKNOWN = Facts(retryable=False, may_have_run=True)

_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = range(500, 600)

_ERRCODES = {
    **dict.fromkeys((-1, 45033, *RETRY_AFTER, DOWN), _BUSY),
    45029: _UNKNOWN,
    **dict.fromkeys((710636, 710640, 710641, 710642, 710645, 710646, 710647, 710651, 710671, 710672, 710673), _REFUSED),
    **dict.fromkeys((790012, 790015, 790016, 790017, 790020, 790021, 800001, 800002, 800003), _REFUSED),
}
"""Errcodes of a call [100042]. Before it calls the program WeCom checks the token, the frequency, the app's rights, the
IDs and the request. We assume that a call with -1 has not run. A program that WeCom can't connect to may be just being
replaced, and back within seconds."""
_ZONE = range(710000, 900000)
"""Codes of the zone: one that is not in the table may come before or after the program's work."""


def facts_of_errcode(errcode: int) -> Facts:
    """Return what is known of a request that WeCom refused."""
    return _ERRCODES.get(errcode, _UNKNOWN if errcode in _ZONE else _REFUSED)


def facts_of_status(status: int) -> Facts:
    """Return what is known of a request that ended with an HTTP status other than 200."""
    if status == _TOO_MANY_REQUESTS:
        return _BUSY
    return _BROKEN if status in _SERVER_ERRORS else _REFUSED


@dataclass(frozen=True)
class RetryPolicy:
    """How often a request is sent, and how long that may take.

    A client repeats what is `retryable` and can't have run; with `retry_unsafe=True` also what may have run.

    Raises:
        ConfigurationError: A number is out of its range.

    Examples:
        At most two attempts within 5 seconds, for a page that a user waits for:

        >>> from wwspec_client import RetryPolicy
        >>> policy = RetryPolicy(attempts=2, deadline=5.0)
        >>> policy.first_pause, policy.longest_pause
        (0.5, 8.0)
    """

    attempts: int = 4
    """Attempts in all, including the first one; WeCom asks for at most three retries when it is busy."""
    first_pause: float = 0.5
    """Seconds before the second attempt; each later pause is twice as long. Up to half of it is left out at random."""
    longest_pause: float = 8.0
    """Seconds that a pause takes at most, unless `retry_after` of the error asks for more."""
    deadline: float = 60.0
    """Seconds for all attempts: none begins later, and none gets more time than is left. A longer `timeout` of a call
    counts in its place."""

    def __post_init__(self) -> None:
        if self.attempts < 1 or min(self.first_pause, self.longest_pause) < 0 or self.deadline <= 0:
            raise ConfigurationError(
                f"{self}: attempts is 1 or more, pauses are 0 or more seconds, the deadline is more than 0"
            )

    def pause(self, error: ZoneClientError, attempt: int, elapsed: float, *, retry_unsafe: bool) -> float | None:
        """Return the seconds until the next attempt, or None when the error is final.

        Args:
            error: How the latest attempt ended.
            attempt: Its number, from 1.
            elapsed: Seconds since the first one began.
            retry_unsafe: Repeat also what may have run.
        """
        if not error.retryable or attempt >= self.attempts or (error.may_have_run and not retry_unsafe):
            return None
        pause = Backoff(self.first_pause, self.longest_pause, jitter=0.5).pause(attempt)
        if error.retry_after is not None:
            pause = max(pause, error.retry_after)
        return pause if elapsed + pause < self.deadline else None
