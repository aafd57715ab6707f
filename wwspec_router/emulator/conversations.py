"""The seeded conversations of a corp: people, groups, and an index of messages in order of time.

Deterministic: the same random source, time and size give the same data. Messages have no content, since the
platform gives none to a program [99824]; they are only ever appended. Plain state: the caller holds the
emulator's lock.
"""

import random
from bisect import bisect_left
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

WINDOW_SECONDS = 5 * 86400
"""How far back messages can be pulled."""

MSGTYPES = range(29)
"""0 unsupported ... 28 note [99824]."""

EMPLOYEE, CUSTOMER, ROBOT = 1, 2, 3
"""Kinds of party on the wire."""

_TEXT, _VOICE_ARCHIVE, _CALL, _AGREE, _REFUSE = 1, 21, 22, 24, 25
_NAMES = (
    "zhangwei wangfang lina liuyang chenjing yangming zhaolei huangmin zhoujie wuting "
    "xuqiang sunli mahui zhulin hujun guoxin helan gaofei linyu luoping"
).split()
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_HEADROOM_SECONDS = 3600
"""The first message is this much inside the window, so that it does not leave it during a short session."""


class Party(msgspec.Struct, frozen=True, gc=False):
    """Who sends or receives."""

    type: int
    id: str


class ExtraInfo(msgspec.Struct, frozen=True, gc=False):
    """Extras of calls and audio archives."""

    call_duration: int


class Message(msgspec.Struct, frozen=True, gc=False):
    """One entry of the index, without its key."""

    msgid: str
    sender: Party
    receiver_list: tuple[Party, ...]
    chatid: str | UnsetType
    send_time: int
    msgtype: int
    extra_info: ExtraInfo | UnsetType


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One group chat."""

    chatid: str
    internal: bool
    """True for internal and inter-corp groups, the ones that `get_group_chat` knows [99825]."""
    creator: str
    room_create_time: int
    members: tuple[Party, ...]
    jointimes: tuple[int, ...]


class Conversations:
    """Everything that one corp said.

    Args:
        rng: The emulator's random source.
        now: Unix seconds.
        count: How many messages to make.
    """

    def __init__(self, rng: random.Random, now: int, count: int) -> None:
        self._rng = rng
        self.employees = [Party(EMPLOYEE, name) for name in _NAMES]
        self.customers = [Party(CUSTOMER, f"wm{self._word(30)}") for _ in range(30)]
        self.robots = [Party(ROBOT, f"wb{self._word(30)}") for _ in range(2)]
        self.groups = {group.chatid: group for group in self._make_groups(now)}
        self._pairs = self._make_pairs()
        self.messages: list[Message] = []
        self._times: list[int] = []
        oldest = now - WINDOW_SECONDS + _HEADROOM_SECONDS
        moments = sorted(rng.randrange(oldest, now) for _ in range(count))
        for moment, msgtype in zip(moments, self._make_msgtypes(count), strict=True):
            self._append(moment, msgtype)

    def say(self, now: int) -> Message:
        """Append one new text message."""
        return self._append(max(now, self._times[-1] if self._times else now), _TEXT)

    def first_since(self, moment: float) -> int:
        """Return the position of the first message that was sent at `moment` or later."""
        return bisect_left(self._times, moment)

    def _append(self, moment: int, msgtype: int) -> Message:
        members, chatid = self._scene(msgtype)
        sender = members[0] if msgtype in (_AGREE, _REFUSE) else self._rng.choice(members)
        duration = self._rng.randrange(5, 1800) if msgtype in (_VOICE_ARCHIVE, _CALL) else 0
        message = Message(
            msgid=f"{len(self.messages):08x}{self._word(24)}",
            sender=sender,
            receiver_list=tuple(member for member in members if member is not sender),
            chatid=chatid,
            send_time=moment,
            msgtype=msgtype,
            extra_info=ExtraInfo(duration) if duration else UNSET,
        )
        self.messages.append(message)
        self._times.append(moment)
        return message

    def _scene(self, msgtype: int) -> tuple[Sequence[Party], str | UnsetType]:
        """Choose who talks, and where."""
        if msgtype in (_AGREE, _REFUSE):
            return (self._rng.choice(self.customers), self._rng.choice(self.employees)), UNSET
        if self._rng.random() < 0.5:
            group = self._rng.choice(list(self.groups.values()))
            return group.members, group.chatid
        return self._rng.choice(self._pairs), UNSET

    def _make_msgtypes(self, count: int) -> list[int]:
        """Return every type once, as far as `count` allows, then mostly texts, in random order."""
        weights = [20 if msgtype == _TEXT else 1 for msgtype in MSGTYPES]
        rest = self._rng.choices(MSGTYPES, weights, k=max(0, count - len(MSGTYPES)))
        msgtypes = [*MSGTYPES, *rest][:count]
        self._rng.shuffle(msgtypes)
        return msgtypes

    def _make_groups(self, now: int) -> list[Group]:
        groups = []
        for number in range(8):
            people = self._rng.sample(self.employees, self._rng.randint(2, 6))
            guests: list[Party] = []
            if number >= 4:
                guests = [*self._rng.sample(self.customers, 2), self._rng.choice(self.robots)]
            members = (*people, *guests)
            created = now - WINDOW_SECONDS - self._rng.randrange(86400, 100 * 86400)
            joined = sorted(self._rng.randrange(created, now - WINDOW_SECONDS) for _ in members[1:])
            groups.append(
                Group(
                    chatid=f"wr{self._word(30)}",
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

    def _word(self, length: int) -> str:
        return "".join(self._rng.choices(_ALPHABET, k=length))
