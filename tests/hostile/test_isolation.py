"""Nobody ever gets another's byte: random corps, apps, notify ids and times, through the kernel and real stores."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from msgspec.structs import replace

from tests.hostile.conftest import OK
from tests.stores.suites.rig import ManualClock, in_threads
from tests.support.kernel import reference_table
from tests.support.redis_clock import RewindingClock
from tests.support.redis_server import local_redis
from tests.support.sdk import ScriptedSdk
from wwspec_contracts.call_type import CallType
from wwspec_router.envelope import Call
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.registry.table import AbilityTable
from wwspec_router.stores import Store, open_store

Tenant = tuple[str, int]
NOT_FOUND = {"errcode": 710660, "errmsg": "no event waits under this notify_id"}
MARK = re.compile(r"mark-(\d+)-")
FETCHES = {
    "get_callback_data": "{}",
    "python_demo": '{"input":{"func":"do_async_job","func_req":{}}}',
    "input_do_async_job": '{"input":{"func":"do_async_job"}}',
}
"""Every way to a stored event."""


class TellingSdk(ScriptedSdk):
    """A platform that tells in whose name it is asked, and whose notify ids soon come again."""

    def __init__(self, refuses: bool = False) -> None:
        super().__init__()
        self.refuses = refuses
        self.notified: list[str] = []
        self._caller = ""

    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> "TellingSdk":
        client = TellingSdk(self.refuses)
        client.notified = self.notified
        client._caller = f"{corpid}/{agentid}"
        return client

    def invoke(self, api: str, request: str) -> str:
        if api == "spec_notify_app":
            self.notified.append(json.loads(request)["notify_id"])
            return json.dumps({"errcode": int(self.refuses)})
        return json.dumps({"errcode": 0, "next_cursor": self._caller})


class MarkedZone:
    """A kernel, and a memory of whose every mark is."""

    def __init__(self, table: AbilityTable, store: Store, notify_ids: Callable[[], str]) -> None:
        self.sdk = TellingSdk()
        self.sdk.new_notify_id = notify_ids  # type: ignore[method-assign]  # ids are the test's choice
        self.owners: dict[int, Tenant] = {}
        self._marks = count()
        self._kernel = Dispatcher(table, self.sdk, store)

    def call(self, who: Tenant, ability_id: str, data: str = "{}", notify_id: str = "") -> Any:
        call = Call(corpid=who[0], agentid=who[1], call_type=CallType.APP, ability_id=ability_id, data=data)
        text = self._kernel.dispatch(replace(call, notify_id=notify_id)).text
        assert all(self.owners[int(mark)] == who for mark in MARK.findall(text)), "another's byte"
        return json.loads(text)

    def event(self, who: Tenant) -> tuple[dict[str, Any], Any]:
        number = next(self._marks)
        self.owners[number] = who
        event = {"event_type": "hit_keyword", "timestamp": 5, "hit_keyword": {"token": f"mark-{number}-"}}
        call = Call(corpid=who[0], agentid=who[1], call_type=CallType.EVENT, data=json.dumps(event))
        text = self._kernel.dispatch(call).text
        assert "mark-" not in text
        return event, json.loads(text)


tenants = st.tuples(st.sampled_from(["ww1", "ww2", "WW1", "ww1\x00", "ww1:7", ""]), st.sampled_from([7, 77, 0, -1]))
notify_ids = st.sampled_from(["a", "b", "7:a", "a\x00", "A"])


class Machine(RuleBasedStateMachine):
    """Sends events and fetches them in the name of everybody, and knows what each must get."""

    def __init__(self, table: AbilityTable, store: Store, clock: ManualClock) -> None:
        super().__init__()
        self._clock, self._store = clock, store
        self._notify_id = "a"
        self._zone = MarkedZone(table, store, lambda: self._notify_id)
        self._ttl = table.registry.program.notify_ttl
        self._stored: dict[tuple[Tenant, str], tuple[dict[str, Any], float]] = {}

    def teardown(self) -> None:
        self._store.close()

    @rule(who=tenants, notify_id=notify_ids, refuses=st.booleans())
    def receive_event(self, who: Tenant, notify_id: str, refuses: bool) -> None:
        self._notify_id, self._zone.sdk.refuses = notify_id, refuses
        event, reply = self._zone.event(who)
        assert (reply == OK) is not refuses
        assert self._zone.sdk.notified.pop() == notify_id
        self._stored[who, notify_id] = event, self._clock() + self._ttl

    @rule(who=tenants, notify_id=notify_ids, ability_id=st.sampled_from(list(FETCHES)))
    def fetch(self, who: Tenant, notify_id: str, ability_id: str) -> None:
        """Get what is the tenant's own and has not expired, and nothing else."""
        event, expiry = self._stored.get((who, notify_id), ({}, 0.0))
        reply = self._zone.call(who, ability_id, FETCHES[ability_id], notify_id)
        assert reply == (event if expiry > self._clock() else NOT_FOUND)

    @rule(who=tenants, data=st.data())
    def fetch_what_somebody_has(self, who: Tenant, data: st.DataObject) -> None:
        if self._stored:
            (_, notify_id) = data.draw(st.sampled_from(sorted(self._stored)))
            self.fetch(who, notify_id, "get_callback_data")

    @rule(who=tenants, notify_id=notify_ids)
    def name_another_in_the_request(self, who: Tenant, notify_id: str) -> None:
        wanted = json.dumps({"corpid": "ww1", "agentid": 7, "notify_id": notify_id})
        assert self._zone.call(who, "get_callback_data", wanted, notify_id)["errcode"] == 710660

    @rule(who=tenants)
    def ask_the_platform(self, who: Tenant) -> None:
        assert self._zone.call(who, "invoke_sync_msg")["next_cursor"] == f"{who[0]}/{who[1]}"

    @rule(minutes=st.integers(1, 25))
    def let_time_pass(self, minutes: int) -> None:
        self._clock.advance(minutes * 60)


Opener = Callable[[], tuple[Store, ManualClock]]


@pytest.fixture(params=["sqlite", "redis"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """What opens an empty store and the clock that it goes by."""
    if request.param == "redis":
        with local_redis(tmp_path, "--appendonly", "no") as server:

            def redis() -> tuple[Store, ManualClock]:
                server.run("FLUSHALL")
                return open_store(server.url), RewindingClock(server)

            yield redis
    else:
        numbers = iter(range(10_000))

        def local() -> tuple[Store, ManualClock]:
            clock = ManualClock()
            return open_store(f"sqlite:{tmp_path / f'{next(numbers)}.db'}", clock=clock), clock

        yield local


def test_nobody_gets_anothers_byte_whatever_happens_in_whatever_order(opened: Opener) -> None:
    """In each of the stores the same, so that few examples do."""

    class ThisMachine(Machine):
        def __init__(self) -> None:
            super().__init__(reference_table(), *opened())

    limits = settings(stateful_step_count=30, deadline=None)
    run_state_machine_as_test(ThisMachine, settings=limits)


def test_nobody_gets_anothers_byte_while_all_call_at_once(opened: Opener) -> None:
    store, _ = opened()
    zone = MarkedZone(reference_table(), store, lambda: "the same for all")

    def work(number: int) -> int:
        who = (f"ww{number % 4}", number // 4)
        for _ in range(25):
            event, reply = zone.event(who)
            assert reply == OK
            assert zone.call(who, "get_callback_data", "{}", "the same for all") == event
            assert zone.call(who, "invoke_sync_msg")["next_cursor"] == f"{who[0]}/{who[1]}"
            assert zone.call(who, "chat_digest")["next_cursor"] == f"{who[0]}/{who[1]}"
        return number

    assert in_threads(work, 16) == list(range(16))
    store.close()
