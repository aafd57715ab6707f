"""Abilities that run once for each key."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import wwspec_router
from tests.support.apps import ROOT
from tests.support.crashes import INTERNAL
from tests.support.kernel import app_call, with_handler
from tests.support.once import BY_ID, EMPTY, Order, Orders, Receipt, job_call, run_job
from tests.support.processes import UNMEASURED
from tests.support.redis_server import local_redis
from tests.support.sdk import MemorySdk
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.errors import AbilityError
from wwspec_router.handlers.ability import ability
from wwspec_router.handlers.context import AsyncContext
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.kernel.once import MOST_WAITING
from wwspec_router.registry.file import OnceRow
from wwspec_router.stores import Store, open_store

pytestmark = pytest.mark.never_lost

PROCESS = Path(__file__).with_name("once_process.py")
ENVIRONMENT = {
    **os.environ,
    **UNMEASURED,
    "PYTHONPATH": os.pathsep.join((str(ROOT), str(Path(wwspec_router.__file__).parents[1]))),
}
RUNNING = {"errcode": 710661, "errmsg": "the same call is still running, repeat it later"}


@pytest.fixture
def orders(pool: ThreadPoolExecutor) -> Iterator[Orders]:
    """They end before the threads on which they run."""
    placed = Orders()
    yield placed
    placed.go.set()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(MOST_WAITING + 8) as threads:
        yield threads


def place(kernel: Dispatcher, data: str = '{"order":{"id":"a"}}', **more: Any) -> Any:
    return json.loads(kernel.dispatch(app_call("place_order", data, **more)).text)


def begin(pool: ThreadPoolExecutor, orders: Orders, kernel: Dispatcher) -> Future[Any]:
    orders.go.clear()
    orders.begun.clear()
    first = pool.submit(place, kernel)
    assert orders.begun.wait(DEADLINE)
    return first


def test_a_repeat_gets_the_reply_that_was_kept(orders: Orders, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    kernel = orders.kernel(store)
    assert place(kernel) == {"errcode": 0, "errmsg": "ok", "number": 1}
    assert place(kernel)["number"] == place(orders.kernel(store))["number"] == 1
    assert orders.runs == 1
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_an_async_handler_runs_once(store: Store) -> None:
    runs: list[str] = []

    @ability
    async def place_order(request: Order, ctx: AsyncContext) -> Receipt:
        runs.append(ctx.corpid)
        return Receipt(number=len(runs))

    kernel = Dispatcher(with_handler(EMPTY, place_order, once=BY_ID), MemorySdk(), store)
    assert place(kernel) == place(kernel) == {"errcode": 0, "errmsg": "ok", "number": 1}
    assert runs == ["corp"]


def test_a_call_of_another_corp_app_or_key_runs(orders: Orders, store: Store) -> None:
    kernel = orders.kernel(store)
    calls: list[dict[str, Any]] = [
        {},
        {"corpid": "corp2"},
        {"agentid": 8},
        {"data": '{"order":{"id":"b"}}'},
        {"data": '{"order":{"id":"1"}}'},
    ]
    assert [place(kernel, **each)["number"] for each in calls] == [1, 2, 3, 4, 5]
    assert [place(kernel, **each)["number"] for each in calls] == [1, 2, 3, 4, 5]


def test_a_reply_is_kept_for_its_ttl(orders: Orders, store: Store) -> None:
    kernel = orders.kernel(store, OnceRow(key="order.id", ttl=0.05))
    place(kernel)
    wait_until(lambda: place(kernel)["number"] == 2)


@pytest.mark.parametrize(
    "again",
    [
        ' { "sent_at" : 5 , "order" : { "price" : 2 , "parts" : [ 1 ] , "id" : "a" } } ',
        '{"order":{"id":"\\u0061","price":2.00,"parts":[1]},"sent_at":5}',
        '{"order":{"id":"a","price":20e-1,"parts":[1]},"sent_at":5}',
    ],
)
@pytest.mark.parametrize("key", ["*", "order", "order.price"])
def test_request_that_is_only_written_otherwise_is_a_repeat(orders: Orders, store: Store, key: str, again: str) -> None:
    kernel = orders.kernel(store, OnceRow(key=key))
    first = place(kernel, '{"order":{"id":"a","price":2.0,"parts":[1]},"sent_at":5}')
    assert place(kernel, again) == first
    assert orders.runs == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ids=st.lists(st.text(max_size=3), min_size=2, max_size=2),
    prices=st.lists(st.floats(0, 4) | st.integers(0, 4), min_size=2, max_size=2),
    parts=st.lists(st.lists(st.integers(0, 2), max_size=2), min_size=2, max_size=2),
)
def test_equal_requests_are_one(store: Store, ids: list[str], prices: list[float], parts: list[list[int]]) -> None:
    store.forget("corp")
    orders = Orders()
    kernel = orders.kernel(store, OnceRow(key="*"))
    one, other = ({"order": {"id": ids[number], "price": prices[number], "parts": parts[number]}} for number in (0, 1))
    place(kernel, json.dumps(one))
    place(kernel, json.dumps(other, indent=1, sort_keys=True))
    assert orders.runs == (1 if one == other else 2)


@pytest.mark.parametrize("data", ["{}", '{"order":{}}', '{"order":{"id":""}}', '{"sent_at":1,"order":{"price":1}}'])
def test_a_request_without_the_key_is_refused_with_its_path(orders: Orders, store: Store, data: str) -> None:
    reply = place(orders.kernel(store), data)
    assert reply["errcode"] == 710660
    assert reply["errmsg"].startswith("input contract: missing value, by which the ability recognises a repeated call")
    assert reply["errmsg"].endswith(" at $.order.id")
    assert orders.runs == store.forget("corp").replies == 0


@pytest.mark.parametrize("runs", [True, False], ids=["while it runs", "afterwards"])
def test_a_key_of_another_call_is_refused(orders: Orders, store: Store, pool: ThreadPoolExecutor, runs: bool) -> None:
    kernel = orders.kernel(store)
    first = begin(pool, orders, kernel)
    if not runs:
        orders.go.set()
        first.result(DEADLINE)
    assert place(kernel, '{"order":{"id":"a","price":3}}') == {
        "errcode": 710660,
        "errmsg": "input contract: this key came with another request before; a new request needs a key of its own "
        "at $.order.id",
    }
    orders.go.set()
    assert first.result(DEADLINE)["number"] == 1
    assert orders.runs == 1


@pytest.mark.parametrize("key", ["order.id", "*"])
def test_repeats_may_differ_in_what_is_ignored(orders: Orders, store: Store, key: str) -> None:
    kernel = orders.kernel(store, OnceRow(key=key, ignore=["sent_at", "order.price"]))
    place(kernel, '{"order":{"id":"a","price":1},"sent_at":1}')
    assert place(kernel, '{"order":{"id":"a"},"sent_at":2}')["number"] == 1


@pytest.mark.parametrize("failure", [AbilityError("sold out", errcode=9), ValueError(), 9])
def test_a_call_that_failed_runs_again(orders: Orders, store: Store, failure: BaseException | int) -> None:
    kernel = orders.kernel(store)
    orders.failures = [failure]
    assert place(kernel)["errcode"] in (9, 710660)
    assert place(kernel)["number"] == 2
    assert place(kernel)["number"] == 2


@pytest.mark.parametrize("failure", [AbilityError("no 秘密", errcode=9), AbilityError("secret"), ValueError(), 9])
def test_an_error_is_kept_where_the_registry_says_so(
    orders: Orders, store: Store, failure: BaseException | int, caplog: pytest.LogCaptureFixture
) -> None:
    kernel = orders.kernel(store, OnceRow(key="order.id", keep_errors=True))
    orders.failures = [failure]
    first = place(kernel)
    assert first["errcode"] != 0
    caplog.clear()
    repeated = place(kernel)
    assert repeated == (INTERNAL if isinstance(failure, ValueError) else first)
    assert orders.runs == 1
    assert first["errmsg"] == "ok" or first["errmsg"] not in caplog.text


@pytest.mark.parametrize("same_process", [True, False], ids=["here", "in another process"])
def test_repeats_wait_for_the_call(orders: Orders, shared: Store, pool: ThreadPoolExecutor, same_process: bool) -> None:
    kernel = orders.kernel(shared)
    first = begin(pool, orders, kernel)
    repeats = [pool.submit(place, kernel if same_process else orders.kernel(shared)) for _ in range(3)]
    assert not [each for each in repeats if each.done()]
    orders.go.set()
    assert [each.result(DEADLINE) for each in repeats] == [first.result(DEADLINE)] * 3
    assert orders.runs == 1


@pytest.mark.parametrize("same_process", [True, False], ids=["here", "in another process"])
def test_a_repeat_that_can_not_wait_until_the_end_is_refused_within_its_deadline(
    orders: Orders, shared: Store, pool: ThreadPoolExecutor, same_process: bool
) -> None:
    """The call runs longer than its lease, which its process renews."""
    lease, timeout = 1.5, 2.5
    kernel = orders.kernel(shared, lease=lease)
    first = begin(pool, orders, kernel)
    hurried = kernel if same_process else orders.kernel(shared)
    call = app_call("place_order", '{"order":{"id":"a"}}')
    began = monotonic()
    route = hurried.route(call)
    reply = hurried.answer(call, route, type(route)(route.label, route.function, timeout).deadline(began))
    assert json.loads(reply.text) == RUNNING
    assert reply.errcode == 710661
    assert lease < monotonic() - began < DEADLINE / 2
    orders.go.set()
    assert first.result(DEADLINE)["number"] == orders.runs == 1


def test_more_repeats_than_may_wait_are_refused_at_once(orders: Orders, store: Store, pool: ThreadPoolExecutor) -> None:
    kernel = orders.kernel(store)
    first = begin(pool, orders, kernel)
    repeats = [pool.submit(place, kernel) for _ in range(MOST_WAITING + 1)]
    wait_until(lambda: any(each.done() for each in repeats))
    [refused] = [each.result() for each in repeats if each.done()]
    assert refused == RUNNING
    orders.go.set()
    first.result(DEADLINE)
    assert [each.result(DEADLINE) for each in repeats].count(first.result()) == MOST_WAITING


@pytest.mark.parametrize("same_process", [True, False], ids=["here", "in another process"])
def test_a_repeat_that_waits_runs_when_the_first_call_fails(
    orders: Orders, shared: Store, pool: ThreadPoolExecutor, same_process: bool
) -> None:
    kernel = orders.kernel(shared)
    orders.failures = [AbilityError("sold out")]
    first = begin(pool, orders, kernel)
    repeat = pool.submit(place, kernel if same_process else orders.kernel(shared))
    orders.go.set()
    assert first.result(DEADLINE)["errmsg"] == "sold out"
    assert repeat.result(DEADLINE)["number"] == 2


def test_a_late_reply_is_kept_for_the_repeat(orders: Orders, store: Store, pool: ThreadPoolExecutor) -> None:
    kernel = orders.kernel(store, timeout=1.0)
    first = begin(pool, orders, kernel)
    deadline = monotonic() + 1.0
    wait_until(lambda: monotonic() > deadline)
    orders.go.set()
    assert first.result(DEADLINE)["errmsg"] == "the ability took longer than its timeout"
    assert place(kernel)["number"] == 1


def test_a_job_begins_again_in_spite_of_its_own_claim(orders: Orders, shared: Store, pool: ThreadPoolExecutor) -> None:
    """The first process hangs, so that its claim lives on; what it answers at last changes nothing."""
    call = app_call("place_order", '{"order":{"id":"a"}}')
    orders.go.clear()
    first = pool.submit(run_job, orders.kernel(shared, lease=60.0), job_call(call, 1))
    assert orders.begun.wait(DEADLINE)
    other = orders.kernel(shared, timeout=1.0)
    assert place(other) == RUNNING
    orders.begun.clear()
    second = pool.submit(run_job, other, job_call(call, 2))
    assert orders.begun.wait(DEADLINE)
    orders.go.set()
    numbers = [json.loads(each.result(DEADLINE).text)["number"] for each in (first, second)]
    assert numbers == [1, 2]
    assert place(other)["number"] == 2
    assert json.loads(run_job(other, job_call(call, 3)).text)["number"] == 2


def test_another_job_waits_like_any_repeat(orders: Orders, shared: Store, pool: ThreadPoolExecutor) -> None:
    call = app_call("place_order", '{"order":{"id":"a"}}')
    orders.go.clear()
    first = pool.submit(run_job, orders.kernel(shared), job_call(call, 1))
    assert orders.begun.wait(DEADLINE)
    other = pool.submit(run_job, orders.kernel(shared), job_call(call, 2, "another job"))
    orders.go.set()
    assert first.result(DEADLINE).text == other.result(DEADLINE).text
    assert orders.runs == 1


def test_no_call_runs_while_the_store_fails(orders: Orders, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    kernel = orders.kernel(store)
    store.close()
    assert place(kernel) == {"errcode": 710660, "errmsg": "the claim of the call could not be stored"}
    assert orders.runs == 0
    assert "the store is closed" in caplog.text


def test_a_store_that_is_back_keeps_the_reply(orders: Orders, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with local_redis(tmp_path) as server, closing(open_store(server.url)) as store:
        kernel = orders.kernel(store)
        orders.on_run = server.kill
        assert place(kernel)["number"] == 1
        orders.on_run = lambda: None
        assert place(kernel)["errmsg"] == "the claim of the call could not be stored"
        server.start()
        wait_until(lambda: server.run("GET", "{zone-program}:once:bytes") not in (None, b"0"))
        assert place(kernel)["number"] == orders.runs == 1
    assert "is not kept yet, and tried again" in caplog.text


def test_a_call_that_ended_has_no_second_side_effect_whenever_its_process_is_killed(url: str, tmp_path: Path) -> None:
    """Steps: claim, claimed, side effect, done, keep, kept. The others free the key when the lease is over."""
    stores = [f"{url}-{step}" if url.startswith("sqlite:") else f"{url}?prefix={step}" for step in range(6)]
    files = [tmp_path / str(step) for step in range(6)]
    arguments = [str(each) for step in range(6) for each in (stores[step], files[step], step)]
    killed = subprocess.run(
        [sys.executable, str(PROCESS), *arguments],
        env=ENVIRONMENT,
        timeout=DEADLINE,
        check=True,
        stdout=subprocess.PIPE,
    )
    assert [int(each) for each in killed.stdout.split()] == [-signal.SIGKILL] * 6
    runs = {step: path.read_text().count("ran") if path.exists() else 0 for step, path in enumerate(files)}
    assert runs == {0: 0, 1: 0, 2: 0, 3: 1, 4: 1, 5: 1}
    found = {}
    for step, each in enumerate(stores):
        orders = Orders()
        with closing(open_store(each)) as store:
            found[step] = [place(orders.kernel(store))["number"] for _ in range(3)], orders.runs
    assert found == {step: ([1, 1, 1], 0 if step == 5 else 1) for step in range(6)}
