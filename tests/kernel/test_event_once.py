"""The name of an event, and own code that runs once for it: the app is notified again while the event is stored."""

import json
from contextlib import closing

from tests.stores.suites.rig import ManualClock
from tests.support.events import HIT, NOTIFY, Archived, EventProgram, no_code, running, with_code
from tests.support.jobs import Wrapped
from tests.support.kernel import reference_table
from tests.support.sdk import OK, MemorySdk, network_failure
from wwspec_contracts.events import hit_keyword
from wwspec_router import AsyncEventContext, EventContext
from wwspec_router.kernel.intake import ONCE_TTL
from wwspec_router.stores import open_store
from wwspec_router.stores.base import Store
from wwspec_router.stores.capacity import StoreLimits
from wwspec_router.stores.kept import KeptKey, KeptValue

ACCEPTED = {"errcode": 0, "errmsg": "ok"}
LATER = HIT.replace('"timestamp":5', '"timestamp":6')


def test_the_name_of_an_event_is_the_same_in_each_run_and_for_the_same_text(store: Store) -> None:
    seen: list[str] = []

    def handler(event: hit_keyword.Event, ctx: EventContext) -> None:
        seen.append(ctx.event_key)
        if ctx.attempt == 1:
            raise LookupError

    with running(with_code(handler), store) as program:
        for _ in range(2):
            program.event()
            program.wait_done()
    assert len(seen) == 4, "without once, code runs for each coming"
    assert len(set(seen)) == 1
    assert store.forget("corp").kept == 0
    assert len(bytes.fromhex(seen[0])) == 32


def test_code_runs_once_and_the_app_gets_the_first_notify_id_again(shared: Store) -> None:
    runs: list[str] = []

    async def handler(event: hit_keyword.Event, ctx: AsyncEventContext) -> None:
        runs.append(ctx.event_key)

    with running(with_code(handler, once=True), shared) as program:
        for _ in range(3):
            assert program.event() == ACCEPTED
            program.wait_done()
        assert program.notified == ["notify-0"] * 3
        assert shared.figures().rows == 1
        for changes in ({"data": LATER}, {"corpid": "other"}, {"agentid": 8}):
            assert program.event(**changes) == ACCEPTED
            program.wait_done()
    assert len(runs) == len(set(runs)) == 4


def test_a_repeat_is_accepted_without_a_notification_when_the_event_is_stored_no_more() -> None:
    clock = ManualClock()
    with closing(open_store("memory:", clock=clock)) as store:
        program = EventProgram(with_code(no_code, once=True), store)
        program.event()
        clock.advance(reference_table().registry.program.notify_ttl)
        assert program.event() == ACCEPTED
        assert program.notified == ["notify-0"]
        assert store.job_figures().waiting == 1


def test_with_after_the_app_is_notified_again_only_when_the_code_has_ended(shared: Store) -> None:
    def handler(event: hit_keyword.Event) -> Archived:
        return Archived(messages=4)

    table = with_code(handler, notify="after", once=True)
    program = EventProgram(table, shared)
    for _ in range(2):
        assert program.event() == ACCEPTED
    assert program.notified == []
    assert shared.job_figures().waiting == 1
    with running(table, shared, program.sdk) as runner:
        runner.wait_done()
        assert program.event() == ACCEPTED
    assert program.notified == ["notify-0", "notify-0"]
    assert program.stored("notify-0")["hit_keyword_result"] == {"messages": 4}


def test_with_never_a_repeat_notifies_nobody(store: Store) -> None:
    program = EventProgram(with_code(no_code, notify="never", once=True), store)
    for _ in range(2):
        assert program.event() == ACCEPTED
    assert program.notified == []
    assert store.job_figures().waiting == 1


def test_a_repeat_of_an_event_of_which_the_app_could_not_be_notified_notifies_it(store: Store) -> None:
    sdk = MemorySdk({NOTIFY: network_failure(NOTIFY)})
    program = EventProgram(with_code(no_code, once=True), store, sdk)
    assert program.event()["errcode"] != 0
    sdk.replies[NOTIFY] = lambda request: OK
    assert program.event() == ACCEPTED
    assert program.notified[-1] == "notify-0"
    assert store.job_figures().waiting == 1


def test_an_event_is_known_for_five_days() -> None:
    assert ONCE_TTL == 5 * 86_400
    clock = ManualClock()
    with closing(open_store("memory:", clock=clock)) as store:
        program = EventProgram(with_code(no_code, once=True), store)
        program.event()
        clock.advance(ONCE_TTL - 1)
        program.event()
        assert store.job_figures().waiting == 1
        clock.advance(1)
        program.event()
        assert store.job_figures().waiting == 2


def test_an_event_that_finds_no_room_for_its_name_is_refused_and_nothing_is_stored() -> None:
    with closing(open_store("memory:", StoreLimits(max_kept_bytes_of_corp=10))) as store:
        program = EventProgram(with_code(no_code, once=True), store)
        assert program.event()["errmsg"] == "the event could not be stored"
        assert (store.figures().rows, store.job_figures().waiting) == (0, 0)
        assert program.notified == []


def test_an_event_of_a_corp_that_was_forgotten_is_a_new_one(store: Store) -> None:
    program = EventProgram(with_code(no_code, once=True), store)
    program.event()
    store.forget("corp")
    assert program.event() == ACCEPTED
    assert store.job_figures().waiting == 1
    assert json.loads(HIT) == program.stored("notify-1")


def test_an_event_whose_first_coming_is_forgotten_while_a_repeat_is_taken_is_not_lost() -> None:
    with closing(open_store("memory:")) as store:
        program = EventProgram(with_code(no_code, once=True), store)
        program.event()

        def forget_and_read(key: KeptKey) -> KeptValue | None:
            store.forget("corp")
            return store.read_kept(key)

        late = EventProgram(with_code(no_code, once=True), Wrapped(store, "read_kept", forget_and_read))
        assert late.event() == ACCEPTED
        assert store.job_figures().waiting == 1
