"""Inspects what employees write: counts their messages, opens tickets for forbidden words, and makes reports."""

import logging
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from wwspec_contracts import create_rule, get_hit_msg_list, search_msg, sync_msg
from wwspec_contracts.events import conversation_new_message, hit_keyword
from wwspec_contracts.messages import MessageHead, PartyType
from wwspec_contracts.rules import Keyword
from wwspec_router import AbilityError, Context, Contract, EventContext, Output, Run, ability, notification, on_event

log = logging.getLogger(__name__)

MOST_PAGES = 5
"""Pages of one run; the next event goes on. WeCom allows few pulls when the token of an old event is not valid any
more."""


# What the app asks, and what it is told; it has these contracts, too


class WatchRequest(Contract):
    """Begin to inspect: under this name WeCom looks for the forbidden words."""

    name: str


class Counted(Contract):
    """Comes with an event: how many messages of employees are new."""

    messages: int


class Hit(Contract):
    """A message with a forbidden word."""

    msgid: str
    employee: str


@notification
class Finding(Contract):
    """Messages to look at: a ticket. Its number is the notify_id."""

    hits: list[Hit]


class ReportRequest(Contract):
    """A report under a name of the app's own."""

    report_id: str


@notification
class Progress(Contract):
    """How far a report is."""

    report_id: str
    done: int
    total: int


class Employee(Contract):
    """How many messages an employee has written, and how many of them have a forbidden word."""

    userid: str
    messages: int
    hits: int


class Report(Output):
    """How many messages of 31 days have a forbidden word, and who has written what since the inspection began."""

    found: int = 0
    employees: list[Employee] = []


class Settings(Struct, frozen=True):
    """What is inspected, and for whom not: the table [app] of wwspec.toml."""

    forbidden: Annotated[list[Annotated[str, Meta(min_length=2, max_length=32)]], Meta(min_length=1, max_length=50)]
    suspended: list[str] = []


# What the program does


def around(run: Run) -> Iterator[None]:
    """Refuse a call of a corp that is suspended, or let the code run and write who ran what, and how it ended.

    Code on an event is not refused: that would be a failure, which is repeated. It returns for such a corp by itself.
    """
    if run.ability_id and run.corpid in run.settings.suspended:
        raise AbilityError("this corp is suspended", errcode=9100)
    try:
        yield
    finally:
        what = run.ability_id or run.event_type
        log.info("%s of %s/%d, run %d: %d", what, run.corpid, run.agentid, run.attempt, run.errcode)


@ability(once={"key": "name", "ttl": 86400})
def watch(request: WatchRequest, ctx: Context[None, Settings]) -> Output:
    """Let WeCom look for the forbidden words. A repeated call makes no second rule on the same machine."""
    ctx.invoke(create_rule.Request(name=request.name, keyword=Keyword(word_list=ctx.settings.forbidden)))
    return Output()


@on_event(notify="after")
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


@on_event(notify="never", once=True)
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


@ability(timeout=600.0)
def report(request: ReportRequest, ctx: Context[None, Settings]) -> Report:
    """Search for each forbidden word, and tell the app how far it is. After a kill, what was searched stays.

    That takes long, so the app calls it asynchronously.
    """
    words, found = ctx.settings.forbidden, 0
    for done, word in enumerate(words, start=1):
        found += ctx.step(f"search {done}", partial(count, word, ctx), type=int)
        ctx.notify(Progress(report_id=request.report_id, done=done, total=len(words)))
    messages, hits = (ctx.kept.get(key, dict[str, int]) or {} for key in ("messages", "hits"))
    employees = [Employee(userid=each, messages=messages[each], hits=hits.get(each, 0)) for each in sorted(messages)]
    return Report(found=found, employees=employees)


def count(word: str, ctx: Context[None, Settings]) -> int:
    """Return how many messages of the last 31 days have a word."""
    return sum(len(page.msg_list) for page in ctx.pages(search_msg.Request(query_word=word, limit=100)))
