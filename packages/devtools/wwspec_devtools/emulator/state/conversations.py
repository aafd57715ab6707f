"""The seeded conversations of a corp: groups, and an index of messages in order of time.

The same random source, time and size give the same data. Messages have a text, for searches, rules and analyses; a
program never gets it [99824]. Messages are appended, and the oldest are dropped when there are too many.
Plain state: the caller holds the emulator's lock.
"""

import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from sys import getsizeof

import msgspec
from msgspec import UNSET, UnsetType

from wwspec_devtools.emulator.bounded import MIB, BoundedDict
from wwspec_devtools.emulator.scene import WINDOW_SECONDS
from wwspec_devtools.emulator.state import texts
from wwspec_devtools.emulator.state.people import CUSTOMER, EMPLOYEE, ROBOT, Party, People, word

__all__ = ["CUSTOMER", "EMPLOYEE", "MSGTYPES", "ROBOT", "Conversations", "ExtraInfo", "Group", "Message", "Party"]

KEPT_BYTES = 128 * MIB
"""The most bytes of all messages: more than 100,000 of usual length need. The oldest are dropped."""
_MESSAGE_BYTES = 512
"""Bytes of a message without its text: ids, parties, and its places in the indexes."""

MSGTYPES = range(29)
"""0 unsupported ... 28 note [99824]."""

_GROUP_NAMES = ("产品讨论组", "销售日报", "", "项目冲刺", "伙伴联络群", "客户服务一群", "", "新品体验客户群")
"""Names of the eight groups; two have none."""
_HEADROOM_SECONDS = 3600
"""The first message is so many seconds inside of the window. So it stays there during a short session."""


class ExtraInfo(msgspec.Struct, frozen=True, gc=False):
    """Extras of calls and audio archives."""

    call_duration: int


class Message(msgspec.Struct, frozen=True, gc=False):
    """One entry of the index, without its key, and with its text."""

    msgid: str
    sender: Party
    receiver_list: tuple[Party, ...]
    chatid: str | UnsetType
    send_time: int
    msgtype: int
    extra_info: ExtraInfo | UnsetType
    text: str
    """Words, title, file name or transcript, by msgtype; empty for kinds without words."""

    @property
    def parties(self) -> tuple[Party, ...]:
        """Everyone in the chat, the sender first."""
        return (self.sender, *self.receiver_list)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One group chat."""

    chatid: str
    name: str
    """Empty for a group without a name."""
    internal: bool
    """True for internal and inter-corp groups: only those are groups of `get_group_chat` [99825]."""
    creator: str
    room_create_time: int
    members: tuple[Party, ...]
    jointimes: tuple[int, ...]


class Conversations:
    """All messages and groups of one corp.

    Args:
        rng: The emulator's random source.
        now: Unix seconds.
        count: How many messages to make.
    """

    def __init__(self, rng: random.Random, now: int, count: int) -> None:
        self._rng = rng
        self.people = People(rng)
        self.employees = self.people.employees
        self.customers = self.people.customers
        self.robots = self.people.robots
        self.groups = {group.chatid: group for group in self._make_groups(now)}
        self.pairs = self._make_pairs()
        self.archive = BoundedDict[int, Message](KEPT_BYTES, on_drop=self._forget_position)
        """The messages by position, from `first` to `end`. A position is never used twice."""
        self.end = 0
        """The position of the next message."""
        self.listeners: list[Callable[[Message], None]] = []
        """Called with each message that `say` appends."""
        self.recalled: set[str] = set()
        """The msgids of messages that their senders took back; the index keeps them."""
        self._positions: dict[str, int] = {}
        self._latest = 0
        oldest = now - WINDOW_SECONDS + _HEADROOM_SECONDS
        moments = sorted(rng.randrange(oldest, now) for _ in range(count))
        for moment, msgtype in zip(moments, self._make_msgtypes(count), strict=True):
            self._append(moment, msgtype, *self._scene(msgtype))

    def say(
        self,
        now: int,
        text: str | None = None,
        *,
        msgtype: int = texts.TEXT,
        parties: Sequence[Party] = (),
        chatid: str | UnsetType = UNSET,
        with_listeners: bool = True,
    ) -> Message:
        """Append one new message.

        Args:
            now: Unix seconds.
            text: The text; None leaves it to the random source.
            msgtype: Which kind.
            parties: The sender, then the receivers; left out, the random source chooses them and the chat.
            chatid: The group, if `parties` are in one.
            with_listeners: Whether the listeners get it.
        """
        scene = (parties, chatid) if parties else self._scene(msgtype)
        message = self._append(max(now, self._latest), msgtype, *scene, text)
        for listener in self.listeners if with_listeners else ():
            listener(message)
        return message

    def find(self, msgid: str) -> Message | None:
        """Return the message of this id."""
        position = self.position(msgid)
        return None if position is None else self.archive.get(position)

    def position(self, msgid: str) -> int | None:
        """Return the position of the message of this id."""
        return self._positions.get(msgid)

    def recall(self, msgid: str) -> bool:
        """Let the sender take a message back; return whether there is such a message."""
        known = self.find(msgid) is not None
        if known:
            self.recalled.add(msgid)
        return known

    @property
    def messages(self) -> list[Message]:
        """Every message, the oldest first."""
        return list(self.archive.values())

    @property
    def first(self) -> int:
        """The position of the oldest message."""
        oldest = self.archive.oldest()
        return self.end if oldest is None else oldest[0]

    def at(self, position: int) -> Message:
        """Return the message at a position from `first` to `end`."""
        message = self.archive.get(position)
        if message is None:
            raise IndexError(position)
        return message

    def between(self, start: int, end: int) -> list[Message]:
        """Return the messages at these positions that are still kept."""
        return [self.at(position) for position in range(max(start, self.first), min(end, self.end))]

    def first_since(self, moment: float) -> int:
        """Return the position of the first message that was sent at `moment` or later."""
        positions = range(self.first, self.end)
        return self.first + bisect_left(positions, moment, key=lambda position: self.at(position).send_time)

    def _append(
        self, moment: int, msgtype: int, parties: Sequence[Party], chatid: str | UnsetType, text: str | None = None
    ) -> Message:
        duration = self._rng.randrange(5, 1800) if msgtype in (texts.AUDIO_ARCHIVE, texts.CALL) else 0
        message = Message(
            msgid=f"{self.end:08x}{word(self._rng, 24)}",
            sender=parties[0],
            receiver_list=tuple(parties[1:]),
            chatid=chatid,
            send_time=moment,
            msgtype=msgtype,
            extra_info=ExtraInfo(duration) if duration else UNSET,
            text=texts.content(self._rng, msgtype) if text is None else text,
        )
        self._positions[message.msgid] = self.end
        self._latest = moment
        self.end += 1
        self.archive.put(self.end - 1, message, _MESSAGE_BYTES + getsizeof(message.text))
        return message

    def _forget_position(self, position: int, message: Message) -> None:
        self._positions.pop(message.msgid, None)
        self.recalled.discard(message.msgid)

    def _scene(self, msgtype: int) -> tuple[list[Party], str | UnsetType]:
        """Choose who talks, the sender first, and where."""
        if msgtype in (texts.AGREE, texts.REFUSE):
            employee, customer = self._rng.choice([pair for pair in self.pairs if pair[1].type == CUSTOMER])
            return [customer, employee], UNSET
        chatid: str | UnsetType = UNSET
        members: Sequence[Party]
        if self._rng.random() < 0.5:
            group = self._rng.choice(list(self.groups.values()))
            members, chatid = group.members, group.chatid
        else:
            members = self._rng.choice(self.pairs)
        sender = self._rng.choice(members)
        return [sender, *(member for member in members if member is not sender)], chatid

    def _make_msgtypes(self, count: int) -> list[int]:
        """Return every type once, as far as `count` allows, then mostly texts, in random order."""
        weights = [20 if msgtype == texts.TEXT else 1 for msgtype in MSGTYPES]
        rest = self._rng.choices(MSGTYPES, weights, k=max(0, count - len(MSGTYPES)))
        msgtypes = [*MSGTYPES, *rest][:count]
        self._rng.shuffle(msgtypes)
        return msgtypes

    def _make_groups(self, now: int) -> list[Group]:
        groups = []
        for number, name in enumerate(_GROUP_NAMES):
            people = self._rng.sample(self.employees, self._rng.randint(2, 6))
            guests: list[Party] = []
            if number >= 4:
                guests = [*self._rng.sample(self.customers, 2), self._rng.choice(self.robots)]
            members = (*people, *guests)
            created = now - WINDOW_SECONDS - self._rng.randrange(86400, 100 * 86400)
            joined = sorted(self._rng.randrange(created, now - WINDOW_SECONDS) for _ in members[1:])
            groups.append(
                Group(
                    chatid=f"wr{word(self._rng, 30)}",
                    name=name,
                    internal=number < 5,
                    creator=people[0].id,
                    room_create_time=created,
                    members=members,
                    jointimes=(created, *joined),
                )
            )
        return groups

    def _make_pairs(self) -> list[tuple[Party, Party]]:
        pairs = [(self._rng.choice(self.employees), customer) for customer in self.customers]
        pairs += [(self._rng.choice(self.employees), robot) for robot in self.robots]
        colleagues = [self._rng.sample(self.employees, 2) for _ in range(10)]
        return pairs + [(one, other) for one, other in colleagues]
