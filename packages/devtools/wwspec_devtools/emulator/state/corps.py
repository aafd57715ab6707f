"""All state of one corp that its programs read and change, except the index of messages.

Plain state: the caller holds the emulator's lock.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from sys import getsizeof
from typing import Any

import msgspec
from msgspec import UNSET

from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.bounded import MIB, BoundedDict
from wwspec_devtools.emulator.scene import WINDOW_SECONDS
from wwspec_devtools.emulator.state import texts
from wwspec_devtools.emulator.state.conversations import CUSTOMER, EMPLOYEE, Conversations, Message
from wwspec_devtools.emulator.state.exports import MAX_EXPORTS, Exports
from wwspec_devtools.emulator.state.knowledge import KnowledgeBases
from wwspec_devtools.emulator.state.rule_matching import compare
from wwspec_devtools.emulator.state.rules import RuleBook
from wwspec_devtools.emulator.state.tasks import Tasks

CONSENT_BYTES = 16 * MIB
"""The most bytes of all answers: a fired event may name any number of chats. The oldest answers are dropped."""


class Consent(msgspec.Struct, frozen=True, gc=False):
    """A customer's answer in one chat."""

    agreed: bool
    since: int
    """Unix seconds."""

    def shown(self, **who: str) -> dict[str, Any]:
        """Return it as an element of `agreeinfo`; `who` names the customer."""
        return {"status_change_time": self.since, **who, "agree_status": "Agree" if self.agreed else "Disagree"}


class Consents:
    """The answers of all customers of one corp.

    Args:
        rng: The emulator's random source.
        chats: Who talks with whom, and the messages that hold answers.
        now: Unix seconds.
    """

    def __init__(self, rng: random.Random, chats: Conversations, now: int) -> None:
        self._answers = BoundedDict[tuple[str, str], Consent](CONSENT_BYTES)
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


DAY_SECONDS = 86400


class DailyLimit:
    """Counts calls of one kind, or their messages, by day: in UTC+8 as WeCom's days are.

    Args:
        allowed: The most in a day.
        what: What is counted.
    """

    def __init__(self, allowed: int, what: str = "calls") -> None:
        self._allowed = allowed
        self._what = what
        self._day = -1
        self._used: Counter[str] = Counter()

    def admit(self, kind: str, now: float, number: int = 1) -> None:
        """Count one call, or the number of its messages.

        Raises:
            RefusedError: 45009, when that is too many.
        """
        day = int(now + 8 * 3600) // DAY_SECONDS
        if day != self._day:
            self._day = day
            self._used.clear()
        if self._used[kind] + number > self._allowed:
            raise RefusedError(45009, f"{kind}: {self._allowed} {self._what} a day")
        self._used[kind] += number


MEDIA_SECONDS = 3 * 86400
"""How long a media_id is valid."""

MEDIA_BYTES = 128 * MIB
"""The most bytes of all files; the oldest are dropped, as if they had expired."""


class MediaFile(msgspec.Struct, frozen=True, kw_only=True):
    """One uploaded file."""

    owner: int
    """agentid of the app that uploaded it."""
    name: str
    content: bytes
    expires: float
    """Unix seconds."""


class MediaFiles:
    """The files of one corp.

    Args:
        rng: Makes the ids.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.files = BoundedDict[str, MediaFile](MEDIA_BYTES)
        """Maps a media_id to its file."""

    def add(self, owner: int, name: str, content: bytes, now: float) -> str:
        """Keep a file for three days and return its media_id."""
        while (oldest := self.files.oldest()) is not None and oldest[1].expires <= now:
            self.files.remove(oldest[0])
        media_id = f"media_{self._rng.getrandbits(160):040x}"
        file = MediaFile(owner=owner, name=name, content=content, expires=now + MEDIA_SECONDS)
        self.files.put(media_id, file, len(content))
        return media_id

    def get(self, owner: int, media_id: str, now: float) -> MediaFile | None:
        """Return a file of the app; None when there is none or it expired."""
        file = self.files.get(media_id)
        return file if file is not None and file.owner == owner and file.expires > now else None


MAX_PAGE_CALLS = 10
"""The most calls of `get_msg_list_by_page_id` at a time [99824]."""

MAX_TASKS = 10_000
"""The most new tasks of one kind a day [99875, 99977, 99979, 99980, 99985]."""
MAX_JUDGED = 100_000
"""The most messages a day in tasks of one kind that judge each message [99983, 99986]."""


class Masking(msgspec.Struct, frozen=True, kw_only=True):
    """What the chat component hides from a member [100055]."""

    hide_mobile: bool = False
    hide_idcard: bool = False
    hide_bankno: bool = False


class Corp:
    """The state of one corp.

    Args:
        rng: The emulator's random source for its data.
        ids: The random source for ids that programs and apps send back.
        chats: The messages; new ones are compared with the rules.
        now: Unix seconds.
        announce_hit: Called with a message that hit a keyword rule.
    """

    def __init__(
        self,
        rng: random.Random,
        ids: random.Random,
        chats: Conversations,
        now: int,
        announce_hit: Callable[[Message], None],
    ) -> None:
        self.chats = chats
        self.consents = Consents(rng, chats, now)
        self.masking: dict[str, Masking] = {}
        """By userid."""
        self.rules = RuleBook(ids, partial(compare, chats.people), announce_hit)
        chats.listeners.append(self.rules.on_message)
        self.knowledge = KnowledgeBases(ids)
        self.tasks = Tasks(ids)
        self.exports = Exports(ids)
        self.media = MediaFiles(ids)
        self.page_calls = threading.BoundedSemaphore(MAX_PAGE_CALLS)
        self.daily_tasks = DailyLimit(MAX_TASKS)
        self.daily_messages = DailyLimit(MAX_JUDGED, "messages")
        self.daily_exports = DailyLimit(MAX_EXPORTS)

    def masking_of(self, userid: str) -> Masking:
        """Return what the chat component hides from a member: nothing before it is set.

        Raises:
            RefusedError: 60111.
        """
        if self.chats.people.find(userid, EMPLOYEE) is None:
            raise RefusedError(60111, "userid")
        return self.masking.get(userid, Masking())

    def set_masking(self, userid: str, masking: Masking) -> None:
        """Replace what the chat component hides from a member; raises as `masking_of` does."""
        self.masking_of(userid)
        self.masking[userid] = masking
