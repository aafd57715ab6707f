"""Reads the replies of `get_callback_data`: WeCom's nine events, and the kinds of an app's own program."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from wwspec_client.calls import decode_reply
from wwspec_contracts.base import Contract
from wwspec_contracts.errors import JsonError
from wwspec_contracts.events import (
    auth_knowledge_base,
    chat_archive_audit_approved_room,
    chat_archive_audit_approved_single,
    chat_archive_export_finished,
    conversation_new_message,
    delete_knowledge_base,
    hit_keyword,
    knowledge_base_learn_done,
    unauth_knowledge_base,
)

T = TypeVar("T")

WecomEvent = (
    auth_knowledge_base.Event
    | chat_archive_audit_approved_room.Event
    | chat_archive_audit_approved_single.Event
    | chat_archive_export_finished.Event
    | conversation_new_message.Event
    | delete_knowledge_base.Event
    | hit_keyword.Event
    | knowledge_base_learn_done.Event
    | unauth_knowledge_base.Event
)
"""Any event of WeCom."""

EVENTS: Mapping[str, type[WecomEvent]] = {
    event.__module__.rpartition(".")[2]: event
    for event in (
        auth_knowledge_base.Event,
        chat_archive_audit_approved_room.Event,
        chat_archive_audit_approved_single.Event,
        chat_archive_export_finished.Event,
        conversation_new_message.Event,
        delete_knowledge_base.Event,
        hit_keyword.Event,
        knowledge_base_learn_done.Event,
        unauth_knowledge_base.Event,
    )
}
"""By event_type."""


def typed(raw: dict[str, Any], kinds: Mapping[str, type[Contract]]) -> WecomEvent | Contract | None:
    """Return the event of a reply as its contract; None when no contract fits.

    Args:
        raw: The reply.
        kinds: The payload's type of each kind of notification that the program sends with `ctx.notify`.
    """
    event_type = raw.get("event_type")
    if not isinstance(event_type, str):
        return None
    if event_type in kinds:
        return _fitting(raw.get(event_type), kinds[event_type])
    return _fitting(raw, EVENTS[event_type]) if event_type in EVENTS else None


def _fitting(value: Any, type_: type[T]) -> T | None:
    try:
        fitting: T = decode_reply(msgspec.json.encode(value), type_)
    except (JsonError, msgspec.ValidationError):
        return None
    return fitting
