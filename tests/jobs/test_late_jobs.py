"""What is said of a job's code when its time is over: in the log while it still runs, and to the emulator."""

import json
import threading
from typing import Any

import pytest

from tests.serving.test_late_code import Answer, Question, late_lines
from tests.support.events import running, with_code
from tests.support.jobs import Platform, working
from tests.support.kernel import app_call, reference_table, with_handler
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.events import hit_keyword
from wwspec_router import ability
from wwspec_router.kernel.call_log import CallLog
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.kernel.measured_sdk import MeasuredSdk
from wwspec_router.kernel.observer import observer_of
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


class Emulated(Platform):
    """The emulator's SDK, which keeps what it is told of jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.is_emulated = True
        self.traces: list[Any] = []

    def trace(self, reference: str, text: str = "") -> None:
        if text:
            self.traces.append(json.loads(text))


def test_the_emulator_is_told_where_a_job_hangs_that_is_reported_as_late(memory: Store) -> None:
    may_end = threading.Event()

    @ability
    def hanging(request: Question) -> Answer:
        assert may_end.wait(DEADLINE)
        return Answer()

    sdk = Emulated()
    observer = observer_of(sdk.trace)
    call_log = CallLog(MeasuredSdk(sdk, observer=observer), observer=observer)
    kernel = Dispatcher(with_handler(reference_table(), hanging, timeout=0.05), call_log.sdk, memory)
    with working(memory, call_log.sdk, kernel, hang_after=0.05, call_log=call_log) as process:
        process.accept(app_call("hanging", is_async=True, job_info="j"))
        sdk.wait_for(1)
        (trace,) = sdk.traces
        may_end.set()
        wait_until(lambda: process.jobs.threads.replaced == 0)
    assert (trace["outcome"], trace["errcode"]) == ("failed", 710660)
    assert trace["failure"]["text"] == "the ability took longer than its timeout (0.05 s)"
    assert [frame["function"] for frame in trace["failure"]["frames"] if frame["own"]] == ["hanging"]
    assert len(sdk.traces) == 1
