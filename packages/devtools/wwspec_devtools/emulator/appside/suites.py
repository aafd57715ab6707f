"""How the app of a provider is installed at a corp, and gets the corp's access token [90600, 90605, 100776, 100795].

No API needs an access token of an app. Each function raises `RefusedError`.
"""

import hashlib
from collections.abc import Mapping

from wwspec_devtools.emulator.answers import Answer, Parameters, accepted, asked, require
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.people import DEPARTMENTS
from wwspec_devtools.emulator.state.world import World


class SuiteToken(Parameters):
    """Request of `get_suite_token`."""

    suite_id: str
    suite_secret: str
    suite_ticket: str


class CorpToken(Parameters):
    """Request of `get_corp_token`."""

    auth_corpid: str
    permanent_code: str


class AuthCode(Parameters):
    """Request of both `get_permanent_code`."""

    auth_code: str


def get_suite_token(world: World, _: Mapping[str, str], body: bytes) -> Answer:
    """Return an access token of the suite, valid two hours."""
    request = asked(SuiteToken, body)
    token, seconds = world.suite.issue_token(
        request.suite_id, request.suite_secret, request.suite_ticket, world.clock.now(), world.ids
    )
    return accepted(suite_access_token=token, expires_in=seconds)


def get_pre_auth_code(world: World, query: Mapping[str, str], _: bytes) -> Answer:
    """Return a code for an install link, valid 20 minutes."""
    check_token(world, query)
    code, seconds = world.suite.issue_pre_auth_code(world.clock.now(), world.ids)
    return accepted(pre_auth_code=code, expires_in=seconds)


def get_permanent_code(world: World, query: Mapping[str, str], body: bytes) -> Answer:
    """Return the permanent_code for an auth_code, once, with all else that the older API has."""
    app, state = _take_auth_code(world, query, body)
    token, seconds = world.accounts.issue_token_of(app, world.clock.now(), world.ids)
    with_token = {} if world.settings.app_type == "custom" else {"access_token": token, "expires_in": seconds}
    installed = _installed(world, app, state)
    return accepted(**with_token, **installed, auth_info={"agent": [_agent(app)]})


def get_permanent_code_v2(world: World, query: Mapping[str, str], body: bytes) -> Answer:
    """Return the permanent_code for an auth_code, once."""
    return accepted(**_installed(world, *_take_auth_code(world, query, body)))


def get_auth_info(world: World, query: Mapping[str, str], body: bytes) -> Answer:
    """Return what a corp has authorised, in the older form: the same but for `dealer_corp_info`."""
    return get_auth_info_v2(world, query, body)


def get_auth_info_v2(world: World, query: Mapping[str, str], body: bytes) -> Answer:
    """Return what a corp has authorised."""
    app = _authorised_app(world, query, body)
    persons = len(world.corp(app).chats.employees)
    corp = {
        "corpid": app.corpid,
        "corp_name": app.corp_name,
        "corp_full_name": app.corp_name,
        "corp_type": "verified",
        "corp_user_max": persons,
        "subject_type": 1,
        "corp_scale": "1-50人",
    }
    return accepted(auth_corp_info=corp, auth_info={"agent": [_agent(app)]})


def get_corp_token(world: World, query: Mapping[str, str], body: bytes) -> Answer:
    """Return an access token of the app that a corp has installed, valid two hours."""
    app = _authorised_app(world, query, body)
    token, seconds = world.accounts.issue_token_of(app, world.clock.now(), world.ids)
    return accepted(access_token=token, expires_in=seconds)


def open_userid(app: App, userid: str) -> str:
    """Return a member's ID for the provider: the same in all of its apps."""
    return f"wo{hashlib.sha256(f'{app.corpid}/{userid}'.encode()).hexdigest()[:30]}"


def check_token(world: World, query: Mapping[str, str]) -> None:
    """Check the suite's token of a request. The caller holds the lock.

    Raises:
        RefusedError: 40063, 40082 or 42009.
    """
    token = query.get("suite_access_token", "")
    require(suite_access_token=token)
    world.suite.check_token(token, world.clock.now())


def _authorised_app(world: World, query: Mapping[str, str], body: bytes) -> App:
    """Return the app that a corp has installed. The caller holds the lock."""
    request = asked(CorpToken, body)
    check_token(world, query)
    return world.suite.installed(request.auth_corpid, request.permanent_code)


def _take_auth_code(world: World, query: Mapping[str, str], body: bytes) -> tuple[App, str]:
    """Return the app and the state of an auth_code, which is used up. The caller holds the lock."""
    request = asked(AuthCode, body)
    check_token(world, query)
    taken = world.suite.take_auth_code(request.auth_code, world.clock.now())
    return taken.app, taken.state


def _installed(world: World, app: App, state: str) -> Answer:
    """Return what both `get_permanent_code` answer. The caller holds the lock."""
    people = world.corp(app).chats.people
    admin = people.employees[0]
    return {
        "permanent_code": app.authorisation.permanent_code,
        "auth_corp_info": {"corpid": app.corpid, "corp_name": app.corp_name},
        "auth_user_info": {
            "userid": admin.id,
            "open_userid": open_userid(app, admin.id),
            "name": people.name_of(admin),
        },
        **({"state": state} if state else {}),
    }


def _agent(app: App) -> Answer:
    """Return the app as `auth_info` shows it: the whole corp is in its visible range."""
    privilege = {"level": 1, "allow_party": [min(DEPARTMENTS)], "allow_user": [], "allow_tag": []}
    return {"agentid": app.agentid, "name": "emulator", "auth_mode": 0, "privilege": privilege}


GET_APIS = {"service/get_pre_auth_code": get_pre_auth_code}

APIS = {
    "service/get_suite_token": get_suite_token,
    "service/get_permanent_code": get_permanent_code,
    "service/v2/get_permanent_code": get_permanent_code_v2,
    "service/get_auth_info": get_auth_info,
    "service/v2/get_auth_info": get_auth_info_v2,
    "service/get_corp_token": get_corp_token,
}
