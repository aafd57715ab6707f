"""SDK APIs about what a member's chat component hides: `set_` and `get_hide_sensitiveinfo_config` [100055]."""

from wwspec_contracts.decoding import convert
from wwspec_devtools.emulator.answers import Answer, Asked, RefusedError, accepted, asked, require
from wwspec_devtools.emulator.state.conversations import EMPLOYEE
from wwspec_devtools.emulator.state.corps import Corp, Masking
from wwspec_devtools.emulator.state.world import Caller, World


class Config(Asked):
    """What to hide."""

    hide_mobile: bool = False
    hide_idcard: bool = False
    hide_bankno: bool = False


class SetConfig(Asked):
    """Request of `set_hide_sensitiveinfo_config`."""

    userid: str
    config: Config


class GetConfig(Asked):
    """Request of `get_hide_sensitiveinfo_config`."""

    userid: str


def set_hide_sensitiveinfo_config(world: World, caller: Caller, body: bytes) -> Answer:
    """Replace a member's setting."""
    request = asked(SetConfig, body)
    with world.lock:
        corp = _corp(world, caller, request.userid)
        corp.masking[request.userid] = convert(request.config, Masking, from_attributes=True)
    return accepted()


def get_hide_sensitiveinfo_config(world: World, caller: Caller, body: bytes) -> Answer:
    """Return a member's setting: nothing is hidden before it is set."""
    request = asked(GetConfig, body)
    with world.lock:
        masking = _corp(world, caller, request.userid).masking.get(request.userid, Masking())
    return accepted(config=masking)


def _corp(world: World, caller: Caller, userid: str) -> Corp:
    require(userid=userid)
    corp = world.corp(world.caller_app(caller))
    if corp.chats.people.find(userid, EMPLOYEE) is None:
        raise RefusedError(60111, "userid")
    return corp


APIS = {
    "set_hide_sensitiveinfo_config": set_hide_sensitiveinfo_config,
    "get_hide_sensitiveinfo_config": get_hide_sensitiveinfo_config,
}
