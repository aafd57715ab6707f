"""Counters that only grow, from the counts of a program, which begin at 0 with each of its starts.

A poll returns the counts since the start of the program that answers it, the ID of that start, and how long ago it was.
Several programs may answer in turn: instances behind one channel, or the old and the new one of a rollout. A counter
grows by the count of the same program since its last poll, so nothing is added twice.
"""

from itertools import islice

Counts = dict[tuple[str, str], int]
"""Counts by name and label value; the label is empty for a name that has none."""

SLACK = 0.25
"""Seconds by which the clocks of two machines may drift apart until the first poll."""
MOST_PROGRAMS = 64
"""Most programs that are distinguished; then the one that has not answered for longest is forgotten."""
MOST_SERIES = 2_000
"""Counts that are kept beside those of the last answer: abilities come and go with each release. If there are more,
those that no program has reported for longest are forgotten, and their number is counted."""


class Counters:
    """The sums of all that was counted from the first poll on.

    Attributes:
        totals: What was counted.
        restarts: Programs that started after another one had answered.
        forgotten: Counts that were forgotten.
    """

    def __init__(self) -> None:
        self.totals: Counts = {}
        self.restarts = self.forgotten = 0
        self._programs: dict[str, Counts] = {}
        """The highest counts that each has reported, by its start; the one that answered last is the last."""
        self._answered: float | None = None

    def add(self, counts: Counts, start_id: str, uptime: int, received: float) -> None:
        """Add the counts that a program has reported.

        Args:
            counts: Since its start.
            start_id: The ID of that.
            uptime: Whole seconds since then.
            received: When its answer was here.
        """
        known = self._programs.pop(start_id, None)
        if known is None:
            # A program that ran before its first poll has old counts: these are left out.
            is_new_start = self._answered is not None and received - uptime + SLACK > self._answered
            self.restarts += is_new_start
            known = {} if is_new_start else counts
        for key, count in counts.items():
            self.totals[key] = self.totals.pop(key, 0) + max(0, count - known.get(key, 0))  # the last are the last
        self._forget(len(self.totals) - max(MOST_SERIES, len(counts)))
        highest = known | {key: max(count, known.get(key, 0)) for key, count in counts.items()}
        self._programs[start_id] = {key: count for key, count in highest.items() if key in self.totals}
        if len(self._programs) > MOST_PROGRAMS:
            del self._programs[next(iter(self._programs))]
        self._answered = received

    def _forget(self, number: int) -> None:
        for key in list(islice(self.totals, max(0, number))):
            del self.totals[key]
            self.forgotten += 1
