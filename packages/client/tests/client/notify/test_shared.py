"""Several receivers over the rows of one file, as processes share it: each row has one worker, and none is lost."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.client.notify.stand import CORPID, QUICK, Failing, ServerKind, Stand, fetched
from tests.client.notify.test_on_other import APPROVAL, ticket
from tests.client.notify.test_receiver import HIT
from tests.support.async_store import AsyncStore
from tests.support.waiting import wait_until
from wwspec_client import NotifyEvent, NotifyReceiver
from wwspec_client.stores import MemoryPendingStore, Pending, SqlitePendingStore, Stage
from wwspec_contracts.errors import StoreError

Form = Callable[[Any], Any]


def same(store: Any) -> Any:
    return store


FORMS: list[tuple[ServerKind, Form]] = [("wsgi", same), ("asgi", same), ("asgi", AsyncStore)]
Process = Callable[..., Stand]
LEASE = replace(QUICK, lease=30.0)


class Held:
    """A handler that works until it is let go, and fails then if it shall."""

    def __init__(self, error: type[Exception] | None = None) -> None:
        self.calls: list[str] = []
        self.release = threading.Event()
        self._error = error

    def __call__(self, event: NotifyEvent) -> None:
        self.calls.append(event.notify_id)
        self.release.wait()
        if self._error is not None:
            raise self._error


@pytest.fixture(params=FORMS, ids=["wsgi", "asgi", "async"])
def process(request: pytest.FixtureRequest, path: Path) -> Process:
    """Makes a receiver over the file."""
    kind, form = request.param
    return lambda store=SqlitePendingStore, **options: Stand(kind, [HIT], store=form(store(path)), **options)


def test_two_processes_handle_each_event_and_each_callback_once(process: Process, store: SqlitePendingStore) -> None:
    got: list[str] = []
    options = {"handler": lambda event: got.append(event.notify_id), "concurrency": 2}
    options["on_other"] = lambda callback: got.append(callback.fields["TimeStamp"])
    with ExitStack() as processes:
        stands = [processes.enter_context(process(**options)) for _ in range(2)]
        for number in range(10):
            for each in stands:  # the copy comes to the other process
                assert each.notify(f"n{number}").status_code == 200
                assert each.post(ticket(number)).text == "success"
        wait_until(lambda: len(got) >= 20)
        assert [each.failed() for each in stands] == [[], []]
    assert Counter(got) == Counter([*(f"n{number}" for number in range(10)), *(f"{number}" for number in range(10))])
    now = time.time()
    released = [store.claim(Stage.DONE, now, now + 30) for _ in range(20)]
    assert None not in released


def test_what_a_process_had_that_has_crashed_is_handled_when_its_lease_is_over(
    process: Process, store: SqlitePendingStore
) -> None:
    now = [1000.0]
    store.add(fetched("n1"))
    store.add(fetched("n2"))
    assert store.claim(Stage.FETCHED, now[0], now[0] + 30) is not None
    with process(clock=lambda: now[0]) as stand:
        assert [event.notify_id for event in stand.handled(1)] == ["n2"]
        now[0] += 29
        stand.notify("n3", at=now[0])
        assert [event.notify_id for event in stand.handled(2)] == ["n2", "n3"]
        now[0] += 1
        stand.handled(3)
    assert stand.events[2].notify_id == "n1"


def test_a_process_that_works_for_longer_than_its_lease_keeps_the_row(
    process: Process, store: SqlitePendingStore
) -> None:
    now, handler = [1000.0], Held()
    renewed: list[float] = []

    class Renewed(SqlitePendingStore):
        def renew(self, keys: Any, until: float) -> Any:
            found = super().renew(keys, until)
            renewed.append(until)
            return found

    store.add(fetched("n1"))
    with process(Renewed, handler=handler, policy=LEASE, clock=lambda: now[0]) as stand:
        wait_until(lambda: handler.calls)
        for _ in range(2):
            now[0] += 15
            stand.receiver._core.wake()
            wait_until(lambda: now[0] + 30 in renewed)
        assert store.claim(Stage.FETCHED, now[0] + 29, now[0] + 90) is None
        handler.release.set()
        wait_until(lambda: store.due(Stage.DONE, now[0], 1))
    assert handler.calls == ["n1"]


def test_what_becomes_of_a_row_that_another_process_has_got_is_not_stored(
    process: Process, store: SqlitePendingStore, caplog: pytest.LogCaptureFixture
) -> None:
    """A machine that sleeps, such as one that is moved, misses its renewals."""
    now, handler = [1000.0], Held(ValueError)
    store.add(fetched("n1"))
    with process(handler=handler, policy=LEASE, clock=lambda: now[0]):
        wait_until(lambda: handler.calls)
        assert store.claim(Stage.FETCHED, now[0] + 31, now[0] + 61) is not None  # what pauses it is over by then
        now[0] += 31
        done = fetched("n1", stage=Stage.DONE, event="")
        store.put(done)
        store.release(done.key)
        handler.release.set()
        wait_until(lambda: "took longer than its lease was renewed" in caplog.text)
    assert store.get(done.key) == done
    assert handler.calls == ["n1"]


def test_a_row_whose_lease_was_not_renewed_in_time_has_no_second_worker_in_its_process(kind: ServerKind) -> None:
    now, handler = [1000.0], Held()
    claimed: list[float] = []

    class NotRenewed(MemoryPendingStore):
        def claim(self, stage: Stage, now: float, until: float) -> Pending | None:
            found = super().claim(stage, now, until)
            claimed.extend([now] * (found is not None))
            return found

        def renew(self, keys: Any, until: float) -> Any:
            raise StoreError("the database is away")

    store = NotRenewed()
    store.add(fetched("n1", due=now[0]))
    options = {"handler": handler, "concurrency": 2, "policy": LEASE, "clock": lambda: now[0]}
    with Stand(kind, [HIT], store=store, **options) as stand:
        wait_until(lambda: handler.calls)
        now[0] += 31
        stand.receiver._core.wake()
        wait_until(lambda: now[0] in claimed)
        handler.release.set()
        wait_until(lambda: store.due(Stage.DONE, now[0], 1))
    assert handler.calls == ["n1"]


def test_a_corp_that_is_forgotten_while_its_event_is_handled_stays_forgotten(
    process: Process, store: SqlitePendingStore
) -> None:
    handler = Held(ValueError)
    store.add(fetched("n1"))
    with process(handler=handler) as stand:
        wait_until(lambda: handler.calls)
        assert store.forget(CORPID) == 1
        handler.release.set()
        stand.notify("n2", ToUserName="other")
        wait_until(lambda: store.get(("other", "n2")) is not None)
    assert store.get((CORPID, "n1")) is None


def test_a_store_that_can_not_release_costs_no_row(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(SqlitePendingStore):
        fails = 2

        def release(self, key: Any) -> None:
            if self.fails:
                self.fails -= 1
                raise StoreError("the database is away")
            super().release(key)

    now = [time.time()]
    with process(Failing, policy=LEASE, clock=lambda: now[0]) as stand:
        stand.notify("n1", at=now[0])
        wait_until(lambda: "notification n1: the database is away" in caplog.text)
        assert stand.events == []
        now[0] += 31
        stand.handled(1)


def test_a_loop_over_events_has_its_row_until_it_ends(path: Path, store: SqlitePendingStore) -> None:
    for number in (1, 2):
        store.add(fetched(f"n{number}"))
    with Stand("wsgi", [HIT], handler=None, store=SqlitePendingStore(path)) as stand:
        assert isinstance(stand.receiver, NotifyReceiver)
        events = stand.receiver.events()
        assert next(events).notify_id == "n1"
        now = time.time()
        assert store.claim(Stage.FETCHED, now, now + 30) == fetched("n2")
        del events
        assert next(stand.receiver.events()).notify_id == "n1"


def test_callbacks_that_are_given_up_are_tried_again_in_any_process(process: Process) -> None:
    fails_twice = Failing(2)
    options = {"on_other": fails_twice, "policy": replace(QUICK, handler_attempts=2)}
    with ExitStack() as processes:
        one, another = (processes.enter_context(process(**options)) for _ in range(2))
        one.post(APPROVAL)
        assert another.retry(another.given_up())
        wait_until(lambda: len(fails_twice.given) == 3)
        wait_until(lambda: not one.failed())
