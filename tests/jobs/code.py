"""Code on an event, as the tests of jobs need it."""

from collections.abc import Callable
from typing import Any

from tests.support.events import Archived, with_code
from wwspec_contracts.events import hit_keyword
from wwspec_router import EventContext
from wwspec_router.registry.table import AbilityTable


class Code:
    """Code that notes its attempts, does what a test says, and returns how many there were.

    Args:
        run: Does it.
        row: Of the registry.

    Attributes:
        attempts: The number of each attempt.
        table: The reference program's table with this code.
    """

    def __init__(self, run: Callable[[EventContext], Any], **row: Any) -> None:
        self.attempts: list[int] = []

        def handler(event: hit_keyword.Event, ctx: EventContext) -> Archived:
            self.attempts.append(ctx.attempt)
            run(ctx)
            return Archived(messages=len(self.attempts))

        self.table: AbilityTable = with_code(handler, **row)


def failing(error: BaseException, times: int = 10**9) -> Callable[[EventContext], None]:
    """Return what raises an error so often."""
    left = iter(range(times))

    def fail(ctx: EventContext) -> None:
        for _ in left:
            raise error

    return fail
