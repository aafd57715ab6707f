"""What is fuzzed: abilities with the types of their requests, events, and values of the emulated world for requests."""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import reduce
from operator import or_
from typing import Any

from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.testing.zone import Zone
from wwspec_router.registry.table import AbilityTable
from wwspec_router.registry.targets import Ability, ApiTarget, FuncTarget, HandlerTarget

SHOWN = 20
"""Messages whose ids are taken."""


def requests_of(table: AbilityTable, names: Sequence[str]) -> dict[str, Any]:
    """Return what is fuzzed: ability ID -> the msgspec type of its request; event type -> the code on it.

    Args:
        table: What the application answers.
        names: Abilities and events; none means the application's own handlers, and all events.

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
            requests[name] = table.event_targets.get(name)
        else:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else "`wwspec abilities` lists those that there are"
            raise ConfigurationError(f"there is no ability and no event {name}; {hint}")
    return requests


def known_values(zone: Zone, table: AbilityTable) -> dict[str, list[Any]]:
    """Return values of the emulated world, by the name of their key.

    Args:
        zone: The application in a zone.
        table: What it answers. Ids of messages, people and groups are known when one ability passes `sync_msg` on.
    """
    event = zone.client.fire("conversation_new_message")["event"]
    token = event["conversation_new_message"]["token"]
    known = {"token": [token]}
    pull = next((name for name, each in table.abilities.items() if _passes_on(each, "sync_msg")), None)
    if pull is None:
        return known
    answer = zone.call(pull, {"token": token, "limit": SHOWN})
    messages = [] if answer.refused_by else answer.reply["msg_list"]
    people = [each["sender"]["id"] for each in messages if each.get("sender")]
    ids = {"msgid": [each["msgid"] for each in messages], "chatid": [each.get("chatid") for each in messages]}
    ids |= dict.fromkeys(("userid", "open_userid", "external_userid"), people)
    return known | {key: found for key, each in ids.items() if (found := [value for value in each if value])}


def _passes_on(ability: Ability, api: str) -> bool:
    return isinstance(ability.target, ApiTarget) and ability.target.api == api


def _request(ability: Ability) -> Any:
    target = ability.target
    if isinstance(target, FuncTarget):
        return reduce(or_, target.requests.values())
    return target.input.type
