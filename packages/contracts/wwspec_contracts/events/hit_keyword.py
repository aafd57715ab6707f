"""Messages hit a keyword rule (命中关键词规则通知) [99995, 101387]."""

from typing import Literal

from wwspec_contracts.base import Contract


class KeywordHit(Contract):
    """How to pull them."""

    token: str
    """The `token` of get_hit_msg_list; valid 10 minutes, at most 128 bytes."""


class Event(Contract):
    """The event as WeCom sends it."""

    event_type: Literal["hit_keyword"]
    timestamp: int
    """Unix time in seconds."""
    hit_keyword: KeywordHit
