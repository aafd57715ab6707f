"""Counts the messages of one pull by sender and by type, so that the app need not fetch them all."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from wwspec_router.wecom import sync_msg
from wwspec_router import UNSET, Context, Contract, Output, UnsetType, ability, max_bytes


class DigestRequest(Contract):
    """Which messages to count."""

    cursor: Annotated[str, max_bytes(128)] | UnsetType = UNSET
    """next_cursor of the previous digest."""
    token: Annotated[str, max_bytes(128)] | UnsetType = UNSET
    """From a conversation_new_message event."""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200
    """Messages to look at."""


class Count(Contract):
    """How many messages one thing has."""

    key: str
    """A sender's id, or a msgtype."""
    messages: int


class DigestReply(Output):
    """The counts, largest first."""

    messages: int = 0
    senders: list[Count] = []
    msgtypes: list[Count] = []
    next_cursor: str = ""
    has_more: int = 0
    """1 = more messages wait behind next_cursor."""


@ability
def digest(request: DigestRequest, ctx: Context) -> DigestReply:
    """Pull one page of messages and count it."""
    page = ctx.invoke(sync_msg.Request(cursor=request.cursor, token=request.token, limit=request.limit))
    return DigestReply(
        messages=len(page.msg_list),
        senders=_counts(message.sender.id for message in page.msg_list if message.sender),
        msgtypes=_counts(str(message.msgtype) for message in page.msg_list),
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


def _counts(keys: Iterable[str]) -> list[Count]:
    return [Count(key=key, messages=messages) for key, messages in Counter(keys).most_common()]
