"""There are new messages to pull (产生会话回调通知) [99853, 99994, 100044].

Sent when a chat with an authorised member has new messages; WeCom publishes no interval between these
events.
"""

from typing import Literal

from wwspec_contracts.base import Contract


class NewMessage(Contract):
    """How to pull them."""

    token: str
    """The `token` of sync_msg; valid 10 minutes, at most 128 bytes."""


class Event(Contract):
    """The event as WeCom sends it."""

    event_type: Literal["conversation_new_message"]
    timestamp: int
    """Unix time in seconds."""
    conversation_new_message: NewMessage
