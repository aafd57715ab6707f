"""Counters that only grow, from the counts of a program, which begin at 0 with each of its starts.

A poll returns the counts since the start of the program that answers it, and how long ago that start was. Several
programs may answer in turn: instances behind one channel, or the old and the new one of a rollout. They are
distinguished by the times of their starts. A counter grows by the count of the same program since its last poll, so
nothing is added twice.
"""

from dataclasses import dataclass
from itertools import islice

Counts = dict[tuple[str, str], int]
"""Counts by name and label value; the label is empty for a name that has none."""

SLACK = 0.25
"""Seconds by which the clocks of two machines may drift apart between two polls."""
MOST_PROGRAMS = 64
"""Most programs that are distinguished; then the one that has not answered for longest is forgotten."""
MOST_SERIES = 2_000
"""Counts that are kept beside those of the last answer: abilities come and go with each release. If there are more,
those that no program has reported for longest are forgotten, and their number is counted."""


@dataclass
class _Program:
    earliest: float
    """When it started, at the earliest: seconds of this machine's monotonic clock, as all times here."""
    latest: float
    counts: Counts
    """The highest counts that it has reported."""

    def may_have_started(self, earliest: float, latest: float) -> bool:
        return self.earliest - SLACK <= latest and earliest <= self.latest + SLACK


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
        self._programs: list[_Program] = []  # the one that answered last is the last
        self._answered: float | None = None

    def add(self, counts: Counts, uptime: int, sent: float, received: float) -> None:
        """Add the counts that a program has reported.

        Args:
            counts: Since its start.
            uptime: Whole seconds since then.
            sent: When it was asked.
            received: When its answer was here.
        """
        earliest, latest = sent - uptime - 1, received - uptime
        program = next((each for each in self._programs if each.may_have_started(earliest, latest)), None)
        if program is None:
            # A program that ran before its first poll has old counts: these are left out.
            is_new_start = self._answered is not None and latest + SLACK > self._answered
            self.restarts += is_new_start
            program = _Program(earliest, latest, {} if is_new_start else counts)
        else:
            self._programs.remove(program)
            program.earliest, program.latest = earliest, latest
        for key, count in counts.items():
            before = program.counts.get(key, 0)
            self.totals[key] = self.totals.pop(key, 0) + max(0, count - before)  # those reported last are the last
        self._forget(len(self.totals) - max(MOST_SERIES, len(counts)))
        highest = program.counts | {key: max(count, program.counts.get(key, 0)) for key, count in counts.items()}
        program.counts = {key: count for key, count in highest.items() if key in self.totals}
        self._programs = [*self._programs, program][-MOST_PROGRAMS:]
        self._answered = received

    def _forget(self, number: int) -> None:
        for key in list(islice(self.totals, max(0, number))):
            del self.totals[key]
            self.forgotten += 1
