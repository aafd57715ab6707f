"""Inspects what employees write: counts their messages, and opens a ticket for those with a forbidden word."""

from collections import Counter

from abilities.settings import Settings
from schemas.inspection import Counted, Finding, Hit, WatchRequest
from wwspec_contracts import create_rule, get_hit_msg_list, sync_msg
from wwspec_contracts.events import conversation_new_message, hit_keyword
from wwspec_contracts.messages import MessageHead, PartyType
from wwspec_contracts.rules import Keyword
from wwspec_router import Context, EventContext, Output, ability

MOST_PAGES = 5
"""Pages of one run; the next event goes on. WeCom allows few pulls when the token of an old event is not valid any
more."""


@ability
def watch(request: WatchRequest, ctx: Context[None, Settings]) -> Output:
    """Let WeCom look for the forbidden words. A repeated call makes no second rule on the same machine."""
    ctx.invoke(create_rule.Request(name=request.name, keyword=Keyword(word_list=ctx.settings.forbidden)))
    return Output()


def on_message(event: conversation_new_message.Event, ctx: EventContext[None, Settings]) -> Counted:
    """Count the new messages of each employee."""
    new = Counter[str]()
    if ctx.corpid in ctx.settings.suspended:
        return Counted(messages=0)
    pages = ctx.follow(sync_msg.Request(token=event.conversation_new_message.token), name="messages")
    for number, page in enumerate(pages, start=1):
        new.update(filter(None, map(employee_of, page.msg_list)))
        if number == MOST_PAGES:
            pages.keep()
            break
    ctx.kept.add("messages", new)
    return Counted(messages=new.total())


def on_hit(event: hit_keyword.Event, ctx: EventContext[None, Settings]) -> None:
    """Open a ticket for each page of new hits."""
    new = Counter[str]()
    if ctx.corpid in ctx.settings.suspended:
        return
    request = get_hit_msg_list.Request(token=event.hit_keyword.token, need_detail=1, limit=200)
    pages = ctx.follow(request, name="hits")
    for number, page in enumerate(pages, start=1):
        hits = [Hit(msgid=each.msgid, employee=employee_of(each.msg_detail)) for each in page.msg_list]
        if hits := [hit for hit in hits if hit.employee]:
            ctx.notify(Finding(hits=hits), once=hits[-1].msgid)  # if a page has grown, its ticket is another one
            new.update(hit.employee for hit in hits)
        if number == MOST_PAGES:
            pages.keep()
            break
    ctx.kept.add("hits", new)


def employee_of(message: object) -> str:
    """Return the employee who has sent a message; empty when it was a customer or a robot."""
    sender = message.sender if isinstance(message, MessageHead) else None
    return sender.id if sender and sender.type == PartyType.EMPLOYEE else ""
