"""A customer agreed to archiving in a one-to-one chat (客户同意进行聊天内容存档（单聊）) [99852, 99993].

Both consent events carry their object under the key chat_archive_audit_approved.
"""

from typing import Literal

from wwspec_contracts.base import Contract
from wwspec_contracts.consent import ConsentGiven


class Event(Contract):
    """The event as WeCom sends it."""

    event_type: Literal["chat_archive_audit_approved_single"]
    timestamp: int
    """Unix time in seconds."""
    chat_archive_audit_approved: ConsentGiven
