"""What a type checker knows of a handler's calls; read by mypy, never run."""

from typing import Any, assert_type

import wwspec_contracts as wecom
from tests.support.event_handlers import Hits
from wwspec_contracts import create_summary_task, get_group_chat, get_summary_result, sync_msg
from wwspec_contracts.tasks import halves
from wwspec_router import AsyncContext, AsyncEventContext, Context, EventContext, Secret


def typed(ctx: Context) -> None:
    """A request knows its reply."""
    assert_type(ctx.invoke(sync_msg.Request(limit=200)), sync_msg.Response)
    assert_type(ctx.invoke(get_group_chat.Request(chatid="x"), check=False).members, list[get_group_chat.Member])


async def typed_async(ctx: AsyncContext) -> None:
    assert_type(await ctx.invoke(sync_msg.Request()), sync_msg.Response)


def typed_state(ctx: Context[str], event_ctx: EventContext[str, bytes], untyped: Context) -> None:
    assert_type(ctx.state, str)
    assert_type(ctx.settings, Any)
    assert_type(event_ctx.state, str)
    assert_type(event_ctx.settings, bytes)
    assert_type(untyped.state, Any)


def typed_secret(secret: Secret) -> None:
    """A secret is no text until it is revealed."""
    assert_type(secret.reveal(), str)
    text: str = secret  # type: ignore[assignment]
    assert text


def typed_event(ctx: EventContext) -> None:
    assert_type(ctx.invoke(sync_msg.Request(limit=200)), sync_msg.Response)
    assert_type(ctx.event_type, str)
    assert_type(ctx.notify(Hits(hits=1), scene=3), str)


async def typed_async_event(ctx: AsyncEventContext) -> None:
    assert_type(await ctx.invoke(sync_msg.Request()), sync_msg.Response)
    assert_type(await ctx.notify(Hits(hits=1)), str)


def wrong(ctx: Context) -> None:
    """Mistakes that mypy finds; each comment is needed, since unused ones are errors."""
    sync_msg.Request(limit="200")  # type: ignore[arg-type]
    sync_msg.Request(limits=200)  # type: ignore[call-arg]
    get_group_chat.Request()  # type: ignore[call-arg]
    assert ctx.invoke(sync_msg.Request()).msg_lists  # type: ignore[attr-defined]
    ctx.notify("text")  # type: ignore[arg-type]
    wecom.snyc_msg  # type: ignore[attr-defined]  # noqa: B018


def typed_pages(ctx: Context) -> None:
    assert_type(next(iter(ctx.pages(sync_msg.Request(limit=200)))), sync_msg.Response)
    summary = create_summary_task.Request(msg_list=[])
    assert_type(ctx.finish(summary), get_summary_result.Response)
    assert_type(ctx.finish(summary, split=halves), list[get_summary_result.Response])
    ctx.pages(get_group_chat.Request(chatid="x"))  # type: ignore[arg-type]
    ctx.finish(sync_msg.Request())  # type: ignore[call-overload]


async def typed_pages_async(ctx: AsyncContext) -> None:
    async for page in ctx.pages(sync_msg.Request()):
        assert_type(page, sync_msg.Response)
    assert_type(await ctx.finish(create_summary_task.Request(msg_list=[])), get_summary_result.Response)
