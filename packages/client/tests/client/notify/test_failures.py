"""What handlers may do wrong, and that nothing of it ends a receiver or loses an event."""

import asyncio
import ctypes
import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from tests.client.notify.stand import CORPID, QUICK, ServerKind, Stand, fetched, of_kind
from tests.client.notify.test_receiver import HIT
from tests.client.scripted import answer
from tests.support.tables import for_each
from tests.support.waiting import wait_until
from wwspec_client import NotifyEvent, NotifyPolicy
from wwspec_client.notify.models import Stage
from wwspec_client.stores import MemoryPendingStore, Pending, SqlitePendingStore
from wwspec_contracts.errors import StoreError


class Unspeakable(BaseException):
    """Raises whatever one does with it."""

    def __str__(self) -> str:
        raise SystemExit

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]
        raise KeyboardInterrupt


ERRORS: list[BaseException] = [
    SystemExit(1),
    KeyboardInterrupt(),
    GeneratorExit(),
    StopIteration(),
    StopAsyncIteration(),
    asyncio.CancelledError(),
    BaseExceptionGroup("all", [SystemExit(2), asyncio.CancelledError()]),
    RecursionError(),
    Unspeakable(),
]


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("form", ["wsgi", "asgi", "async"])
def test_whatever_a_handler_raises_counts_for_its_event_only(form: str) -> None:
    got: list[str] = []

    def plain(event: NotifyEvent) -> None:
        if event.attempt == 1 and event.notify_id.isdigit():
            raise ERRORS[int(event.notify_id)]
        got.append(event.notify_id)

    names = [*map(str, range(len(ERRORS))), "other"]
    handler = of_kind("asgi", plain) if form == "async" else plain
    with Stand("wsgi" if form == "wsgi" else "asgi", [HIT], handler=handler) as stand:
        for name in names:
            assert stand.notify(name).status_code == 200
        wait_until(lambda: sorted(got) == sorted(names))
        assert stand.receiver.problems() == []
        assert stand.failed() == []


def test_the_reason_and_the_log_show_no_value_of_a_statement(caplog: pytest.LogCaptureFixture) -> None:
    value = "the-private-key"

    def handler(event: NotifyEvent) -> None:
        engine = create_engine("sqlite://")
        try:
            with engine.begin() as connection:
                connection.execute(text("INSERT INTO private_keys VALUES (:key)"), {"key": value})
        except SQLAlchemyError as error:
            raise RuntimeError("the keys can't be stored") from error
        finally:
            engine.dispose()

    with Stand("wsgi", [HIT], handler=handler, policy=NotifyPolicy(handler_attempts=1)) as stand:
        stand.notify("n1")
        assert stand.given_up().reason == "RuntimeError: the keys can't be stored"
    assert "no such table: private_keys" in caplog.text
    assert value not in caplog.text


def test_a_handler_whose_task_is_cancelled_fails_alone() -> None:
    got: list[tuple[str, int]] = []

    async def handler(event: NotifyEvent) -> None:
        got.append((event.notify_id, event.attempt))
        if event.attempt > 1:
            return
        if event.notify_id == "child":
            child = asyncio.create_task(asyncio.sleep(60))
            child.cancel()
            await child
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(60)

    with Stand("asgi", [HIT], handler=handler) as stand:
        for name in ("child", "own"):
            assert stand.notify(name).status_code == 200
        wait_until(lambda: len(got) == 4)
        assert stand.notify("child").status_code == 200
    assert sorted(got) == [("child", 1), ("child", 2), ("own", 1), ("own", 2)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_is_named_and_replaced(caplog: pytest.LogCaptureFixture) -> None:
    with Stand("wsgi", [HIT]) as stand:
        worker = next(thread for thread in threading.enumerate() if thread.name == "wwspec-notify-4")
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(worker.ident or 0), ctypes.py_object(SystemExit))
        wait_until(lambda: not worker.is_alive())
        wait_until(lambda: "wwspec-notify-4 has ended; another one takes its place" in caplog.text)
        wait_until(lambda: stand.receiver.problems() == [])
        stand.notify("n1")
        stand.handled(1)
    assert stand.receiver.problems() == ["the receiver is not started in this process"]


def test_a_handler_that_hangs_is_logged_and_tried_again_while_others_go_on(
    kind: ServerKind, release: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    got: list[tuple[str, int]] = []

    def handler(event: NotifyEvent) -> None:
        if event.notify_id == "hangs" and event.attempt == 1:
            wait_for_ever(release)
        got.append((event.notify_id, event.attempt))

    policy = NotifyPolicy(first_pause=0.0, handler_limit=1.0, grace=0.0)
    with Stand(kind, [HIT], handler=handler, policy=policy) as stand:
        stand.notify("hangs")
        wait_until(lambda: "handler of notification hangs has been running on" in caplog.text)
        stand.notify("other")
        wait_until(lambda: sorted(got) == [("hangs", 2), ("other", 1)])
        [problem] = stand.receiver.problems()
        assert problem.startswith("the handler of notification hangs hangs at")
        release.set()
        wait_until(lambda: stand.receiver.problems() == [])
    [line] = [record.getMessage() for record in caplog.records if record.name == "wwspec_contracts.support.watchdog"]
    assert "it counts as failed; it is at" in line
    assert "test_failures.py" in line
    assert "wait_for_ever" in line


def wait_for_ever(release: threading.Event) -> None:
    release.wait()


def test_an_async_handler_that_hangs_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    got: list[object] = []

    async def sleep_for_ever() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            got.append("cancelled")

    async def handler(event: NotifyEvent) -> None:
        if event.attempt == 1:
            await sleep_for_ever()
        got.append(event.attempt)

    with Stand("asgi", [HIT], handler=handler, policy=NotifyPolicy(first_pause=0.0, handler_limit=0.2)) as stand:
        stand.notify("n1")
        wait_until(lambda: len(got) == 2)
        assert stand.receiver.problems() == []
    assert got == ["cancelled", 2]
    assert "on the event loop" in caplog.text
    assert "sleep_for_ever" in caplog.text


def test_an_event_whose_handler_always_hangs_is_given_up(kind: ServerKind, release: threading.Event) -> None:
    def handler(event: NotifyEvent) -> None:
        release.wait()

    policy = replace(QUICK, handler_limit=0.01, grace=0.0)
    with Stand(kind, [HIT], handler=handler, policy=policy) as stand:
        stand.notify("n1")
        row = stand.given_up()
    assert (row.reason, row.attempts) == ("TimeoutError: it took longer than 0.01 s", 6)


def test_an_event_that_has_ended_its_process_too_often_is_given_up_without_another_call(kind: ServerKind) -> None:
    store = MemoryPendingStore()
    store.add(fetched("n1", attempts=36))
    with Stand(kind, [HIT], store=store) as stand:
        wait_until(stand.failed)
        assert stand.events == []


def test_any_text_of_an_error_is_stored_and_shown(kind: ServerKind, tmp_path: Path) -> None:
    def handler(event: NotifyEvent) -> None:
        raise ValueError("\ud800\x1b[2J\n中")

    store = SqlitePendingStore(tmp_path / "pending.db")
    with Stand(kind, [HIT], handler=handler, store=store, policy=replace(QUICK, handler_attempts=2)) as stand:
        stand.notify("n1")
        row = stand.given_up()
    assert (row.reason, row.attempts) == (r"ValueError: \ud800\x1b[2J\n中", 2)


def test_a_store_that_fails_is_no_handler_that_fails(kind: ServerKind, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(MemoryPendingStore):
        fails = 1

        def put(self, row: Pending) -> None:
            if row.stage is Stage.FETCHED and row.attempts and self.fails:
                self.fails -= 1
                raise StoreError("the disk is full")
            super().put(row)

    with Stand(kind, [HIT], store=Failing()) as stand:
        stand.notify("n1")
        assert stand.handled(1)[0].attempt == 1
    errors = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(each.getMessage(), each.exc_info) for each in errors] == [("notification n1: the disk is full", None)]


def test_workers_outlive_a_store_that_can_not_be_read(kind: ServerKind, caplog: pytest.LogCaptureFixture) -> None:
    class Away(MemoryPendingStore):
        is_away = True

        def claim(self, stage: Stage, now: float, until: float) -> Pending | None:
            if self.is_away:
                raise StoreError("the disk is away")
            return super().claim(stage, now, until)

    store = Away()
    with Stand(kind, [HIT], store=store) as stand:
        wait_until(lambda: "the disk is away" in caplog.text)
        store.is_away = False
        stand.notify("n1")
        stand.handled(1)


def test_what_is_given_up_is_reported_to_the_app(kind: ServerKind, caplog: pytest.LogCaptureFixture) -> None:
    failed: list[Pending] = []

    def on_failed(row: Pending) -> None:
        failed.append(row)
        raise SystemExit

    with Stand(kind, [answer(710646, "illegal notify_id")], on_failed=of_kind(kind, on_failed)) as stand:
        stand.notify("n1")
        wait_until(lambda: "notification n1: on_failed failed" in caplog.text)
        assert stand.failed() == failed
        assert failed[0].stage is Stage.FAILED
        assert stand.receiver.problems() == []
    assert "notification n1 is given up after 1 attempts to fetch it; retry() tries again: " in caplog.text


def test_a_handler_that_fails_is_called_again_for_half_an_hour() -> None:
    policy = NotifyPolicy()
    pauses = [policy.pause(attempts) for attempts in range(1, policy.handler_attempts)]
    assert pauses == [1, 2, 4, 8, 16, 32] + [60] * 29


class Skipping(MemoryPendingStore):
    """Keeps how long each row pauses, and sets the clock to the pause's end."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.pauses: list[tuple[Stage, int, float]] = []

    def put(self, row: Pending) -> None:
        super().put(row)
        self.pauses.append((row.stage, row.attempts, row.due - self.now))
        self.now = max(self.now, row.due)


def test_an_event_waits_for_as_long_as_the_policy_says(kind: ServerKind, caplog: pytest.LogCaptureFixture) -> None:
    """An attempt is stored before the handler is called, which may end the process."""
    stored: list[tuple[int, str]] = []

    def fails(event: NotifyEvent) -> None:
        row = store.get((CORPID, event.notify_id))
        assert row is not None
        stored.append((row.attempts, row.reason))
        raise ValueError("no database")

    store, policy = Skipping(), NotifyPolicy(first_pause=3.0, longest_pause=5.0, handler_attempts=2)
    outcomes = [answer(710674, "down"), answer(710674, "down"), HIT]
    with Stand(kind, outcomes, handler=fails, policy=policy, store=store, clock=lambda: store.now) as stand:
        stand.notify("n1", at=1000)
        wait_until(stand.failed)
    noted, fetched = ([row[1:] for row in store.pauses if row[0] is stage] for stage in (Stage.NOTED, Stage.FETCHED))
    assert noted == [(1, 3.0), (2, 5.0)]
    assert fetched == [(0, 0.0), (1, 3.0), (1, 3.0), (2, 5.0)]
    assert stored == [(number, "the process ended while the event was handled") for number in (1, 2)]
    assert "notification n1 is given up after 2 attempts to handle it; retry() tries again: " in caplog.text


@for_each([("9" * 5001, 413), ("0" * 5001, 413), *((text, 400) for text in ("-1", "+5", "0x10", "5 5", "5,6"))])
def test_a_length_that_is_none_or_too_long_is_refused_in_one_line(
    length: str, status: int, kind: ServerKind, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    with Stand(kind, [HIT]) as stand:
        assert stand.http.post("/callback", content=b"x", headers={"content-length": length}).status_code == status
    assert len(caplog.records) == (status == 413)


def test_a_function_for_receive_ids_may_refuse_and_fail(kind: ServerKind) -> None:
    def accepts(receive_id: str) -> bool:
        if answers[0] is None:
            raise SystemExit
        return bool(answers[0])

    answers: list[bool | None] = [False]
    with Stand(kind, [HIT], receive_id=of_kind(kind, accepts)) as stand:
        assert stand.notify("n1").status_code == 403
        answers[0] = None
        assert stand.notify("n1").status_code == 500
        answers[0] = True
        assert stand.notify("n1").status_code == 200
        stand.handled(1)


def test_a_function_for_receive_ids_that_returns_a_coroutine_on_threads_accepts_nothing() -> None:
    async def accepts(receive_id: str) -> bool:
        return True

    with Stand("wsgi", [HIT], receive_id=lambda receive_id: accepts(receive_id)) as stand:
        assert stand.notify("n1").status_code == 500


def test_a_receiver_that_was_started_before_a_fork_takes_nothing_in_the_child() -> None:
    with Stand("wsgi", [HIT]) as stand:
        child = os.fork()
        if child == 0:
            os._exit(0 if stand.notify("n1").status_code == 503 else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert stand.notify("n2").status_code == 200, "the parent takes them"
        assert stand.receiver.problems() == []


def test_a_row_that_was_given_up_with_an_event_of_no_type_is_tried_again_when_the_app_asks_for_it() -> None:
    store, now = MemoryPendingStore(), time.time()
    row = fetched("n1", stage=Stage.FAILED, noted=now, due=now, attempts=36, event="{}")
    store.add(row)
    with Stand("wsgi", [HIT], store=store) as stand:
        assert stand.retry(row)
        assert stand.handled(1)[0].attempt == 1
