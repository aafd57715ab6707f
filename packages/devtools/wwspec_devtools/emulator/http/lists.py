"""Lists the messages and the keyword rules of the emulated corp, page by page. It does not know HTTP."""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import UNSET

from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted
from wwspec_devtools.emulator.platform import Platform
from wwspec_devtools.emulator.state.conversations import Conversations, Message
from wwspec_devtools.emulator.state.rules import Rule

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
MAX_NUMBER_DIGITS = 18


class Lists:
    """Lists of one platform's corp.

    Args:
        platform: The platform.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def messages(self, parameters: Mapping[str, str]) -> Answer:
        """Return `messages`, newest first.

        Args:
            parameters: `before`: only messages before this position, the `next` of the page before; `limit`; `text`:
                only messages with this text, in upper or lower case; `corp`: of which one, by default the first.
        """
        world = self._platform.world

        def answer() -> Answer:
            limit = number(parameters, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
            with world.lock:
                chats = world.corp(world.app_of(parameters.get("corp", ""))).chats
                before = number(parameters, "before", chats.end, 0)
                found = list(_newest(chats, before, parameters.get("text", "").casefold(), limit + 1))
                shown = [{"position": position, **shown_message(chats, message)} for position, message in found[:limit]]
            more = len(found) > limit
            return accepted(messages=shown, next=shown[-1]["position"] if more else None)

        return world.answered(answer)

    def rules(self, parameters: Mapping[str, str]) -> Answer:
        """Return keyword `rules`, oldest first.

        Args:
            parameters: `after`: only rules after this serial, the `next` of the page before; `limit`; `corp`.
        """
        world = self._platform.world

        def answer() -> Answer:
            limit = number(parameters, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
            after = number(parameters, "after", 0, 0)
            with world.lock:
                found = world.corp(world.app_of(parameters.get("corp", ""))).rules.after(after)
                shown = [_rule(each) for each in found[:limit]]
            return accepted(rules=shown, next=found[limit - 1].serial if len(found) > limit else None)

        return world.answered(answer)


def _newest(chats: Conversations, before: int, text: str, limit: int) -> Iterator[tuple[int, Message]]:
    for position in range(min(before, chats.end) - 1, chats.first - 1, -1):
        if limit == 0:
            return
        message = chats.at(position)
        if text in message.text.casefold():
            limit -= 1
            yield position, message


def shown_message(chats: Conversations, message: Message) -> Answer:
    """Return a message as it is shown; needs the lock."""
    chatid = "" if message.chatid is UNSET else message.chatid
    return {
        "msgid": message.msgid,
        "msgtype": message.msgtype,
        "send_time": message.send_time,
        "from": message.sender.id,
        "name": chats.people.name_of(message.sender),
        "to": [each.id for each in message.receiver_list],
        "chatid": chatid,
        "text": message.text,
    }


def _rule(rule: Rule) -> Answer:
    return {
        "rule_id": rule.rule_id,
        "serial": rule.serial,
        "create_time": rule.create_time,
        **msgspec.to_builtins(rule.body),
    }


def number(parameters: Mapping[str, str], name: str, default: int, least: int, most: int | None = None) -> int:
    """Return a parameter.

    Raises:
        RefusedError: 40058.
    """
    text = parameters.get(name, "")
    if not text:
        return default
    sound = text.isascii() and text.isdecimal() and len(text) <= MAX_NUMBER_DIGITS
    if not sound or int(text) < least or (most is not None and int(text) > most):
        raise RefusedError(40058, f"{name}: a whole number, from {least}{'' if most is None else f' to {most}'}")
    return int(text)
