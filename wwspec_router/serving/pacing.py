"""Tells jobs that block from jobs that compute: does the process idle while there are jobs in hand?

A thread that computes all the while beside them hides that jobs block. Knows no threads, no clock and no loop: whoever
uses it says what time it is.
"""

__all__ = ["Idleness"]

JUDGED_TIME = 0.02
"""Seconds with jobs in hand, at least, on which a judgement rests."""
OCCUPIED = 0.9
"""Share of these seconds for which the process computes, at least, when no job blocks."""


class Idleness:
    """Watches one process.

    Args:
        now: Seconds of a clock that never goes back.
        computed: Seconds for which the process, all its threads together, has computed; of `time.process_time()`.
    """

    def __init__(self, now: float, computed: float) -> None:
        self._judged = now
        self._computed = computed
        self._without_jobs = 0.0
        self._none_since = now

    def first_came(self, now: float) -> None:
        """Note that there are jobs in hand, after there were none."""
        self._without_jobs += now - self._none_since

    def last_left(self, now: float) -> None:
        """Note that no job is in hand any more."""
        self._none_since = now

    def found(self, now: float, computed: float) -> bool:
        """Judge the time since the last judgement, while there are jobs in hand or just after.

        Returns:
            Whether the process idled although there were jobs; False as well while that can't be told yet.
        """
        in_hand = now - self._judged - self._without_jobs
        if in_hand < JUDGED_TIME:
            return False
        idled = computed - self._computed < OCCUPIED * in_hand
        self._judged, self._computed, self._without_jobs = now, computed, 0.0
        return idled
