"""Find group chats by name (会话名称搜索) [99802, 101368].

Only groups that have a name, and only by the name they have now.
"""

from typing import Annotated

from msgspec import Meta

from wwspec_contracts.base import UNSET, Contract, PagedRequest, UnsetType
from wwspec_contracts.paging import Page, page_limit


class Chat(Contract):
    """A group that was found."""

    chatid: str = ""
    """For get_group_chat."""


class Response(Page):
    """The groups that were found."""

    chat_list: list[Chat] = []


class Request(PagedRequest[Response]):
    """What to look for."""

    query_word: Annotated[str, Meta(min_length=2)]
    """At least 2 characters."""
    limit: Annotated[int, page_limit(100)] | UnsetType = UNSET
    """Groups a page; WeCom takes 50 when left out."""
    cursor: str | UnsetType = UNSET
    """next_cursor of the previous call."""
