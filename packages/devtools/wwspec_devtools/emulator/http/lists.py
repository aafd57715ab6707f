"""Lists the messages and the keyword rules of the emulated corp, page by page. It does not know HTTP."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET

from wwspec_devtools.emulator.answers import Answer, accepted
from wwspec_devtools.emulator.platform import PlatformPart
from wwspec_devtools.emulator.state.conversations import Conversations, Message
from wwspec_devtools.emulator.state.rules import Rule


class Lists(PlatformPart):
    """Lists of one platform's corp."""

    def messages(self, before: int | None, limit: int, text: str, corp: str) -> Answer:
        """Return `messages`, newest first, and `count`, how many of those that are kept have the text.

        Args:
            before: Only messages before this position, the `next` of the page before.
            limit: The most messages.
            text: Only messages with this text, in upper or lower case.
            corp: Of which corp; empty for the first one.
        """
        world = self._platform.world
        with world.lock:
            chats = world.corp(world.app_of(corp)).chats
            wanted, count = text.casefold(), chats.end - chats.first
            if wanted:
                count = sum(1 for _ in _newest(chats, chats.end, wanted, count))
            found = list(_newest(chats, chats.end if before is None else before, wanted, limit + 1))
            shown = [{"position": position, **shown_message(chats, message)} for position, message in found[:limit]]
        return accepted(messages=shown, count=count, next=shown[-1]["position"] if len(found) > limit else None)

    def rules(self, after: int, limit: int, corp: str) -> Answer:
        """Return keyword `rules`, oldest first.

        Args:
            after: Only rules after this serial, the `next` of the page before.
            limit: The most rules.
            corp: Of which corp; empty for the first one.
        """
        world = self._platform.world
        with world.lock:
            found = world.corp(world.app_of(corp)).rules.after(after)
            shown = [_rule(each) for each in found[:limit]]
        return accepted(rules=shown, next=found[limit - 1].serial if len(found) > limit else None)


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
