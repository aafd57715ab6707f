"""What is fuzzed: abilities with the types of their requests, events, and values of the emulated world to ask with."""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import reduce
from operator import or_
from typing import Any

from wwspec_router.errors import ConfigurationError
from wwspec_router.registry.table import Ability, AbilityTable, FuncTarget, HandlerTarget
from wwspec_router.testing.zone import Zone
from wwspec_router.wecom import sync_msg

SHOWN = 20
"""Messages of which ids are taken."""

__all__ = ["known_values", "requests_of"]


def requests_of(table: AbilityTable, names: Sequence[str]) -> dict[str, Any]:
    """Return what is fuzzed: ability ID or event type -> the msgspec type of its request, None for an event.

    Args:
        table: What the application answers.
        names: Of abilities and events; none means the application's own handlers, and all events.

    Raises:
        ConfigurationError: There is no such ability or event.
    """
    chosen = names or [
        *(name for name, ability in table.abilities.items() if isinstance(ability.target, HandlerTarget)),
        *table.events,
    ]
    known = [*table.abilities, *table.events]
    requests: dict[str, Any] = {}
    for name in chosen:
        if name in table.abilities:
            requests[name] = _request(table.abilities[name])
        elif name in table.events:
            requests[name] = None
        else:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else "`wwspec abilities` lists those that there are"
            raise ConfigurationError(f"there is no ability and no event {name}; {hint}")
    return requests


def known_values(zone: Zone) -> dict[str, list[Any]]:
    """Return values of the emulated world by the key that they are for."""
    event = zone.client.fire("conversation_new_message")["event"]
    token = event["conversation_new_message"]["token"]
    try:
        answer = zone.call(sync_msg.Request(token=token, limit=SHOWN))
    except ConfigurationError:  # no ability of this application passes the API on
        return {"token": [token]}
    messages = [] if answer.refused_by else answer.reply.msg_list
    people = [each.sender.id for each in messages if each.sender]
    return {
        "token": [token],
        "msgid": [each.msgid for each in messages],
        "chatid": [each.chatid for each in messages if each.chatid] or [""],
        **dict.fromkeys(("userid", "open_userid", "external_userid"), people or [""]),
    }


def _request(ability: Ability) -> Any:
    target = ability.target
    if isinstance(target, FuncTarget):
        return reduce(or_, target.requests.values())
    return target.input.type
