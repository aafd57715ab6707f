"""The ability `watch_word`, which runs once for each `request_id`."""

from wwspec_router.testing.zone import Zone


def test_a_repeated_request_makes_one_rule(zone: Zone) -> None:
    first = zone.call("watch_word", {"request_id": "r-1", "word": "refund"}).reply
    assert zone.call("watch_word", {"request_id": "r-1", "word": "refund"}).reply == first
    other = zone.call("watch_word", {"request_id": "r-2", "word": "refund"}).reply
    assert other["rule_id"] not in ("", first["rule_id"])


def test_one_request_id_is_not_for_two_words(zone: Zone) -> None:
    zone.call("watch_word", {"request_id": "r-3", "word": "refund"})
    refused = zone.call("watch_word", {"request_id": "r-3", "word": "invoice"})
    assert refused.refused_by == "program"
    assert refused.errmsg.endswith("at $.request_id")
