"""The ability `chat_digest`."""

from schemas.chat_digest import Request, Response
from wwspec_devtools.testing.zone import Zone


def test_the_digest_counts_each_message_of_a_page_once_and_the_next_goes_on_behind_it(zone: Zone) -> None:
    first = zone.call("chat_digest", Request(limit=100), reply=Response).reply
    assert (first.messages, first.has_more) == (100, 1)
    assert sum(sender.messages for sender in first.senders) == 100
    assert sum(msgtype.messages for msgtype in first.msgtypes) == 100
    second = zone.call("chat_digest", Request(limit=100, cursor=first.next_cursor), reply=Response).reply
    assert second.next_cursor != first.next_cursor


def test_a_limit_beyond_the_contract_is_refused(zone: Zone) -> None:
    refused = zone.call("chat_digest", {"limit": 1001})
    assert refused.refused_by == "program"
    assert refused.errmsg.endswith("at $.limit")
