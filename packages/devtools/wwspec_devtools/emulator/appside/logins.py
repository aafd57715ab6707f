"""How an app learns who has opened its page: it exchanges the code of a login [91023, 91121, 95833].

Each function raises `RefusedError`.
"""

import hashlib
from collections.abc import Callable, Mapping

from wwspec_devtools.emulator.answers import Answer, Parameters, accepted, require
from wwspec_devtools.emulator.appside.suites import check_token, open_userid
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.logins import DOC_TICKET, SECONDS, USER_TICKET, Login
from wwspec_devtools.emulator.state.people import EMPLOYEE
from wwspec_devtools.emulator.state.world import World


class UserDetail(Parameters):
    """Request of `getuserdetail`."""

    user_ticket: str


def get_user_info(world: World, app: App, query: Mapping[str, str], _: bytes) -> Answer:
    """Return who has logged in to an app of the corp's own, or one that a provider develops for it."""
    login = _use_code(world, query, lambda login: login.app is app and not login.by_suite)
    return accepted(**_person(world, login, doc_ticket=True))


def get_user_info_3rd(world: World, query: Mapping[str, str], _: bytes) -> Answer:
    """Return who has logged in to a third-party app, and in which corp."""
    check_token(world, query)
    login = _use_code(world, query, lambda login: login.by_suite)
    person = _person(world, login, doc_ticket=world.settings.suite_doc_ticket)
    if login.party.type != EMPLOYEE:
        return accepted(**person)
    if "user_ticket" in person:
        person["expires_in"] = SECONDS[USER_TICKET]
    return accepted(corpid=login.app.corpid, open_userid=open_userid(login.app, login.party.id), **person)


def get_user_detail(world: World, app: App, request: UserDetail) -> Answer:
    """Return the private data of a member. The corp's admin has chosen none of it, so it is as good as empty."""
    login = world.logins.member_of(app, request.user_ticket, world.clock.now())
    return accepted(userid=login.party.id, gender="0", avatar="")


def _use_code(world: World, query: Mapping[str, str], is_caller: Callable[[Login], bool]) -> Login:
    require(code=query.get("code"))
    return world.logins.use_code(query["code"], is_caller, world.settings.trusted_domain, world.clock.now())


def _person(world: World, login: Login, *, doc_ticket: bool) -> Answer:
    """Return the fields of a person: those of a member with tickets, or those of somebody from outside."""
    if login.party.type != EMPLOYEE:
        openid = hashlib.sha256(f"openid/{login.app.corpid}/{login.party.id}".encode()).hexdigest()[:28]
        return {"openid": openid, "external_userid": login.party.id}
    kinds = [USER_TICKET] * login.private + [DOC_TICKET] * doc_ticket
    tickets = {kind: world.logins.issue(kind, login, world.clock.now()) for kind in kinds}
    return {"userid": login.party.id, **tickets}


APIS = {"auth/getuserinfo": get_user_info, "service/auth/getuserinfo3rd": get_user_info_3rd}
"""By GET."""

APP_APIS = {"auth/getuserdetail": get_user_detail}
"""By POST, with the access token of an app."""
