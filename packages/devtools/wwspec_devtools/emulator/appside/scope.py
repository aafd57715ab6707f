"""The scope of an app: members and editions of the chat archive and the document archive [99846, 100237, 101488].

Every employee of the emulated corp is in both scopes. Each function takes the state, the calling app and the
request, and raises `RefusedError`.
"""

from typing import Annotated, Any

from msgspec import Meta

from wwspec_devtools.emulator.answers import OR_EARLIER_LIFE, Answer, Parameters, RefusedError, accepted
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.people import DEPARTMENTS
from wwspec_devtools.emulator.state.world import World

EDITION = 3
"""Internal chats, chats with customers, and voice calls: the emulated messages are of all these kinds."""

MSG_DURATION_DAYS = 180

DEFAULT_LIMIT = 200
"""Of a request whose `limit` is 0 or left out."""

_PAID, _ON_TRIAL = 3, 1
_PAID_OVER, _TRIAL_OVER = 4, 2
_BEFORE, _TRIAL_BEFORE = 30 * 86400, 86400
"""Seconds of the paid year and of the trial that are over when the emulator starts."""

_CHAT_CURSOR, _DOC_CURSOR = "u", "d"


class Page(Parameters):
    """Request of the two `get_auth_user_list`."""

    cursor: str = ""
    limit: Annotated[int, Meta(ge=0, le=1000)] = 0


class Nothing(Parameters):
    """Request without parameters."""


def get_auth_user_list(world: World, app: App, request: Page) -> Answer:
    """Return the members whose chats are archived."""
    userids, more = _page(world, app, request, _CHAT_CURSOR)
    return accepted(auth_user_list=[{"userid": userid, "edition_list": [EDITION]} for userid in userids], **more)


def get_doc_auth_user_list(world: World, app: App, request: Page) -> Answer:
    """Return the members whose documents are archived."""
    userids, more = _page(world, app, request, _DOC_CURSOR)
    return accepted(auth_user_list=[{"userid": userid} for userid in userids], **more)


def get_corp_auth_info(world: World, app: App, request: Nothing) -> Answer:
    """Return the one edition that the corp has paid for."""
    edition = {
        "edition": EDITION,
        "auth_scope": _scope(),
        "status": _PAID if world.clock.now() <= world.archive_ends else _PAID_OVER,
        "begin_time": int(world.started) - _BEFORE,
        "end_time": int(world.archive_ends),
        "msg_duration_days": MSG_DURATION_DAYS,
        "auth_user_count": len(world.conversations[app.corpid].employees),
    }
    return accepted(auth_edition_list=[edition])


def get_doc_auth_info(world: World, app: App, request: Nothing) -> Answer:
    """Return that the document archive is on trial."""
    return accepted(
        status=_ON_TRIAL if world.clock.now() <= world.trial_ends else _TRIAL_OVER,
        auth_scope=_scope(),
        begin_time=int(world.started) - _TRIAL_BEFORE,
        end_time=int(world.trial_ends),
        auth_user_count=len(world.conversations[app.corpid].employees),
    )


def _scope() -> dict[str, Any]:
    """The whole corp, by its first department."""
    return {"userid_list": [], "department_id_list": [min(DEPARTMENTS)], "tag_id_list": []}


def _page(world: World, app: App, request: Page, kind: str) -> tuple[list[str], dict[str, Any]]:
    """Return the userids of a page, and the fields for the next page."""
    userids = [employee.id for employee in world.conversations[app.corpid].employees]
    position = world.marks.read(kind, app.corpid, request.cursor) if request.cursor else (0,)
    if position is None:
        raise RefusedError(710611, f"cursor is not one of this API, {OR_EARLIER_LIFE}")
    end = min(len(userids), position[0] + (request.limit or DEFAULT_LIMIT))
    has_more = end < len(userids)
    cursor = world.marks.write(kind, app.corpid, end) if has_more else ""
    return userids[position[0] : end], {"next_cursor": cursor, "has_more": has_more}


APIS = {
    "chatdata/get_auth_user_list": get_auth_user_list,
    "chatdata/get_corp_auth_info": get_corp_auth_info,
    "docdata/get_auth_user_list": get_doc_auth_user_list,
    "docdata/get_auth_info": get_doc_auth_info,
}
