"""Find messages by words in them (会话消息搜索) [99818].

Looks at the text of messages and of mixed messages, at titles of links and mini-programs, and at names of
files, drive files and online documents.
"""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from wwspec_contracts.base import UNSET, Contract, PagedRequest, UnsetType
from wwspec_contracts.messages import ChatType, MsgType
from wwspec_contracts.paging import Page, page_limit


class SearchableType(IntEnum):
    """The kinds of message that can be searched."""

    TEXT = MsgType.TEXT
    LINK = MsgType.LINK
    MINI_PROGRAM = MsgType.MINI_PROGRAM
    FILE = MsgType.FILE
    ONLINE_DOCUMENT = MsgType.ONLINE_DOCUMENT
    MIXED = MsgType.MIXED
    DRIVE_FILE = MsgType.DRIVE_FILE


class IdInfo(Contract):
    """An employee or a customer; the employee counts when both are given."""

    open_userid: str | UnsetType = UNSET
    """The employee."""
    external_userid: str | UnsetType = UNSET
    """The customer."""


class ChatInfo(Contract):
    """Where to search."""

    chat_type: ChatType | UnsetType = UNSET
    """Whether to search one-to-one chats or groups."""
    id_list: Annotated[list[IdInfo], Meta(min_length=2, max_length=2)] | UnsetType = UNSET
    """The two parties of a one-to-one chat."""
    chat_id: str | UnsetType = UNSET
    """The group, for a group chat. Spelled chatid everywhere else."""
    msg_type_list: list[SearchableType] | UnsetType = UNSET
    """All searchable kinds when left out."""
    sender: IdInfo | UnsetType = UNSET
    """Only what this employee sent; ignored when there is a sender_list."""
    sender_list: Annotated[list[IdInfo], Meta(max_length=100)] | UnsetType = UNSET
    """Only what one of these employees sent."""


class FoundMessage(Contract):
    """A message that was found."""

    msgid: str = ""


class Response(Page):
    """The messages that were found, latest first."""

    msg_list: list[FoundMessage] = []


class Request(PagedRequest[Response]):
    """What to look for, where and when."""

    query_word: Annotated[str, Meta(min_length=2)]
    """At least 2 characters."""
    chat_info: ChatInfo | UnsetType = UNSET
    """Where to search, and for whose messages."""
    start_time: int | UnsetType = UNSET
    """Unix time in seconds."""
    end_time: int | UnsetType = UNSET
    """Unix time in seconds, at most 31 days after start_time; both left out mean the last 31 days."""
    skip_stop_words: bool | UnsetType = UNSET
    """Ignore very common words, unless there are no others. WeCom takes false when left out."""
    limit: Annotated[int, page_limit(100)] | UnsetType = UNSET
    """Messages a page; WeCom takes 50 when left out."""
    cursor: str | UnsetType = UNSET
    """next_cursor of the previous call."""
