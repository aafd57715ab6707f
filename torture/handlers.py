"""The abilities of the tortured program. `wwspec serve` imports this file as a part of its application folder.

Each answers from its request alone, so that its caller can tell a wrong answer from a right one.
"""

import random
import time
from functools import reduce
from hashlib import sha256
from secrets import token_hex
from zlib import crc32

from wwspec_contracts import sync_msg
from wwspec_contracts.events import conversation_new_message
from wwspec_router import AsyncContext, Context, Contract, EventContext, Output, ability

WAIT = 0.05
"""Seconds that `wait` blocks its thread, as a call of the vendor's SDK would."""


LONGEST_JOB = 0.08
"""Seconds that `job` and `on_new_message` take at most."""
FAILING = 0.1
"""Share of the first runs of `on_new_message` that fail."""
READERS = 16
"""Each reads all messages for itself: one run at a time follows for one of them."""
PAGE = 20
"""Messages of a page that a reader asks for."""


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
    receipt: str
    """Made in a step of the run: the same in each run of an event, once the step was kept."""


class Announced(Contract):
    """What `announce` tells the app."""

    number: int


class Announcing(Output):
    """The answer of `announce`."""

    notify_id: str = ""


class Reading(Output):
    """What a reader has read: kept, and the answer of `reading`."""

    events: int = 0
    messages: int = 0
    chain: str = ""


def chained(chain: str, msgid: str) -> str:
    """Return what stands for messages in their order, from what stands for all but the last."""
    return sha256(f"{chain} {msgid}".encode()).hexdigest()


def reader_of(token: str) -> int:
    """Return which reader reads on an event."""
    return crc32(token.encode()) % READERS


def on_new_message(event: conversation_new_message.Event, ctx: EventContext) -> Handled:
    """Read what is new, make a receipt, and tell the app both after a random short time; sometimes fail at first."""
    token = event.conversation_new_message.token
    reader = f"reader {reader_of(token)}"
    pages = ctx.follow(sync_msg.Request(token=token, limit=PAGE), name=reader, start="oldest")
    new = [message.msgid for page in pages for message in page.msg_list]
    read = ctx.kept.get(reader, Reading) or Reading()
    chain = reduce(chained, new, read.chain)
    now = Reading(events=read.events + 1, messages=read.messages + len(new), chain=chain)
    ctx.kept.set(reader, now, unchanged=True)
    receipt = ctx.step("receipt", _receipt)
    time.sleep(random.uniform(0, LONGEST_JOB))  # noqa: S311 - no secret
    if ctx.attempt == 1 and random.random() < FAILING:  # noqa: S311 - no secret
        raise ValueError
    handled = Handled(token=token, receipt=receipt)
    ctx.notify(handled)
    return handled


def _receipt() -> str:
    return token_hex(8)


@ability
def reading(request: Numbered, ctx: Context) -> Reading:
    """Return what a reader has read."""
    return ctx.kept.get(f"reader {request.number}", Reading) or Reading()


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
def announce(request: Numbered, ctx: Context) -> Announcing:
    """Tell the app a number."""
    return Announcing(notify_id=ctx.notify(Announced(number=request.number)))


@ability
async def double_async(request: Numbered, ctx: AsyncContext) -> Doubled:
    """Double a number on the loop."""
    return Doubled(number=request.number, doubled=2 * request.number)


@ability
def wait(request: Numbered, ctx: Context) -> Doubled:
    """Double a number and block meanwhile."""
    time.sleep(WAIT)
    return Doubled(number=request.number, doubled=2 * request.number)
