"""The ability `watch_word`, which runs once for each `request_id`."""

from wwspec_devtools.testing.zone import Zone


def sdk_calls(zone: Zone, api: str) -> int:
    """Return how often the program has called an API."""
    return sum(each["name"] == api for each in zone.client.traffic(kind="sdk"))


def test_a_repeated_request_runs_once_and_gets_the_reply_of_the_first(zone: Zone) -> None:
    first = zone.call("watch_word", {"request_id": "r-1", "word": "refund"}).reply
    before = sdk_calls(zone, "get_rule_list"), sdk_calls(zone, "create_rule")
    assert zone.call("watch_word", {"request_id": "r-1", "word": "refund"}).reply == first
    assert (sdk_calls(zone, "get_rule_list"), sdk_calls(zone, "create_rule")) == before


def test_a_rule_that_is_there_is_found_on_the_pages_of_all_rules(zone: Zone) -> None:
    first = zone.call("watch_word", {"request_id": "r-4", "word": "discount"}).reply
    made = sdk_calls(zone, "create_rule")
    assert zone.call("watch_word", {"request_id": "r-5", "word": "discount"}).reply == first
    assert sdk_calls(zone, "create_rule") == made
