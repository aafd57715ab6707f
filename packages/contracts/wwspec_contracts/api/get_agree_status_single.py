"""Ask which customers agreed to archiving in one-to-one chats (获取单聊会话同意情况) [99826, 100024].

At most 100 pairs a call; WeCom refuses larger requests as a whole.
"""

from typing import Annotated

from msgspec import Meta

from wwspec_contracts.base import ApiRequest, Contract, Output


class Pair(Contract):
    """One chat, by its two parties."""

    userid: str
    """The employee, who must be in scope."""
    external_userid: str
    """The customer."""


class Agreement(Contract):
    """A customer's answer in one chat."""

    status_change_time: int = 0
    """When the answer last changed, Unix time in seconds."""
    userid: str = ""
    """The employee."""
    external_userid: str = ""
    """The customer."""
    agree_status: str = ""
    """A `wwspec_contracts.consent.AgreeStatus`."""


class Response(Output):
    """The answers."""

    agreeinfo: list[Agreement] = []
    """The answers of the customers."""


class Request(ApiRequest[Response]):
    """Which chats."""

    item: Annotated[list[Pair], Meta(max_length=100)]
    """The chats, at most 100."""
