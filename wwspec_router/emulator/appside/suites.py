"""How a provider's third-party app gets the access token of a corp [90600, 90605].

Neither API needs an access token of an app. Each function raises `RefusedError`.
"""

from collections.abc import Mapping

import msgspec

from wwspec_router.emulator.answers import Answer, accepted, read, require
from wwspec_router.emulator.state.world import World


class SuiteToken(msgspec.Struct, kw_only=True, frozen=True):
    """Request of `get_suite_token`."""

    suite_id: str = ""
    suite_secret: str = ""
    suite_ticket: str = ""


class CorpToken(msgspec.Struct, kw_only=True, frozen=True):
    """Request of `get_corp_token`."""

    auth_corpid: str = ""
    permanent_code: str = ""


def get_suite_token(world: World, _: Mapping[str, str], body: bytes) -> Answer:
    """Return an access token of the suite, valid two hours."""
    request = read(SuiteToken, body)
    require(suite_id=request.suite_id, suite_secret=request.suite_secret, suite_ticket=request.suite_ticket)
    with world.lock:
        token, seconds = world.suite.issue_token(
            request.suite_id, request.suite_secret, request.suite_ticket, world.clock.now(), world.ids
        )
    return accepted(suite_access_token=token, expires_in=seconds)


def get_corp_token(world: World, query: Mapping[str, str], body: bytes) -> Answer:
    """Return an access token of the app that a corp has installed, valid two hours."""
    request, suite_access_token = read(CorpToken, body), query.get("suite_access_token", "")
    require(
        suite_access_token=suite_access_token, auth_corpid=request.auth_corpid, permanent_code=request.permanent_code
    )
    with world.lock:
        now = world.clock.now()
        app = world.suite.installed(suite_access_token, request.auth_corpid, request.permanent_code, now)
        token, seconds = world.accounts.issue_token_of(app, now, world.ids)
    return accepted(access_token=token, expires_in=seconds)


APIS = {"service/get_suite_token": get_suite_token, "service/get_corp_token": get_corp_token}
