"""Several receivers over one store, as machines share a database: each row has one worker, and none is lost."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from tests.client.notify.shared_rows import AsyncSharedStore, SharedRows, SharedStore
from tests.client.notify.stand import CORPID, QUICK, ServerKind, Stand
from tests.client.notify.test_on_other import APPROVAL, ticket
from tests.client.notify.test_receiver import HIT
from tests.support.waiting import wait_until
from wwspec_router.callbacks import Callback
from wwspec_router.client import Notification, NotifyEvent, NotifyReceiver, Pending, Stage
from wwspec_router.errors import ConfigurationError, StoreError

Open = Callable[[SharedRows], Any]
FORMS: list[tuple[ServerKind, Open]] = [("wsgi", SharedStore), ("asgi", SharedStore), ("asgi", AsyncSharedStore)]
forms = pytest.mark.parametrize(("kind", "store_of"), FORMS, ids=["wsgi", "asgi", "async"])
LEASE = replace(QUICK, lease=30.0)


def fetched(notify_id: str, **changes: Any) -> Pending:
    """Return a row whose event waits to be handled."""
    notification = Notification(corpid=CORPID, notify_id=notify_id)
    event = '{"event_type": "hit_keyword", "timestamp": 5, "hit_keyword": {"token": "t"}}'
    row = Pending(notification=notification, stage=Stage.FETCHED, noted=1.0, due=1.0, event=event)
    return replace(row, **changes)


@forms
def test_two_machines_handle_each_event_and_each_callback_once(kind: ServerKind, store_of: Open) -> None:
    shared, got = SharedRows(), []
    options = {"handler": lambda event: got.append(event.notify_id), "concurrency": 2}
    options["on_other"] = lambda callback: got.append(callback.fields["TimeStamp"])
    with ExitStack() as machines:
        stands = [machines.enter_context(Stand(kind, [HIT], store=store_of(shared), **options)) for _ in range(2)]
        for number in range(30):
            for machine in stands:  # the copy comes to the other machine
                assert machine.notify(f"n{number}").status_code == 200
                assert machine.post(ticket(number)).text == "success"
        wait_until(lambda: len(got) >= 60)
        assert [machine.failed() for machine in stands] == [[], []]
    assert Counter(got) == Counter([*(f"n{number}" for number in range(30)), *(f"{number}" for number in range(30))])
    assert {row.stage for row in shared.rows._rows.values()} == {Stage.DONE}
    assert shared.held == {}


@forms
def test_what_a_machine_had_that_has_crashed_is_handled_when_its_lease_is_over(
    kind: ServerKind, store_of: Open
) -> None:
    shared, now = SharedRows(), [1000.0]
    crashed = SharedStore(shared)
    crashed.add(fetched("n1"))
    crashed.add(fetched("n2"))
    assert crashed.claim(Stage.FETCHED, now[0], now[0] + 30) is not None
    with Stand(kind, [HIT], store=store_of(shared), clock=lambda: now[0]) as stand:
        assert [event.notify_id for event in stand.handled(1)] == ["n2"]
        now[0] += 29
        stand.notify("n3", at=now[0])
        assert [event.notify_id for event in stand.handled(2)] == ["n2", "n3"]
        now[0] += 1
        stand.handled(3)
    assert stand.events[2].notify_id == "n1"


@forms
def test_a_machine_that_works_for_longer_than_its_lease_keeps_the_row(kind: ServerKind, store_of: Open) -> None:
    shared, now, release = SharedRows(), [1000.0], threading.Event()
    calls: list[str] = []

    def handler(event: NotifyEvent) -> None:
        calls.append(event.notify_id)
        release.wait()

    SharedStore(shared).add(fetched("n1"))
    with Stand(kind, [HIT], handler=handler, store=store_of(shared), policy=LEASE, clock=lambda: now[0]) as stand:
        wait_until(lambda: calls)
        for _ in range(2):
            now[0] += 15
            stand.receiver._core.ring()
            wait_until(lambda: shared.held[CORPID, "n1"][1] == now[0] + 30)
        assert SharedStore(shared).claim(Stage.FETCHED, now[0] + 29, now[0] + 90) is None
        release.set()
        wait_until(lambda: shared.held == {})
    row = shared.rows.get((CORPID, "n1"))
    assert row is not None
    assert (row.stage, calls) == (Stage.DONE, ["n1"])


@forms
def test_what_becomes_of_a_row_that_another_machine_has_got_is_not_stored(
    kind: ServerKind, store_of: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """A machine that sleeps, such as one that is moved, misses its renewals."""
    shared, now, release = SharedRows(), [1000.0], threading.Event()
    calls: list[str] = []

    def fails(event: NotifyEvent) -> None:
        calls.append(event.notify_id)
        release.wait()
        raise ValueError

    SharedStore(shared).add(fetched("n1"))
    with Stand(kind, [HIT], handler=fails, store=store_of(shared), policy=LEASE, clock=lambda: now[0]):
        wait_until(lambda: calls)
        with shared.lock:  # the machine sleeps: nothing is renewed
            now[0] += 31
            other = SharedStore(shared)
            shared.held[CORPID, "n1"] = other, now[0] + 30
        done = fetched("n1", stage=Stage.DONE, event="")
        other.put(done)
        other.release(done.key)
        release.set()
        wait_until(lambda: "took longer than its lease was renewed" in caplog.text)
    assert shared.rows.get(done.key) == done
    assert calls == ["n1"]


@forms
def test_a_corp_that_is_forgotten_while_its_event_is_handled_stays_forgotten(kind: ServerKind, store_of: Open) -> None:
    shared, release = SharedRows(), threading.Event()
    calls: list[str] = []

    def fails(event: NotifyEvent) -> None:
        calls.append(event.notify_id)
        release.wait()
        raise ValueError

    store = SharedStore(shared)
    store.add(fetched("n1"))
    with Stand(kind, [HIT], handler=fails, store=store_of(shared)) as stand:
        wait_until(lambda: calls)
        assert store.forget(CORPID) == 1
        release.set()
        stand.notify("n2", ToUserName="other")
        wait_until(lambda: shared.rows.get(("other", "n2")) is not None)
    assert store.get((CORPID, "n1")) is None


@forms
def test_a_store_that_can_not_renew_or_release_costs_no_row(
    kind: ServerKind, store_of: Open, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(SharedStore):
        fails = 2

        def release(self, key: Any) -> None:
            if self.fails:
                self.fails -= 1
                raise StoreError("the database is away")
            super().release(key)

    shared, now = SharedRows(), [time.time()]
    with Stand(kind, [HIT], store=Failing(shared), policy=LEASE, clock=lambda: now[0]) as stand:
        stand.notify("n1", at=now[0])
        wait_until(lambda: "notification n1: the database is away" in caplog.text)
        assert stand.events == []
        now[0] += 31
        stand.handled(1)


def test_a_loop_over_events_has_its_row_until_it_ends() -> None:
    shared = SharedRows()
    for number in (1, 2):
        SharedStore(shared).add(fetched(f"n{number}"))
    with Stand("wsgi", [HIT], handler=None, store=SharedStore(shared)) as stand:
        assert isinstance(stand.receiver, NotifyReceiver)
        events = stand.receiver.events()
        assert next(events).notify_id == "n1"
        now = time.time()
        assert SharedStore(shared).claim(Stage.FETCHED, now, now + 30) == fetched("n2")
        del events
        assert next(stand.receiver.events()).notify_id == "n1"


def test_an_async_store_for_threads_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="store.open is an async function"):
        Stand("wsgi", [HIT], store=AsyncSharedStore(SharedRows()))


@forms
def test_callbacks_that_are_given_up_are_tried_again_on_any_machine(kind: ServerKind, store_of: Open) -> None:
    shared, calls = SharedRows(), []

    def fails_twice(callback: Callback) -> None:
        calls.append(callback.xml)
        if len(calls) < 3:
            raise ValueError

    policy = replace(QUICK, handler_attempts=2)
    with ExitStack() as machines:
        options = {"on_other": fails_twice, "policy": policy}
        one, other = (machines.enter_context(Stand(kind, [HIT], store=store_of(shared), **options)) for _ in range(2))
        one.post(APPROVAL)
        wait_until(other.failed)
        [row] = other.failed()
        assert other.retry(row)
        wait_until(lambda: len(calls) == 3)
        wait_until(lambda: not one.failed())
