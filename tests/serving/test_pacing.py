import asyncio
from collections.abc import Callable

from hypothesis import given, strategies as st

from tests.support.waiting import wait_until
from wwspec_router.serving.workers import JUDGED_TIME, OCCUPIED, SPREAD, Idleness, Pacing


def test_each_judgement_begins_anew() -> None:
    watch = Idleness(now=100.0, computed=7.0)
    watch.first_came(100.0)
    assert watch.found(now=101.0, computed=7.0)
    assert not watch.found(now=102.0, computed=8.0)
    watch.last_left(102.0)
    watch.first_came(103.0)
    assert watch.found(now=104.0, computed=8.0)


Spans = st.lists(
    st.tuples(*[st.floats(0, 10, allow_nan=False)] * 2, st.floats(0, 1, allow_nan=False)), min_size=1, max_size=20
)


@given(spans=Spans)
def test_however_jobs_come_and_go_it_is_the_time_with_jobs_that_counts(spans: list[tuple[float, float, float]]) -> None:
    now, computed, with_jobs_seconds = 1000.0, 50.0, 0.0
    watch = Idleness(now, computed)
    for without, with_jobs, share in spans:
        watch.first_came(now + without)
        now += without + with_jobs
        computed += with_jobs * share
        with_jobs_seconds += with_jobs
        watch.last_left(now)
    watch.first_came(now)
    rounding = 1e-6
    found = watch.found(now, computed)
    if with_jobs_seconds < JUDGED_TIME - rounding or computed - 50.0 > OCCUPIED * with_jobs_seconds + rounding:
        assert not found
    elif with_jobs_seconds > JUDGED_TIME + rounding and computed - 50.0 < OCCUPIED * with_jobs_seconds - rounding:
        assert found


class Timers:
    """An event loop's timers, which end when a test says so."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []
        self._loop = asyncio.new_event_loop()
        self._loop.close()

    def call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        assert delay == SPREAD
        self.due.append(callback)
        self.latest = asyncio.TimerHandle(0.0, callback, (), self._loop)
        return self.latest

    def end_spread(self) -> None:
        self.due.pop()()


def test_jobs_spread_for_a_while_once_one_holds_others_up_and_on_while_they_are_found_to_block() -> None:
    timers = Timers()
    pacing = Pacing()
    assert pacing.jobs_block(timers.call_later, held_up=True)
    assert not pacing.jobs_block(timers.call_later, held_up=False)
    assert (pacing.spreads, len(timers.due)) == (True, 1), "one spread at a time"
    timers.end_spread()
    assert not pacing.spreads
    assert timers.due == []
    for _ in range(2):
        pacing.jobs_block(timers.call_later, held_up=True)
        assert (pacing.spreads, len(timers.due)) == (True, 1), "and again"
    spreads = []
    for _ in range(2):
        timers.end_spread()
        spreads.append(pacing.spreads)
    assert spreads == [True, False], "they had blocked again"


def test_jobs_spread_while_the_process_idles_although_it_has_jobs() -> None:
    timers = Timers()
    pacing = Pacing()
    pacing.first_came()
    wait_until(lambda: pacing.jobs_block(timers.call_later, held_up=False))
    assert pacing.spreads


def test_no_timer_is_left_after_the_stop() -> None:
    timers = Timers()
    pacing = Pacing()
    pacing.stop()
    pacing.jobs_block(timers.call_later, held_up=True)
    pacing.stop()
    assert timers.latest.cancelled()
