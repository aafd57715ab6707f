from program import SizeReply, SizeRequest
from wwspec_contracts import sync_msg
from wwspec_devtools.testing.zone import Zone


def test_a_group_has_a_size(zone: Zone) -> None:
    messages = zone.call(sync_msg.Request(limit=200)).reply.msg_list
    chatid = next(each.chatid for each in messages if each.chatid)
    assert zone.call("group_size", SizeRequest(chatid=chatid), reply=SizeReply).reply.members > 1
