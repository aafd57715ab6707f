"""Lines that any call or client can cause: one a second of each kind, and how many were left out."""

import logging
from collections.abc import Hashable
from threading import Lock
from time import monotonic

PAUSE = 1.0
"""Seconds between two lines of a kind that can come with every call or connection."""
MOST_KINDS = 1000
"""Kinds of lines that are counted apart; all further ones count as one kind."""


class _Rarely:
    """Says when a line of one kind may be logged again, and how many were left out meanwhile."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._next = 0.0
        self._left_out = 0

    def ending(self) -> str | None:
        """Return the end of the line; None when the line is left out, since the last one was just now."""
        now = monotonic()
        with self._lock:
            if now < self._next:
                self._left_out += 1
                return None
            self._next = now + PAUSE
            left_out, self._left_out = self._left_out, 0
        return f" (and {left_out} more since the last such line)" if left_out else ""


class LineLimiter:
    """Lets one line a second pass of each kind, and counts those that are left out.

    The number of kinds is bounded, since a client that causes the lines may also cause new kinds of them without end.
    """

    def __init__(self) -> None:
        self._kinds: dict[Hashable, _Rarely] = {}
        self._others = _Rarely()

    def ending(self, kind: Hashable) -> str | None:
        """Return what the line of a kind ends with; None when it is to be left out, since the last one was just now."""
        known = self._kinds.get(kind)
        if known is None:
            known = self._kinds.setdefault(kind, _Rarely()) if len(self._kinds) < MOST_KINDS else self._others
        return known.ending()

    def log(self, logger: logging.Logger, level: int, message: str, *args: object, kind: Hashable = None) -> None:
        """Log a line, unless it is left out; its kind is the message together with `kind`."""
        if (ending := self.ending((message, kind))) is not None:
            logger.log(level, f"{message}%s", *args, ending)  # noqa: G004 - a constant of the caller's
