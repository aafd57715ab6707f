"""A customer agreed to archiving in a group chat (客户同意进行聊天内容存档（群聊）) [99852, 99993].

Both consent events carry their object under the key chat_archive_audit_approved.
"""

from typing import Literal

from wwspec_contracts.base import Contract
from wwspec_contracts.consent import ConsentGiven


class Event(Contract):
    """The event as WeCom sends it."""

    event_type: Literal["chat_archive_audit_approved_room"]
    timestamp: int
    """Unix time in seconds."""
    chat_archive_audit_approved: ConsentGiven
