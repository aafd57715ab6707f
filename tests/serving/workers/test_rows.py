"""A worker that does jobs in a row hands results back before the row ends."""

import threading
from time import monotonic
from typing import Any

from wwspec_router.serving.crew import ROW, Crew
from wwspec_router.serving.pacing import Pacing

JOBS = 6


class Computing:
    """A job that computes for as long as results may be kept."""

    args = ()
    is_over = False

    def run(self) -> None:
        end = monotonic() + ROW
        while monotonic() < end:
            pass

    def end(self, result: Any, error: BaseException | None) -> None: ...

    def cancel(self) -> None: ...


def test_results_are_handed_back_while_more_jobs_are_queued() -> None:
    taken: list[int] = []
    all_taken = threading.Event()

    def wake_loop() -> None:
        """Take what is done, as the loop does, but on the thread that wakes it."""
        crew.is_waking = False
        taken.append(len(crew.done))
        crew.done.clear()
        if sum(taken) == JOBS:
            all_taken.set()

    crew = Crew(1, "row", Pacing(lambda: 0, lambda: ()), wake_loop)
    crew.jobs.extend(Computing() for _ in range(JOBS))
    crew.call_next()
    assert all_taken.wait(20)
    crew.end(20, abandoned=False)
    assert taken == [2] * (JOBS // 2)  # the second begins when the time of the first one is over
