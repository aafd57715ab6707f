"""Scenes: who exists in the emulated corp and what was said, written down in a TOML file instead of left to the seed.

    [[employees]]                 # userid; name, alias, department (2 or 3)
    userid = "anna"
    name = "安娜"

    [[customers]]                 # id; name, remark
    id = "wmCustomer1"
    name = "李女士"

    [[robots]]
    id = "wbRobot1"

    [[groups]]                    # chatid, members; name. The first member created it
    chatid = "wrGroup1"
    members = ["anna", "wmCustomer1"]

    [[messages]]                  # from, and to or group; text, msgtype, ago (seconds before the start)
    from = "wmCustomer1"
    to = ["anna"]
    text = "您好"
    ago = 3600

A list that is left out is made from the seed. Knows nothing of the emulator's state beyond its conversations.
"""

import random
import tomllib
from itertools import chain
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wwspec_router.emulator.state import texts
from wwspec_router.emulator.state.conversations import WINDOW_SECONDS, Conversations, Group, Message
from wwspec_router.emulator.state.people import CUSTOMER, EMPLOYEE, ROBOT, Party, People, Person
from wwspec_router.errors import ConfigurationError

__all__ = ["Scene", "SceneMessage", "check_message", "load_scene", "make_conversations", "say"]

MAX_MESSAGES = 100_000

_Id = Annotated[str, Meta(min_length=1, max_length=64)]
_CREATED_BEFORE = WINDOW_SECONDS + 86400
_RECENT = 3600
"""Seconds for which a message does not leave the five days after the start."""


class Employee(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One `[[employees]]`."""

    userid: _Id
    name: str = ""
    alias: str = ""
    department: int = 2


class Customer(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One `[[customers]]`."""

    id: _Id
    name: str = ""
    remark: str = ""


class Robot(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One `[[robots]]`."""

    id: _Id


class SceneGroup(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One `[[groups]]`."""

    chatid: _Id
    members: Annotated[list[str], Meta(min_length=2)]
    name: str = ""


class SceneMessage(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One `[[messages]]`."""

    sender: str = msgspec.field(name="from")
    to: list[str] = []
    group: str = ""
    text: str = ""
    msgtype: Annotated[int, Meta(ge=0, le=28)] = texts.TEXT
    ago: Annotated[float, Meta(ge=0, le=WINDOW_SECONDS - _RECENT)] = 0
    """Seconds before the emulator's start."""


class Scene(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A whole file."""

    employees: list[Employee] = []
    customers: list[Customer] = []
    robots: list[Robot] = []
    groups: list[SceneGroup] = []
    messages: Annotated[list[SceneMessage], Meta(max_length=MAX_MESSAGES)] = []


class _People(People):
    """The people of a scene; each kind that it leaves out is that of the seed."""

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


def load_scene(path: Path) -> Scene:
    """Read a scene.

    Raises:
        ConfigurationError: The file can't be read, is no TOML, or says something that can't be; with the row.
    """
    try:
        scene = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Scene)
        check_scene(scene)
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{path}: {error}") from None
    return scene


def check_scene(scene: Scene) -> None:
    """Raise msgspec.ValidationError when a scene names somebody twice, or one whom it does not have.

    A list that is left out is not checked against, since its people come from the seed.
    """
    ids = [each.userid for each in scene.employees] + [each.id for each in scene.customers]
    ids += [each.id for each in scene.robots] + [each.chatid for each in scene.groups]
    seen: set[str] = set()
    for each in ids:
        if each in seen:
            raise msgspec.ValidationError(f"the id {each!r} occurs twice")
        seen.add(each)
    for number, group in enumerate(scene.groups):
        if len(set(group.members)) < len(group.members):
            raise msgspec.ValidationError(f"a member occurs twice - at `$.groups[{number}].members`")
    for number, message in enumerate(scene.messages):
        check_message(message, f"$.messages[{number}]")


def check_message(message: SceneMessage, path: str) -> None:
    """Raise msgspec.ValidationError unless a message goes either to people or to a group."""
    if bool(message.to) == bool(message.group):
        raise msgspec.ValidationError(f"a message has either to or group - at `{path}`")


def make_conversations(rng: random.Random, now: int, count: int, scene: Scene | None) -> Conversations:
    """Return the corp's conversations.

    Args:
        rng: The emulator's random source.
        now: Unix seconds.
        count: How many messages the seed makes; a scene's come on top.
        scene: Who exists and what was said.

    Raises:
        ConfigurationError: The scene names somebody who does not exist.
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
    """Let somebody say something.

    Args:
        chats: Where.
        message: Who says what to whom; `ago` is left to the caller.
        moment: Unix seconds; not before the last message.

    Raises:
        ConfigurationError: Somebody, or the group, does not exist.
    """
    return _say(chats, _parties(chats), message, moment)


def _say(chats: Conversations, parties: dict[str, Party], message: SceneMessage, moment: int) -> Message:
    receivers = message.to
    chatid: str | UnsetType = UNSET
    if message.group:
        if message.group not in chats.groups:
            raise ConfigurationError(f"there is no group {message.group!r} for the message")
        chatid = message.group
        receivers = [each.id for each in chats.groups[message.group].members if each.id != message.sender]
    return chats.say(
        moment,
        message.text,
        msgtype=message.msgtype,
        parties=[_party(parties, each) for each in (message.sender, *receivers)],
        chatid=chatid,
    )


def _talk(rng: random.Random, chats: Conversations, now: int, count: int, scene: Scene) -> None:
    """Let everything be said, in order of time."""
    oldest = now - WINDOW_SECONDS + _RECENT
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
    party = parties.get(party_id)
    if party is None:
        raise ConfigurationError(f"there is no employee, customer or robot {party_id!r}")
    return party


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
    """Return one group of colleagues and one with customers, as far as there are any."""
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
