"""The ability `chat_digest`."""

from schemas.chat_digest import Request, Response
from wwspec_devtools.testing.zone import Zone


def test_the_digest_counts_each_message_of_a_page_once(zone: Zone) -> None:
    digest = zone.call("chat_digest", Request(limit=100), reply=Response).reply
    assert digest.messages == 100
    assert sum(sender.messages for sender in digest.senders) == 100
    assert sum(msgtype.messages for msgtype in digest.msgtypes) == 100


def test_the_next_digest_goes_on_behind_the_first(zone: Zone) -> None:
    first = zone.call("chat_digest", Request(limit=100), reply=Response).reply
    assert first.has_more == 1
    second = zone.call("chat_digest", Request(limit=100, cursor=first.next_cursor), reply=Response).reply
    assert second.next_cursor != first.next_cursor


def test_a_limit_beyond_the_contract_is_refused(zone: Zone) -> None:
    refused = zone.call("chat_digest", {"limit": 1001})
    assert refused.refused_by == "program"
    assert refused.errmsg.endswith("at $.limit")
