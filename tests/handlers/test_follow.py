"""`ctx.follow`: each run gets what has come since the last one that ended well."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from time import time
from typing import Any

import msgspec
import pytest

from tests.handlers.contracts import Ask, Said
from tests.stores.suites.rig import ManualClock
from tests.support.events import EventProgram, running, with_code
from tests.support.jobs import Wrapped, fails
from tests.support.kernel import Kernel
from tests.support.sdk import MemorySdk
from tests.support.waiting import DEADLINE, Gate, wait_until
from wwspec_contracts import get_hit_msg_list, get_rule_list, sync_msg
from wwspec_contracts.errors import PostponedError, StoreError
from wwspec_contracts.events import hit_keyword
from wwspec_router import AsyncEventContext, Context, EventContext, ability
from wwspec_router.handlers.follow import WINDOW
from wwspec_router.jobs.executor import GIVE_UP_AFTER
from wwspec_router.monitoring.figures import EventCounts
from wwspec_router.stores import Store, open_store
from wwspec_router.stores.job import Job
from wwspec_router.stores.kept import KeptKey, KeptWrite

pytestmark = pytest.mark.never_lost

AT = 1_800_000_000
HIT = json.dumps({"event_type": "hit_keyword", "timestamp": AT, "hit_keyword": {"token": "t"}})
REQUEST = sync_msg.Request(token="t", limit=2)  # noqa: S106 - no secret
PLACE = KeptKey("corp", 7, "follow", "sync_msg:test")
OK = {"errcode": 0, "errmsg": "ok"}


class Archive:
    """A platform that has messages, and refuses pulls as a test says."""

    def __init__(self, *sent: int) -> None:
        self.sent = list(sent)
        self.asked: list[dict[str, Any]] = []
        self.refusals: list[int] = []
        self.refuses_token = False

    def __call__(self, request: str) -> str:
        asked = json.loads(request)
        self.asked.append(asked)
        if self.refusals and (errcode := self.refusals.pop(0)):
            return json.dumps({"errcode": errcode, "errmsg": "no"})
        if asked.get("token") and self.refuses_token:
            return '{"errcode":40058,"errmsg":"no"}'
        cursor = asked.get("cursor")
        begin = asked.get("begin_time", 0)
        start = int(cursor[1:]) if cursor else sum(each < begin for each in self.sent)
        end = min(len(self.sent), start + asked.get("limit", 200))
        messages = [{"msgid": f"m{number}", "send_time": self.sent[number]} for number in range(start, end)]
        more = int(end < len(self.sent))
        return json.dumps({**OK, "msg_list": messages, "has_more": more, "next_cursor": f"c{end}"})


@pytest.fixture
def archive() -> Archive:
    """Messages: one that is days old, and three about the event."""
    return Archive(AT - 90_000, AT - 5, AT - 4, AT - 3)


class Rig:
    """A program that follows an archive, and what its runs have seen."""

    def __init__(self, archive: Archive) -> None:
        self.sdk = MemorySdk({"sync_msg": archive})
        self.archive = archive
        self.seen: list[list[str]] = []
        """The messages of each run."""
        self.attempts: list[int] = []
        self.gaps: list[Any] = []
        self.after: Callable[[EventContext], None] = lambda ctx: None
        self.each: Callable[[Any], bool] = lambda pages: True
        self.start: Any = "now"

    def handle(self, ctx: EventContext) -> None:
        self.attempts.append(ctx.attempt)
        seen: list[str] = []
        pages = ctx.follow(REQUEST, name="test", start=self.start)
        for page in pages:
            seen += [each.msgid for each in page.msg_list]
            if not self.each(pages):
                break
        self.gaps.append(pages.gap)
        self.seen.append(seen)
        self.after(ctx)

    def running(self, store: Any, **options: Any) -> Any:
        def handle(event: hit_keyword.Event, ctx: EventContext) -> None:
            self.handle(ctx)

        row = {"retries": options.pop("retries", 3)}
        return running(with_code(handle, **row), store, self.sdk, **options)

    def run(self, store: Any, events: int = 1, **options: Any) -> EventProgram:
        """Run the program until it has handled so many events, one after the other."""
        with self.running(store, **options) as program:
            for _ in range(events):
                run_event(program)
        return program  # type: ignore[no-any-return]


@pytest.fixture
def rig(archive: Archive) -> Rig:
    return Rig(archive)


def run_event(program: EventProgram, data: str = HIT) -> None:
    before = program.figures.snapshot().events.ended
    assert program.event(data) == OK
    wait_until(lambda: program.figures.snapshot().events.ended > before)


def test_each_run_gets_what_has_come_since_the_one_before(rig: Rig, store: Store, archive: Archive) -> None:
    with rig.running(store) as program:
        run_event(program)
        archive.sent.append(AT + 1)
        run_event(program)
        run_event(program)
    assert rig.seen == [["m1", "m2", "m3"], ["m4"], []]
    assert archive.asked[0] == {"token": "t", "limit": 2, "begin_time": AT - 60}
    assert archive.asked[1] == {"token": "t", "limit": 2, "begin_time": AT - 60, "cursor": "c3"}
    assert archive.asked[2] == {"token": "t", "limit": 2, "cursor": "c4"}


@pytest.mark.parametrize(
    ("start", "first"), [("oldest", "m0"), (AT - 4, "m2"), (datetime.fromtimestamp(AT - 3, UTC), "m3"), ("now", "m1")]
)
def test_the_first_run_begins_where_start_says(rig: Rig, store: Store, start: Any, first: str) -> None:
    rig.start = start
    rig.run(store)
    assert rig.seen[0][0] == first


def test_a_run_that_fails_after_its_pages_gets_them_again(rig: Rig, store: Store) -> None:
    def fail_at_first(ctx: EventContext) -> None:
        if ctx.attempt == 1:
            raise ValueError

    rig.after = fail_at_first
    rig.run(store)
    assert rig.seen == [["m1", "m2", "m3"], ["m1", "m2", "m3"]]


def test_pages_come_again_when_the_end_of_the_run_could_not_be_stored(rig: Rig, store: Store) -> None:
    rig.run(Wrapped(store, "finish", fails(StoreError("full"))), events=2)
    assert rig.seen == [["m1", "m2", "m3"], ["m1", "m2", "m3"], []]


def test_a_page_that_the_loop_was_left_in_comes_again_unless_it_is_kept(rig: Rig, store: Store) -> None:
    rig.each = lambda pages: False
    with rig.running(store) as program:
        run_event(program)
        run_event(program)
        rig.each = lambda pages: pages.keep()
        run_event(program)
        run_event(program)
    assert rig.seen == [["m1", "m2"], ["m1", "m2"], ["m1", "m2"], ["m3"]]


def test_names_corps_and_apps_have_places_of_their_own(rig: Rig, store: Store) -> None:
    with rig.running(store) as program:
        run_event(program)
        for more in ({"corpid": "other"}, {"agentid": 8}):
            program.event(HIT, **more)
            program.wait_done()
    assert rig.seen == [["m1", "m2", "m3"]] * 3


def test_two_events_at_once_count_each_message_once(rig: Rig, store: Store, archive: Archive) -> None:
    gate = Gate()
    rig.after = gate.hold
    with rig.running(store, threads=8) as program:
        program.event(HIT)
        assert gate.begun.wait(DEADLINE)
        for _ in range(4):
            program.event(HIT)
        wait_until(lambda: len(rig.attempts) >= 8)  # the others come again and again
        archive.sent.append(AT + 1)
        gate.go_on.set()
        program.wait_done()
    assert sorted(rig.seen) == [[], [], [], ["m1", "m2", "m3"], ["m4"]]
    assert rig.attempts == [1] * len(rig.attempts), "to wait is no attempt"
    assert program.figures.snapshot().events == EventCounts(ended=5)


def test_a_run_that_waits_holds_no_thread(rig: Rig, store: Store) -> None:
    gate = Gate()

    def hold(ctx: EventContext) -> None:
        if ctx.corpid == "corp" and not gate.begun.is_set():
            gate.hold()

    rig.after = hold
    with rig.running(store, threads=2) as program:
        program.event(HIT)
        assert gate.begun.wait(DEADLINE)
        for _ in range(8):
            program.event(HIT)
        program.event(HIT, corpid="other")
        wait_until(lambda: program.figures.snapshot().events.ended == 1)  # with the only other thread
        gate.go_on.set()
        program.wait_done()


def test_a_lease_that_is_not_stored_postpones_the_job(rig: Rig, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    away = StoreError("0 of 1 replicas had this")
    program = rig.run(Wrapped(store, "claim_once", fails(away), times=3), retries=0)
    assert rig.seen == [["m1", "m2", "m3"]]
    assert rig.attempts == [1] * 4
    assert program.figures.snapshot().events == EventCounts(ended=1)
    assert " s: a lease could not be stored: 0 of 1 replicas had this" in caplog.text


@pytest.mark.parametrize("errcode", [-1, 45009, 45033])
def test_a_limit_of_wecom_postpones_the_job_and_is_no_attempt_and_no_error_of_the_log(
    rig: Rig, store: Store, archive: Archive, caplog: pytest.LogCaptureFixture, errcode: int
) -> None:
    caplog.set_level(logging.INFO)
    archive.refusals = [0, errcode, errcode, errcode, errcode, errcode]
    program = rig.run(store, retries=0)
    assert rig.seen == [["m1", "m2", "m3"]]
    assert rig.attempts == [1] * 6, "the first of them came as far as the second page"
    assert program.figures.snapshot().events == EventCounts(ended=1)
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []
    assert "runs later" in caplog.text


def test_a_handler_that_catches_the_postponement_is_run_later_all_the_same(store: Store, archive: Archive) -> None:
    seen: list[str] = []

    def handle(event: hit_keyword.Event, ctx: EventContext) -> None:
        try:
            seen.extend(each.msgid for page in ctx.follow(REQUEST, name="test") for each in page.msg_list)
        except PostponedError:
            ctx.kept.set("wrong", 1)

    archive.refusals = [45009]
    with running(with_code(handle), store, MemorySdk({"sync_msg": archive})) as program:
        run_event(program)
    assert seen == ["m1", "m2", "m3"]
    assert store.read_kept(KeptKey("corp", 7, "app", "wrong")) is None


@contextmanager
def with_old_job(age: float) -> Iterator[Store]:
    clock = ManualClock()
    with closing(open_store("memory:", clock=clock)) as store:
        store.add(Job(job_id="old", corpid="corp", agentid=7, event_type="hit_keyword", data=HIT, notify_id=""))
        clock.advance(age)
        yield store


def test_a_job_that_is_limited_for_a_day_is_given_up(rig: Rig, archive: Archive) -> None:
    archive.refusals = [45009]
    with with_old_job(GIVE_UP_AFTER + 1) as store, rig.running(store, retries=0) as program:
        wait_until(lambda: program.figures.snapshot().events.failed == 1)
        program.wait_done()
    assert len(rig.attempts) == 1


def test_a_token_that_wecom_refuses_is_left_out(rig: Rig, store: Store, archive: Archive) -> None:
    archive.refuses_token = True
    rig.run(store)
    assert rig.seen == [["m1", "m2", "m3"]]
    assert [each.get("token") for each in archive.asked] == ["t", None, None]


def test_a_token_of_more_than_ten_minutes_is_left_out(rig: Rig, archive: Archive) -> None:
    with with_old_job(601.0) as store, rig.running(store) as program:
        program.wait_done()
    assert rig.seen == [["m1", "m2", "m3"]]
    assert [each.get("token") for each in archive.asked] == [None, None]


def test_another_refusal_is_an_error_of_the_handler(rig: Rig, store: Store, archive: Archive) -> None:
    archive.refusals = [48002, 48002]  # with the token, and without it
    program = rig.run(store, retries=0)
    assert program.figures.snapshot().events == EventCounts(ended=1, failed=1)
    assert len(archive.asked) == 2


def put_place(store: Store, cursor: str, until: float) -> None:
    text = json.dumps({"cursor": cursor, "until": int(until)})
    store.write_kept([KeptWrite(key=PLACE, text=text, version="earlier")])


def test_a_place_older_than_five_days_is_a_gap(rig: Rig, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    until = time() - WINDOW - 100
    put_place(store, "c2", until)
    rig.run(store, events=2)
    assert rig.seen == [["m2", "m3"], []]
    gap, none = rig.gaps
    assert gap.since == datetime.fromtimestamp(int(until), UTC)
    assert abs(gap.until.timestamp() - (time() - WINDOW)) < 60
    assert none is None
    assert [each.getMessage() for each in caplog.records if "may be missing" in each.getMessage()]


def test_a_cursor_that_wecom_refuses_is_replaced_by_its_time(
    rig: Rig, store: Store, archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    archive.sent = [int(time()) - 4000, int(time()) - 100]
    put_place(store, "c9", time() - 50)
    archive.refusals = [710611]
    rig.run(store)
    assert rig.seen == [["m1"]]
    assert abs(archive.asked[1]["begin_time"] - (time() - 650)) < 60
    assert "cursor" not in archive.asked[1]
    assert "WeCom refuses the cursor" in caplog.text


def test_a_refused_cursor_older_than_five_days_is_replaced_by_all(rig: Rig, store: Store, archive: Archive) -> None:
    put_place(store, "c9", time() - WINDOW - 100)
    archive.refusals = [710611]
    rig.run(store)
    assert rig.seen == [["m0", "m1", "m2", "m3"]]
    assert rig.gaps[0] is not None


def test_a_run_that_lost_its_lease_stores_nothing_and_runs_again(rig: Rig, store: Store) -> None:
    def lose(ctx: EventContext) -> None:
        if ctx.attempt == 1:
            assert ctx.call.run is not None
            [claim] = ctx.call.run._claims.values()
            store.release_once(claim.key, claim.token)
            other = msgspec.structs.replace(claim, token="ff")  # noqa: S106 - no secret
            assert store.claim_once(other, 60.0) is None
            wait_until(lambda: ctx.call.run.has_lost_lease)
            store.release_once(other.key, other.token)

    rig.after = lose
    with rig.running(store) as program:
        program.dispatcher.leases._lease = 0.1  # it is renewed often
        run_event(program)
    assert rig.seen == [["m1", "m2", "m3"], ["m1", "m2", "m3"]]
    assert rig.attempts == [1, 2]


def test_a_place_that_another_run_has_moved_is_a_conflict(rig: Rig, store: Store) -> None:
    def move(ctx: EventContext) -> None:
        if ctx.attempt == 1:
            put_place(store, "c3", AT)

    rig.after = move
    program = rig.run(store)
    assert rig.seen == [["m1", "m2", "m3"], ["m3"]]
    assert program.figures.snapshot().events == EventCounts(ended=1, retried=1)


def test_an_archive_without_messages_and_cursor_begins_with_the_next_event(rig: Rig, store: Store) -> None:
    rig.sdk.replies["sync_msg"] = json.dumps({**OK, "msg_list": [], "has_more": 0, "next_cursor": ""})
    with rig.running(store) as program:
        run_event(program)
        assert store.read_kept(PLACE) is None
        rig.sdk.replies["sync_msg"] = rig.archive
        run_event(program)
    assert rig.seen == [[], ["m1", "m2", "m3"]]


def test_async_code_follows_as_well(store: Store, archive: Archive) -> None:
    seen: list[list[str]] = []

    async def handle(event: hit_keyword.Event, ctx: AsyncEventContext) -> None:
        pages = ctx.follow(REQUEST, name="test")
        seen.append([each.msgid async for page in pages for each in page.msg_list])
        assert pages.gap is None

    with running(with_code(handle), store, MemorySdk({"sync_msg": archive})) as program:
        run_event(program)
        archive.sent.append(AT + 1)
        run_event(program)
    assert seen == [["m1", "m2", "m3"], ["m4"]]


def test_hits_are_followed_and_pages_are_large_by_default(store: Store, archive: Archive) -> None:
    seen: list[str] = []

    def handle(event: hit_keyword.Event, ctx: EventContext) -> None:
        request = get_hit_msg_list.Request(token=event.hit_keyword.token)
        seen.extend(each.msgid for page in ctx.follow(request, name="test") for each in page.msg_list)

    sdk = MemorySdk({"get_hit_msg_list": archive})
    with running(with_code(handle), store, sdk) as program:
        run_event(program)
    assert seen == ["m1", "m2", "m3"]
    assert [each["limit"] for each in archive.asked] == [1000]


def test_a_synchronous_call_neither_follows_nor_has_steps_nor_tells_once(kernel_with: Callable[..., Kernel]) -> None:
    errors: list[str] = []

    @ability
    def act(request: Ask, ctx: Context) -> Said:
        once = partial(ctx.notify, Ask(), once="alert")
        for use in (lambda: ctx.follow(REQUEST, name="test"), lambda: ctx.step("s", int), once):
            with pytest.raises(RuntimeError) as caught:
                use()
            errors.append(str(caught.value))
        return Said()

    assert kernel_with(act).call("act")["errcode"] == 0
    because = "works in asynchronous calls and in code on events: a synchronous call has no job"
    assert errors == [f"ctx.{what} {because}" for what in ("follow", "step", "notify with once")]


@pytest.mark.parametrize(
    ("request_", "name", "error", "text"),
    [
        (
            get_rule_list.Request(),
            "test",
            TypeError,
            "get_rule_list can't be followed.*sync_msg and get_hit_msg_list do",
        ),
        (sync_msg.Request(cursor="c"), "test", ValueError, "leave out cursor and begin_time"),
        (sync_msg.Request(begin_time=5), "test", ValueError, "leave out cursor and begin_time"),
        (sync_msg.Request(), "", ValueError, "the name of what follows has 1 to"),
    ],
)
def test_a_wrong_follow_is_refused(store: Store, request_: Any, name: str, error: type[Exception], text: str) -> None:
    ran = threading.Event()

    def handle(event: hit_keyword.Event, ctx: EventContext) -> None:
        with pytest.raises(error, match=text):
            ctx.follow(request_, name=name)
        ran.set()

    with running(with_code(handle, retries=0), store) as program:
        run_event(program)
    assert ran.is_set()
