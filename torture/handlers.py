"""The abilities of the tortured program. `wwspec serve` imports this file as a part of its application folder.

Each answers from its request alone, so that its caller can tell a wrong answer from a right one.
"""

import random
import time

from wwspec_router import AsyncContext, Context, Contract, EventContext, Output, ability
from wwspec_router.wecom.events import conversation_new_message

WAIT = 0.05
"""Seconds that `wait` blocks its thread, as a call of the vendor's SDK would."""


LONGEST_JOB = 0.08
"""Seconds that `job` and `on_new_message` take at most."""
FAILING = 0.1
"""Share of the first runs of `on_new_message` that fail."""


class Numbered(Contract):
    """A request."""

    number: int


class Doubled(Output):
    """Its answer."""

    number: int = 0
    doubled: int = 0
    attempt: int = 0
    """1 in a synchronous call, else which time the job is run."""


class Handled(Contract):
    """What the app is told of an event, and gets beside it."""

    token: str


def on_new_message(event: conversation_new_message.Event, ctx: EventContext) -> Handled:
    """Tell the app the event's token after a random short time; sometimes fail at first."""
    time.sleep(random.uniform(0, LONGEST_JOB))  # noqa: S311 - no secret
    if ctx.attempt == 1 and random.random() < FAILING:  # noqa: S311 - no secret
        raise ValueError
    handled = Handled(token=event.conversation_new_message.token)
    ctx.notify(handled)
    return handled


@ability
def double(request: Numbered, ctx: Context) -> Doubled:
    """Double a number on a worker thread."""
    return Doubled(number=request.number, doubled=2 * request.number, attempt=ctx.attempt)


@ability
def job(request: Numbered, ctx: Context) -> Doubled:
    """Double a number in a random short time, so that a kill hits some that run."""
    time.sleep(random.uniform(0, LONGEST_JOB))  # noqa: S311 - no secret
    return Doubled(number=request.number, doubled=2 * request.number, attempt=ctx.attempt)


@ability
async def double_async(request: Numbered, ctx: AsyncContext) -> Doubled:
    """Double a number on the loop."""
    return Doubled(number=request.number, doubled=2 * request.number)


@ability
def wait(request: Numbered, ctx: Context) -> Doubled:
    """Double a number and block meanwhile."""
    time.sleep(WAIT)
    return Doubled(number=request.number, doubled=2 * request.number)
