"""Read the messages of one page (page_id获取消息列表) [99824, 101365].

At most 10 calls at a time for one corp. Needs Python SDK 1.2.2.
"""

from wwspec_contracts.base import ApiRequest, Output
from wwspec_contracts.messages import Message


class Response(Output):
    """The page's messages."""

    msg_list: list[Message] = []
    """As those of sync_msg."""


class Request(ApiRequest[Response]):
    """Which page."""

    page_id: str
    """From page_id_list of sync_msg."""
