"""What the log of a deployed program says of code whose time is over: the limit and the place, and no value."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.serving.wire import Served, starting
from tests.support.kernel import with_handler
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.api import sync_msg
from wwspec_router import AsyncContext, Context, Contract, Output, ability
from wwspec_router.registry.table import AbilityTable

TIMEOUT = 0.05
SECRET = "a name that no log may show"  # noqa: S105 - made up

Serve = Callable[[Callable[..., object]], Served]


class Question(Contract):
    text: str = ""


class Answer(Output):
    count: int = 0


@pytest.fixture
def serve(table: AbilityTable) -> Iterator[Serve]:
    """Serve one handler, with a timeout."""
    with ExitStack() as stack:
        yield lambda handler: stack.enter_context(starting(with_handler(table, handler, timeout=TIMEOUT)))()


@contextmanager
def waiting() -> Iterator[threading.Event]:
    """An event that is set at the end, also when the test fails."""
    event = threading.Event()
    try:
        yield event
    finally:
        event.set()


def late_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged of code that was late, with `N` for the numbers of lines."""
    assert SECRET not in caplog.text
    lines = [record.getMessage() for record in caplog.records if "HandlerTimeoutError" in record.getMessage()]
    return [re.sub(r":\d+ ", ":N ", line) for line in lines]


HEAD = "refused, HandlerTimeoutError: the ability took longer than its timeout (0.05 s"


def test_code_that_blocks_is_named_once_when_its_time_is_over(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    with waiting() as free:

        def counted(names: list[str]) -> int:
            assert free.wait(DEADLINE)
            return len(names)

        @ability
        def digest(request: Question) -> Answer:
            return Answer(count=counted([request.text]))

        program = serve(digest)
        assert "longer than its timeout" in program.post("digest", {"text": SECRET}).text
        (line,) = late_lines(caplog)
        assert line.startswith(
            f"ability digest {HEAD}, at test_late_code.py:N counted < test_late_code.py:N digest, in threading.py:N "
        )
    wait_until(lambda: not program.pending)
    assert late_lines(caplog) == [line]


def test_an_async_def_is_named_with_the_line_at_which_it_waits(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    @ability
    async def follow(request: Question, ctx: AsyncContext) -> Answer:
        return await found(request.text)

    async def found(text: str) -> Answer:
        await asyncio.sleep(DEADLINE)
        return Answer()

    serve(follow).post("follow", {"text": SECRET})
    (line,) = late_lines(caplog)
    assert line.startswith(f"ability follow {HEAD}, at test_late_code.py:N found < test_late_code.py:N follow, in ")


def test_a_call_of_the_sdk_after_the_end_is_named_with_its_line(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    @ability
    def several(request: Question, ctx: Context) -> Answer:
        wait_until(lambda: ctx.remaining == 0)
        ctx.invoke(sync_msg.Request())
        return Answer()

    serve(several).post("several", {"text": SECRET})
    assert late_lines(caplog) == [f"ability several {HEAD}, at test_late_code.py:N several)"]
