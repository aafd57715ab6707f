"""SDK APIs about consent to archiving: `get_agree_status_single`, `get_agree_status_room` [99826]."""

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
