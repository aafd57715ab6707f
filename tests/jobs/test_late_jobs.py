"""What is said of a job's code when its time is over: in the log, while it still runs."""

import threading

import pytest

from tests.serving.test_late_code import late_lines
from tests.support.events import running, with_code
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.events import hit_keyword
from wwspec_router.stores.base import Store


def test_code_on_an_event_is_named_when_its_time_is_over(memory: Store, caplog: pytest.LogCaptureFixture) -> None:
    may_end = threading.Event()

    def handler(event: hit_keyword.Event) -> None:
        assert may_end.wait(DEADLINE)

    with running(with_code(handler, timeout=0.05, retries=0), memory) as program:
        program.event()
        wait_until(lambda: late_lines(caplog) != [])
        may_end.set()
        program.wait_done()
    (line,) = late_lines(caplog)
    assert line.startswith(
        "event:hit_keyword refused, HandlerTimeoutError: the ability took longer than its timeout (0.05 s, "
        "at test_late_jobs.py:N handler, in threading.py:N wait"
    )
