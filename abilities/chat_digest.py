"""Counts the messages of one page by sender and by type, so that the app need not fetch them all."""

from collections import Counter
from collections.abc import Iterable

from schemas.chat_digest import Count, Request, Response
from wwspec_contracts import sync_msg
from wwspec_router import Context, ability


@ability
def digest(request: Request, ctx: Context) -> Response:
    """Pull one page of messages and count it."""
    page = ctx.invoke(sync_msg.Request(cursor=request.cursor, token=request.token, limit=request.limit))
    return Response(
        messages=len(page.msg_list),
        senders=_counts(message.sender.id for message in page.msg_list if message.sender),
        msgtypes=_counts(str(message.msgtype) for message in page.msg_list),
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


def _counts(keys: Iterable[str]) -> list[Count]:
    return [Count(key=key, messages=messages) for key, messages in Counter(keys).most_common()]
