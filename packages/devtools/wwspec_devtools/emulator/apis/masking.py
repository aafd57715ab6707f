"""SDK APIs about what a member's chat component hides: `set_` and `get_hide_sensitiveinfo_config` [100055]."""

from wwspec_devtools.emulator.answers import Answer, Asked, accepted
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.corps import Masking
from wwspec_devtools.emulator.state.world import World


class Config(Masking, frozen=True, forbid_unknown_fields=True):
    """What to hide."""


class SetConfig(Asked):
    """Request of `set_hide_sensitiveinfo_config`."""

    userid: str
    config: Config


class GetConfig(Asked):
    """Request of `get_hide_sensitiveinfo_config`."""

    userid: str


def set_hide_sensitiveinfo_config(world: World, app: App, request: SetConfig) -> Answer:
    """Replace a member's setting."""
    world.corp(app).set_masking(request.userid, request.config)
    return accepted()


def get_hide_sensitiveinfo_config(world: World, app: App, request: GetConfig) -> Answer:
    """Return a member's setting: nothing is hidden before it is set."""
    return accepted(config=world.corp(app).masking_of(request.userid))
