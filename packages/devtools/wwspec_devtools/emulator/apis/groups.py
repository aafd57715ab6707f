"""SDK APIs about group chats: `get_group_chat` [99825]."""

from wwspec_devtools.emulator.answers import Answer, Asked, RefusedError, accepted
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.world import World


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
