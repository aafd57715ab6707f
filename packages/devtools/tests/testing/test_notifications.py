"""What a test waits for: a notification of a kind, or the end of all work. And events that come again."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from schemas.archive import Digest
from tests.support.apps import write_files
from tests.support.waiting import DEADLINE
from tests.support.zones import serve_zone
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.events import hit_keyword
from wwspec_devtools.testing.zone import Zone, ZoneTimeoutError
from wwspec_router import Contract

REGISTRY = """
[abilities.get_callback_data]
kind = "callback_data"
[abilities.slow]
handler = "abilities.slow:slow"
[events.conversation_new_message]
handler = "abilities.slow:on_message"
notify = "{notify}"
retries = 1
"""
SLOW = """
import os
from pathlib import Path
from time import sleep

from wwspec_router import Contract, EventContext, Output, ability
from wwspec_contracts.events import conversation_new_message

VAR = Path(os.environ["WWSPEC_VAR"])

class Found(Contract):
    attempt: int

@ability
def slow(request: Contract) -> Output:
    sleep(0.3)
    (VAR / "slow").touch()
    return Output()

def on_message(event: conversation_new_message.Event, ctx: EventContext) -> Found:
    sleep(0.3)
    with (VAR / "attempts").open("a") as file:
        file.write("x")
    if ctx.attempt == 1:
        raise ValueError("the first attempt")
    return Found(attempt=ctx.attempt)
"""


def test_a_kind_or_an_event_is_returned_as_its_contract_or_as_plain_json(zone: Zone) -> None:
    zone.call("daily_digest", {"hours": 1}).raise_for_error()
    zone.call("daily_digest", {"hours": 1}).raise_for_error()
    assert zone.notified(Digest) == Digest(one_to_one=0, groups=0)
    assert zone.notified("daily_digest")["daily_digest"] == {"one_to_one": 0, "groups": 0}
    first, second = zone.fire("hit_keyword")["event"], zone.fire("hit_keyword")["event"]
    assert zone.notified("hit_keyword") == first
    event = zone.notified(hit_keyword.Event)
    assert event.hit_keyword.token == second["hit_keyword"]["token"]


def test_each_notification_is_returned_once_until_a_reset_forgets_all(zone: Zone) -> None:
    zone.fire("hit_keyword")
    zone.fire("auth_knowledge_base")
    assert zone.notified("auth_knowledge_base")["event_type"] == "auth_knowledge_base"
    assert zone.notified("hit_keyword")["event_type"] == "hit_keyword"
    with pytest.raises(ZoneTimeoutError, match="no notification of hit_keyword within 0 s; there came none"):
        zone.notified("hit_keyword", timeout=0)
    zone.fire("hit_keyword")
    zone.client.reset()
    zone.fire("auth_knowledge_base")
    assert zone.notified("auth_knowledge_base")
    with pytest.raises(ZoneTimeoutError, match="there came none"):
        zone.notified("hit_keyword", timeout=0)


def test_each_call_of_an_sdk_api_is_returned_once_or_waited_for(zone: Zone) -> None:
    for limit in (3, 4):
        zone.call("invoke_sync_msg", {"limit": limit}).raise_for_error()
    zone.call("invoke_get_hit_msg_list", {"limit": 1})
    assert [zone.called("sync_msg")["limit"] for _ in range(2)] == [3, 4]
    with pytest.raises(ZoneTimeoutError, match=r"no call of sync_msg within 0 s; .* has called: get_hit_msg_list$"):
        zone.called("sync_msg", timeout=0)
    zone.client.reset()
    zone.call("invoke_sync_msg", {"limit": 5}).raise_for_error()
    assert zone.called("sync_msg")["limit"] == 5
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(zone.called, "sync_msg")
        zone.submit("invoke_sync_msg", {"limit": 6}).result()
        assert waiting.result(DEADLINE)["limit"] == 6


def test_a_wait_that_is_over_names_what_came(zone: Zone) -> None:
    zone.fire("hit_keyword")
    with pytest.raises(
        ZoneTimeoutError, match=r"no notification of daily_digest within 0\.1 s; there came: hit_keyword$"
    ):
        zone.notified("daily_digest", timeout=0.1)
    zone.client.reset()
    zone.fire("hit_keyword")
    zone.advance(601)
    with pytest.raises(ZoneTimeoutError, match="there came: get_callback_data: refused by the platform .* 710646"):
        zone.notified("hit_keyword", timeout=0)


def test_a_kind_that_nothing_has_is_refused_with_the_fix(zone: Zone) -> None:
    class Unknown(Contract):
        size: int

    with pytest.raises(ConfigurationError, match=r"no notification is of kind hit_keywort; did you mean hit_keyword\?"):
        zone.notified("hit_keywort")
    with pytest.raises(ConfigurationError, match=r"no row \[notifications.<kind>\] has contract = .*Unknown"):
        zone.notified(Unknown)


def test_an_event_comes_again_with_the_same_content(zone: Zone) -> None:
    fired = zone.fire("hit_keyword")
    assert zone.repeat(fired)["event"] == fired["event"] == zone.repeat(fired["event"])["event"]
    assert [zone.notified("hit_keyword") for _ in range(3)] == [fired["event"]] * 3
    sent = zone.client.traffic(kind="event")
    texts = {zone.client.entry(each["number"])["text"]["request"] for each in sent}
    assert (len(sent), len(texts)) == (3, 1)


def test_the_fields_of_an_event_are_given_by_name(zone: Zone) -> None:
    event = zone.fire("knowledge_base_learn_done", learn_status=1)["event"]
    assert event["knowledge_base_learn_done"]["learn_status"] == 1


def test_a_repeat_of_an_event_whose_code_runs_once_is_no_work(tmp_path: Path) -> None:
    once = REGISTRY.replace("{notify}", "now").replace("retries = 1", "once = true\nretries = 1")
    write_files(tmp_path, {"abilities/registry.toml": once, "abilities/slow.py": SLOW})
    with serve_zone(tmp_path, serve=("--retry-pause", "0.1")) as zone:
        fired = zone.fire("conversation_new_message")
        zone.wait_idle()
        zone.repeat(fired)
        zone.wait_idle(timeout=5)
        assert zone.var is not None
        assert (zone.var / "attempts").read_text() == "xx", "its retry, and not the repeat"


# A program of its own, since it is to be slow, and to fail at first: it takes seconds to start.
@pytest.mark.slow
@pytest.mark.parametrize("notify", ["now", "after", "never"])
def test_work_has_ended_when_code_on_an_event_its_retries_and_an_asynchronous_call_have(
    tmp_path: Path, notify: str
) -> None:
    files = {"abilities/registry.toml": REGISTRY.replace("{notify}", notify), "abilities/slow.py": SLOW}
    with serve_zone(write_files(tmp_path, files), serve=("--retry-pause", "0.1")) as slow:
        fired = slow.fire("conversation_new_message")
        assert slow.client.wait_idle(0) != []
        slow.wait_idle()
        assert slow.var is not None
        assert (slow.var / "attempts").read_text() == "xx"
        slow.repeat(fired)
        slow.wait_idle()
        assert (slow.var / "attempts").read_text() == "xxxx"
        slow.submit("slow")
        with pytest.raises(ZoneTimeoutError, match="still in work after 0 s: 1 asynchronous call"):
            slow.wait_idle(timeout=0)
        slow.wait_idle()
        assert (slow.var / "slow").exists()
