"""SDK APIs about chats: `get_group_chat` [99825], and consent to archiving [99826].

The latter are `get_agree_status_single` and `get_agree_status_room`.
"""

from typing import Annotated

from msgspec import Meta

from wwspec_devtools.emulator.answers import Answer, Asked, RefusedError, accepted
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.conversations import CUSTOMER, EMPLOYEE
from wwspec_devtools.emulator.state.world import World

MAX_PAIRS = 100


class Pair(Asked):
    """One single chat."""

    userid: str
    external_userid: str


class AgreeStatusSingle(Asked):
    """Request of `get_agree_status_single`."""

    item: Annotated[list[Pair], Meta(max_length=MAX_PAIRS)]


class AgreeStatusRoom(Asked):
    """Request of `get_agree_status_room`."""

    chatid: str


def get_agree_status_single(world: World, app: App, request: AgreeStatusSingle) -> Answer:
    """Return who agreed in which single chat; pairs without a chat are left out."""
    answers = []
    corp = world.corp(app)
    for place, pair in enumerate(request.item):
        if corp.chats.people.find(pair.userid, EMPLOYEE) is None:
            raise RefusedError(710608, f"item[{place}].userid")
        consent = corp.consents.of(pair.userid, pair.external_userid)
        if consent is not None:
            answers.append(consent.shown(userid=pair.userid, external_userid=pair.external_userid))
    return accepted(agreeinfo=answers)


def get_agree_status_room(world: World, app: App, request: AgreeStatusRoom) -> Answer:
    """Return which customers of a group agreed."""
    answers = []
    corp = world.corp(app)
    group = corp.chats.groups.get(request.chatid)
    if group is None:
        raise RefusedError(710624, "no such group")
    for member in group.members:
        consent = corp.consents.of(group.chatid, member.id) if member.type == CUSTOMER else None
        if consent is not None:
            answers.append(consent.shown(external_userid=member.id))
    return accepted(agreeinfo=answers)


class GroupChat(Asked):
    """Request of `get_group_chat`."""

    chatid: str


def get_group_chat(world: World, app: App, request: GroupChat) -> Answer:
    """Return who is in an internal or inter-corp group."""
    if world.clock.now() > world.archive_ends:
        raise RefusedError(301052)
    group = world.conversations[app.corpid].groups.get(request.chatid)
    if group is None or not group.internal:
        raise RefusedError(710624, "no such group" if group is None else "a group with customers")
    members = [
        {"memberid": member.id, "jointime": jointime, "type": member.type}
        for member, jointime in zip(group.members, group.jointimes, strict=True)
    ]
    return accepted(creator=group.creator, room_create_time=group.room_create_time, members=members)
