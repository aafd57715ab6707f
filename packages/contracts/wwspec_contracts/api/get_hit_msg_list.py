"""Pull the messages that hit keyword rules (获取命中关键词规则的会话记录) [99830, 99974].

Reaches back 5 days, at most 1000 messages a call. Messages of these kinds can hit: text, image, link,
mini-program, voice, file, card, red packet, mixed, audio archive. Without a token a strict, unpublished
frequency limit applies.
"""

from typing import Annotated

from wwspec_contracts.base import UNSET, Contract, Flag, PagedRequest, UnsetType, max_bytes
from wwspec_contracts.messages import MessageHead
from wwspec_contracts.paging import Page, page_limit


class HitRule(Contract):
    """A rule that the message hit, and by what."""

    rule_id: str = ""
    """From get_rule_list."""
    has_hit_keyword: bool = False
    """Whether it was one of the rule's words."""
    semantics_list: list[int] = []
    """The behaviours that were hit, each a `wwspec_contracts.rules.Behaviour`."""


class HitMessage(Contract):
    """A message that hit a rule."""

    msgid: str = ""
    msg_detail: MessageHead | UnsetType = UNSET
    """Only when the request asked for it."""
    hit_rule_list: list[HitRule] = []
    """The rules that it hit."""


class Response(Page):
    """Messages that hit a rule."""

    msg_list: list[HitMessage] = []


class Request(PagedRequest[Response]):
    """Where to go on, and how much to return."""

    cursor: Annotated[str, max_bytes(64)] | UnsetType = UNSET
    """next_cursor of the previous call; when left out, the oldest message of the last 5 days comes first."""
    token: Annotated[str, max_bytes(128)] | UnsetType = UNSET
    """From a hit_keyword event; valid 10 minutes."""
    need_detail: Flag | UnsetType = UNSET
    """1 = return msg_detail; WeCom takes 0 when left out."""
    limit: Annotated[int, page_limit(1000)] | UnsetType = UNSET
    """Messages a page; WeCom takes 200 when left out."""
    begin_time: int | UnsetType = UNSET
    """Only to pull again after losing the cursor: messages from about this time on (Unix seconds)."""
