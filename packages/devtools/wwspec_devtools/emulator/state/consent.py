"""Which customers agreed to archiving, chat by chat: single chats and groups [99826].

A customer answers with a message of type 24 (agrees) or 25 (refuses); until then an answer given before the emulator
started counts. Plain state: the caller holds the emulator's lock.
"""

import random
from sys import getsizeof

import msgspec
from msgspec import UNSET

from wwspec_devtools.emulator.bounded import MIB, BoundedDict
from wwspec_devtools.emulator.scene import WINDOW_SECONDS
from wwspec_devtools.emulator.state import texts
from wwspec_devtools.emulator.state.conversations import CUSTOMER, EMPLOYEE, Conversations, Message

KEPT_BYTES = 16 * MIB
"""The most bytes of all answers: a fired event may name any number of chats. The oldest answers are dropped."""


class Consent(msgspec.Struct, frozen=True, gc=False):
    """A customer's answer in one chat."""

    agreed: bool
    since: int
    """Unix seconds."""

    @property
    def status(self) -> str:
        """The `agree_status` in an answer."""
        return "Agree" if self.agreed else "Disagree"


class Consents:
    """The answers of all customers of one corp.

    Args:
        rng: The emulator's random source.
        chats: Who talks with whom, and the messages that hold answers.
        now: Unix seconds.
    """

    def __init__(self, rng: random.Random, chats: Conversations, now: int) -> None:
        self._answers = BoundedDict[tuple[str, str], Consent](KEPT_BYTES)
        for employee, customer in chats.pairs:
            if customer.type == CUSTOMER:
                self._put(employee.id, customer.id, _earlier(rng, now))
        for group in chats.groups.values():
            for member in group.members:
                if member.type == CUSTOMER:
                    self._put(group.chatid, member.id, _earlier(rng, now))
        for message in chats.archive.values():
            self.on_message(message)
        chats.listeners.append(self.on_message)

    def of(self, chat: str, external_userid: str) -> Consent | None:
        """Return a customer's answer.

        Args:
            chat: The userid of a single chat's employee, or a group's chatid.
            external_userid: The customer.
        """
        return self._answers.get((chat, external_userid))

    def answer(self, chat: str, external_userid: str, agreed: bool, now: int) -> None:
        """Store an answer. When it is the same as before, its time stays."""
        known = self.of(chat, external_userid)
        if known is None or known.agreed != agreed:
            self._put(chat, external_userid, Consent(agreed, now))

    def on_message(self, message: Message) -> None:
        """Store the answer of a message, if it is one."""
        if message.msgtype not in (texts.AGREE, texts.REFUSE) or message.sender.type != CUSTOMER:
            return
        if message.chatid is not UNSET:
            chats = [message.chatid]
        else:
            chats = [party.id for party in message.receiver_list if party.type == EMPLOYEE]
        for chat in chats:
            self.answer(chat, message.sender.id, message.msgtype == texts.AGREE, message.send_time)

    def _put(self, chat: str, external_userid: str, consent: Consent) -> None:
        self._answers.put((chat, external_userid), consent, getsizeof(chat) + getsizeof(external_userid))


def _earlier(rng: random.Random, now: int) -> Consent:
    return Consent(rng.random() < 0.7, now - WINDOW_SECONDS - rng.randrange(86400, 100 * 86400))
