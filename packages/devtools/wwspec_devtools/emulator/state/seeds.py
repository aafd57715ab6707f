"""Makes the conversations of the emulated corp, from a scene and from the seed."""

import random
from collections.abc import Mapping
from itertools import chain
from typing import TypeVar

from msgspec import UNSET, UnsetType

from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.emulator.scene import (
    RECENT_SECONDS,
    WINDOW_SECONDS,
    Customer,
    Employee,
    Scene,
    SceneGroup,
    SceneMessage,
    check_message,
)
from wwspec_devtools.emulator.state.conversations import Conversations, Group, Message
from wwspec_devtools.emulator.state.people import CUSTOMER, EMPLOYEE, ROBOT, Party, People, Person

_CREATED_BEFORE = WINDOW_SECONDS + 86400
_SHOWN_IDS = 5
T = TypeVar("T")


class _People(People):
    """The people of a scene. A kind that the scene leaves out comes from the seed."""

    def __init__(self, rng: random.Random, scene: Scene) -> None:
        super().__init__(rng)
        seeded = {kind: [each for each in self.persons if each.party.type == kind] for kind in (EMPLOYEE, CUSTOMER)}
        employees = [_employee(each) for each in scene.employees] or seeded[EMPLOYEE]
        customers = [_customer(each) for each in scene.customers] or seeded[CUSTOMER]
        self.persons = [*employees, *customers]
        self.employees = [each.party for each in employees]
        self.customers = [each.party for each in customers]
        self.robots = [Party(ROBOT, each.id) for each in scene.robots] or self.robots
        self._by_id = {each.party.id: each for each in self.persons}


def make_conversations(rng: random.Random, now: int, count: int, scene: Scene | None) -> Conversations:
    """Return the corp's conversations.

    Args:
        rng: The emulator's random source.
        now: Unix seconds.
        count: How many messages the seed makes, besides those of the scene.
        scene: Who exists and what was said.

    Raises:
        ConfigurationError: The scene names a person that does not exist.
    """
    if scene is None:
        return Conversations(rng, now, count)
    chats = Conversations(rng, now, 0)
    people = _People(rng, scene)
    chats.people, chats.employees, chats.customers = people, people.employees, people.customers
    chats.robots = people.robots
    parties = _parties(chats)
    groups = [_group(each, parties, now) for each in scene.groups] or _seeded_groups(rng, chats, now)
    chats.groups = {group.chatid: group for group in groups}
    chats.pairs = _pairs(rng, people)
    _talk(rng, chats, now, count, scene)
    return chats


def say(chats: Conversations, message: SceneMessage, moment: int) -> Message:
    """Let a person say something.

    Args:
        chats: The conversations.
        message: Who says what to whom; `ago` is left to the caller.
        moment: Unix seconds; not before the last message.

    Raises:
        ConfigurationError: A person, or the group, does not exist.
        ValidationError: See `check_message`.
    """
    parties = _parties(chats)
    _party(parties, message.sender)  # before the receivers: a person types it first
    check_message(message, "$")
    return _say(chats, parties, message, moment)


def _say(chats: Conversations, parties: dict[str, Party], message: SceneMessage, moment: int) -> Message:
    receivers = message.to
    chatid: str | UnsetType = UNSET
    if message.group:
        chatid = message.group
        group = _found(chats.groups, chatid, "group", "groups")
        receivers = [each.id for each in group.members if each.id != message.sender]
    return chats.say(
        moment,
        message.text,
        msgtype=message.msgtype,
        parties=[_party(parties, each) for each in (message.sender, *receivers)],
        chatid=chatid,
    )


def _talk(rng: random.Random, chats: Conversations, now: int, count: int, scene: Scene) -> None:
    """Add all messages of scene and seed, in order of time."""
    oldest = now - WINDOW_SECONDS + RECENT_SECONDS
    seeded = [(rng.randrange(oldest, now), None) for _ in range(count)]
    written = [(now - int(message.ago), message) for message in scene.messages]
    parties = _parties(chats)
    for moment, message in sorted([*seeded, *written], key=lambda item: item[0]):
        if message is None:
            chats.say(moment)
        else:
            _say(chats, parties, message, moment)


def _parties(chats: Conversations) -> dict[str, Party]:
    return {party.id: party for party in chain(chats.employees, chats.customers, chats.robots)}


def _party(parties: dict[str, Party], party_id: str) -> Party:
    return _found(parties, party_id, "employee, customer or robot", "employees")


def _found(known: Mapping[str, T], wanted: str, what: str, table: str) -> T:
    """Return what has an id. The error names some ids that there are, and what lists and adds them."""
    if wanted in known:
        return known[wanted]
    some = ", ".join([*known][:_SHOWN_IDS]) or "none"
    fix = f"`wwspec zone info --json` lists all {len(known)}, [[{table}]] of a scene file adds one"
    raise ConfigurationError(f"there is no {what} {wanted!r}; there are {some}: {fix}")


def _group(group: SceneGroup, parties: dict[str, Party], now: int) -> Group:
    members = tuple(_party(parties, each) for each in group.members)
    creator = next((each for each in members if each.type == EMPLOYEE), None)
    if creator is None:
        raise ConfigurationError(f"the scene's group {group.chatid!r} has no employee")
    created = now - _CREATED_BEFORE
    return Group(
        chatid=group.chatid,
        name=group.name,
        internal=all(each.type == EMPLOYEE for each in members),
        creator=creator.id,
        room_create_time=created,
        members=members,
        jointimes=(created,) * len(members),
    )


def _seeded_groups(rng: random.Random, chats: Conversations, now: int) -> list[Group]:
    """Return a group of colleagues and a group with customers, when there are such people."""
    colleagues = rng.sample(chats.employees, min(3, len(chats.employees)))
    customers = rng.sample(chats.customers, min(2, len(chats.customers)))
    groups = []
    for name, members in (("内部群", colleagues), ("客户群", [*colleagues[:1], *customers])):
        if len(members) >= 2:
            ids = [each.id for each in members]
            chatid = f"wr{rng.getrandbits(120):030x}"
            parties = {each.id: each for each in members}
            groups.append(_group(SceneGroup(chatid=chatid, name=name, members=ids), parties, now))
    return groups


def _pairs(rng: random.Random, people: People) -> list[tuple[Party, Party]]:
    """Return who talks with whom."""
    others = [*people.customers, *people.robots]
    pairs = [(rng.choice(people.employees), other) for other in others]
    if len(people.employees) > 1:
        one, other = rng.sample(people.employees, 2)
        pairs.append((one, other))
    return pairs


def _employee(employee: Employee) -> Person:
    return Person(
        party=Party(EMPLOYEE, employee.userid),
        name=employee.name or employee.userid,
        pinyin=employee.userid,
        alias=employee.alias,
        department=employee.department,
    )


def _customer(customer: Customer) -> Person:
    name = customer.name or customer.id
    return Person(party=Party(CUSTOMER, customer.id), name=name, pinyin=name, alias=customer.remark)
