"""What any call or event can cause is logged once a second for each kind, with the number of those left out."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.stores.suites.rig import ManualClock
from tests.support.kernel import Kernel, app_call, reference_table, with_handler
from tests.support.sdk import MemorySdk, network_failure
from wwspec_contracts.base import Contract
from wwspec_contracts.errors import AbilityError
from wwspec_router import Output, ability
from wwspec_router.envelope import Call
from wwspec_router.stores import StoreLimits, open_store

EVENT = '{"event_type":"hit_keyword","timestamp":5,"hit_keyword":{"token":"a-secret"}}'


class Wish(Contract):
    name: str = ""


@ability
def moody(request: Wish) -> Output:
    if request.name == "refuse":
        raise AbilityError("a-secret", errcode=777)
    raise ValueError("a-secret")


@ability
def sulky(request: Wish) -> Output:
    raise ValueError("a-secret")


@pytest.fixture
def moody_zone() -> Iterator[Kernel]:
    """A kernel whose abilities fail, over a store that is full."""
    sdk = MemorySdk(replies={"sync_msg": network_failure("sync_msg"), "get_group_chat": "no JSON"})
    table = with_handler(with_handler(reference_table(), moody), sulky)
    with closing(open_store("memory:", StoreLimits(max_rows=0))) as store:
        yield Kernel(table, store, sdk=sdk)


def event(text: str, **more: Any) -> Call:
    return Call(**{"corpid": "corp", "agentid": 7, "call_type": 2, "data": text, **more})


FLOODS: dict[str, Callable[[int], Call]] = {
    "unknown notify_id": lambda number: app_call("get_callback_data", notify_id=f"no-{number}"),
    "AbilityError": lambda number: app_call("moody", '{"name":"refuse"}'),
    "raising handler": lambda number: app_call("moody"),
    "bad event": lambda number: event('{"event_type":7}'),
    "event that can not be stored": lambda number: event(EVENT),
    "call_type 9": lambda number: event("{}", call_type=9),
    "unknown ability": lambda number: app_call(f"no-{number}"),
    "unknown function": lambda number: app_call("python_demo", f'{{"input":{{"func":"no-{number}"}}}}'),
    "request that does not fit": lambda number: app_call("chat_digest", f'{{"key{number}":1}}'),
    "SDK call that fails": lambda number: app_call("invoke_sync_msg"),
    "reply that does not fit": lambda number: app_call("invoke_get_group_chat", '{"chatid":"c"}'),
    "jobs that can not be accepted": lambda number: app_call(("moody", "sulky")[number % 2], is_async=True),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_one_line_a_second_with_the_number_left_out(
    moody_zone: Kernel, clock: ManualClock, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5):
        assert json.loads(moody_zone.dispatch(FLOODS[name](number)).text)["errcode"] != 0
    clock.advance(1.0)
    moody_zone.dispatch(FLOODS[name](5))
    clock.advance(1.0)
    moody_zone.dispatch(FLOODS[name](7))
    first, second, third = [record.getMessage() for record in caplog.records]
    assert "more since" not in first + third
    assert second.endswith(" (and 4 more since the last such line)")
    assert "a-secret" not in caplog.text
    assert all(record.exc_info is None for record in caplog.records)


def test_each_trouble_has_its_lines(moody_zone: Kernel, clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(3):
        for flood in FLOODS.values():
            moody_zone.dispatch(flood(number))
        moody_zone.dispatch(app_call("sulky"))
    logged = [record.getMessage() for record in caplog.records]
    assert len(logged) == len(FLOODS) + 1
    assert sum("ValueError at test_floods.py" in line for line in logged) == 2
