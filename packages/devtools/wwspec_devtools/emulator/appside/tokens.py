"""How an app gets its access token, and the tickets that its pages sign with [90506]."""

from collections.abc import Mapping

from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.world import World

_KIND = "agent_config"


def get_token(world: World, query: Mapping[str, str], _: bytes) -> Answer:
    """Return an access token that is valid two hours."""
    token, seconds = world.accounts.issue_token(
        query.get("corpid", ""), query.get("corpsecret", ""), world.clock.now(), world.ids
    )
    return accepted(access_token=token, expires_in=seconds)


def get_jsapi_ticket(world: World, app: App, query: Mapping[str, str], _: bytes) -> Answer:
    """Return the ticket of the corp, for `config`."""
    ticket, seconds = world.page_tickets.issue_of_corp(app, world.clock.now(), world.ids)
    return accepted(ticket=ticket, expires_in=seconds)


def get_ticket(world: World, app: App, query: Mapping[str, str], _: bytes) -> Answer:
    """Return the ticket of the app, for `agentConfig`."""
    if query.get("type") != _KIND:
        raise RefusedError(40058, f"type must be {_KIND}")
    ticket, seconds = world.page_tickets.issue_of_app(app, world.clock.now(), world.ids)
    return accepted(ticket=ticket, expires_in=seconds)


APIS = {"gettoken": get_token, "get_jsapi_ticket": get_jsapi_ticket, "ticket/get": get_ticket}
