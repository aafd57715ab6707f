"""Code that registry files of tests name: some of it can run on events, some can not."""

import threading
from collections.abc import Iterator

from wwspec_contracts.events import conversation_new_message, hit_keyword
from wwspec_router import Context, Contract, EventContext


class Hits(Contract):
    hits: int


class Nullable(Contract):
    """What no console example can express."""

    maybe: str | None


NOTHING = None


def on_hit(event: hit_keyword.Event, ctx: EventContext) -> Hits:
    ctx.notify(Hits(hits=2), 9)
    return Hits(hits=1)


def on_both(event: hit_keyword.Event | conversation_new_message.Event) -> None: ...


def slow(event: hit_keyword.Event, ctx: EventContext) -> Hits:
    threading.Event().wait(0.3)  # the work: so that a kill hits it
    ctx.notify(Hits(hits=ctx.attempt))
    return Hits(hits=ctx.attempt)


def without_event() -> None: ...


def with_three(event: hit_keyword.Event, ctx: EventContext, more: int) -> None: ...


def by_name(*, event: hit_keyword.Event) -> None: ...


def of_anything(event: dict[str, str]) -> None: ...


def of_nothing(event) -> None: ...  # type: ignore[no-untyped-def]  # what is tested


def of_call(event: hit_keyword.Event, ctx: Context) -> None: ...


async def of_def(event: hit_keyword.Event, ctx: EventContext) -> None: ...


def returns_text(event: hit_keyword.Event) -> str:
    return ""


def returns(event: hit_keyword.Event): ...  # type: ignore[no-untyped-def]  # what is tested


def returns_null(event: hit_keyword.Event) -> Nullable:
    return Nullable(maybe=None)


def yields(event: hit_keyword.Event) -> Iterator[None]:
    yield
