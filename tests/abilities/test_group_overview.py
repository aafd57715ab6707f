"""The ability `group_overview`."""

from schemas.group_overview import Request, Response
from wwspec_contracts import get_group_chat, sync_msg
from wwspec_devtools.testing.zone import Zone


def test_the_overview_counts_the_members_of_a_group(zone: Zone) -> None:
    chatid = a_chatid(zone)
    group = zone.call(get_group_chat.Request(chatid=chatid)).reply
    overview = zone.call("group_overview", Request(chatid=chatid), reply=Response).reply
    assert overview.creator == group.creator
    assert overview.employees + overview.customers + overview.robots == len(group.members)


def test_an_unknown_group_is_refused_with_the_errcode_of_wecom(zone: Zone) -> None:
    refused = zone.call("group_overview", Request(chatid="nowhere"))
    assert refused.errcode == zone.call(get_group_chat.Request(chatid="nowhere")).errcode != 0


def a_chatid(zone: Zone) -> str:
    """Return the chatid of a group that has messages."""
    messages = zone.call(sync_msg.Request(limit=500)).reply.msg_list
    return next(message.chatid for message in messages if message.chatid)
