"""Pull conversation records (获取会话记录) [99824, 101365, 100023].

Reaches back 5 days, at most 1000 records a call. A record is kept when its sender or one of its receivers
is in the authorised scope, and nothing is kept before a public key was set. Audio and video calls give one
record for each participant, those with WeChat users one in all. Without a token a strict, unpublished
frequency limit applies.
"""

from enum import IntEnum
from typing import Annotated

from wwspec_contracts.base import UNSET, PagedRequest, UnsetType, max_bytes
from wwspec_contracts.messages import Message
from wwspec_contracts.paging import Page, page_limit


class SyncMode(IntEnum):
    """What one call returns."""

    MESSAGES = 0
    """The messages themselves."""
    PAGE_IDS = 1
    """Ids of pages, to be read with get_msg_list_by_page_id, several at a time."""
    ADAPTIVE = 2
    """The messages when they fit one page, else page ids."""


class Response(Page):
    """Records in ascending order of send_time, or page ids, by the request's mode."""

    msg_list: list[Message] = []
    """The records; empty with page ids."""
    page_id_list: list[str] = []
    """At most 10 a call; each page holds up to `limit` messages."""


class Request(PagedRequest[Response]):
    """Where to go on, and how much to return."""

    cursor: Annotated[str, max_bytes(128)] | UnsetType = UNSET
    """next_cursor of the previous call; when left out, the oldest message of the last 5 days comes first."""
    token: Annotated[str, max_bytes(128)] | UnsetType = UNSET
    """From a conversation_new_message event; valid 10 minutes."""
    limit: Annotated[int, page_limit(1000)] | UnsetType = UNSET
    """Messages a page; WeCom takes 200 when left out."""
    mode: SyncMode | UnsetType = UNSET
    """WeCom takes `SyncMode.MESSAGES` when left out."""
    begin_time: int | UnsetType = UNSET
    """Only to pull again after losing the cursor: records from about this time on (Unix seconds)."""
