"""How an app gets its access token."""

from collections.abc import Mapping

from wwspec_devtools.emulator.answers import Answer, accepted
from wwspec_devtools.emulator.state.world import World


def get_token(world: World, query: Mapping[str, str], _: bytes) -> Answer:
    """Return an access token that is valid two hours."""
    token, seconds = world.accounts.issue_token(
        query.get("corpid", ""), query.get("corpsecret", ""), world.clock.now(), world.ids
    )
    return accepted(access_token=token, expires_in=seconds)


APIS = {"gettoken": get_token}
