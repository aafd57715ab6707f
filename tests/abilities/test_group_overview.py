"""The ability `group_overview`."""

from wwspec_router.testing.zone import Zone


def test_the_overview_counts_the_members_of_a_group(zone: Zone) -> None:
    request = {"chatid": a_chatid(zone)}
    group = zone.call("invoke_get_group_chat", request).reply
    overview = zone.call("group_overview", request).reply
    assert overview["creator"] == group["creator"]
    assert overview["employees"] + overview["customers"] + overview["robots"] == len(group["members"])


def test_an_unknown_group_is_refused_with_the_errcode_of_wecom(zone: Zone) -> None:
    request = {"chatid": "nowhere"}
    refused = zone.call("group_overview", request).reply
    assert refused["errcode"] == zone.call("invoke_get_group_chat", request).reply["errcode"] != 0


def a_chatid(zone: Zone) -> str:
    """Return the chatid of a group that has messages."""
    messages = zone.call("invoke_sync_msg", {"limit": 500}).reply["msg_list"]
    return next(str(message["chatid"]) for message in messages if message.get("chatid"))
