"""The contract of the ability `chat_digest`."""

from typing import Annotated

from msgspec import Meta

from wwspec_router import UNSET, Contract, Output, UnsetType, max_bytes


class Request(Contract):
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


class Response(Output):
    """The counts, largest first."""

    messages: int = 0
    senders: list[Count] = []
    msgtypes: list[Count] = []
    next_cursor: str = ""
    has_more: int = 0
    """1 = more messages wait behind next_cursor."""
