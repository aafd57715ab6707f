"""Scenes: the people and the messages of the emulated corp, from a TOML file instead of the seed.

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

    [emulator]                    # fields of `EmulatorSettings`, but no secret
    app_type = "third"

    [[faults]]                    # on, effect; value, api, count
    on = "sdk"
    effect = "latency"
    value = 2

People, groups and messages that are left out are made from the seed. `state.seeds` makes the conversations of a scene,
`settings.read_settings` the settings.
"""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.toml import read_toml

WINDOW_SECONDS = 5 * 86400
"""Seconds for which messages can be fetched."""
RECENT_SECONDS = 3600
"""Seconds after the start for which each message stays within `WINDOW_SECONDS`."""
MAX_MESSAGES = 100_000

_Id = Annotated[str, Meta(min_length=1, max_length=64)]


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
    msgtype: Annotated[int, Meta(ge=0, le=28)] = 1
    """1 is text."""
    ago: Annotated[float, Meta(ge=0, le=WINDOW_SECONDS - RECENT_SECONDS)] = 0
    """Seconds before the emulator's start."""


class Scene(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A whole file."""

    employees: list[Employee] = []
    customers: list[Customer] = []
    robots: list[Robot] = []
    groups: list[SceneGroup] = []
    messages: Annotated[list[SceneMessage], Meta(max_length=MAX_MESSAGES)] = []
    emulator: dict[str, Any] = {}
    """Fields of `EmulatorSettings`; `settings.read_settings` checks them."""
    faults: list[dict[str, Any]] = []
    """Those of `state.faults.FaultSpec`."""

    @property
    def has_people(self) -> bool:
        """Whether it says who exists or what was said; else the seed does, as without a scene."""
        return any((self.employees, self.customers, self.robots, self.groups, self.messages))


def load_scene(path: Path) -> Scene:
    """Read a scene.

    Raises:
        ConfigurationError: The file can't be read, is not TOML, or contradicts itself; the text names the row.
    """
    _, tables = read_toml(path)
    try:
        scene = msgspec.convert(tables, Scene)
        check_scene(scene)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    return scene


def check_scene(scene: Scene) -> None:
    """Raise msgspec.ValidationError when a scene names a person twice, or one that it does not have.

    Names of a list that is left out are not checked, since its people come from the seed.
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
        raise msgspec.ValidationError(f"a message goes to people or to a group: give one of to and group - at `{path}`")
