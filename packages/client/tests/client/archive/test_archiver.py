"""The archiver: each message of each corp once, whatever ends, is lost, fails or comes twice."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import create_engine, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from tests.client.archive.conftest import Start
from tests.client.archive.world import Clock, CrashError, Machine, Tenants, archived
from tests.support.tables import for_each
from wwspec_client.archive import Archiver, AsyncArchiver
from wwspec_client.models import MessageGap
from wwspec_client.sql.tables import CURSORS
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.testing.zone import Zone


def test_all_messages_of_all_corps_are_stored_once(start: Start, url: str, tenants: Tenants) -> None:
    first, second = start(pull={"limit": 8}), start(pull={"limit": 8})
    assert first.run_due() == 3
    assert second.run_due() == 0
    rows = archived(url)
    assert len(rows) == len(set(rows)) == 60
    assert {corpid for corpid, _ in rows} == set(tenants.corpids)


def test_a_notification_of_one_corp_is_pulled_by_any_machine_and_a_lost_one_is_found_later(
    start: Start, url: str, tenants: Tenants, clock: Clock
) -> None:
    receiver, worker = start(), start()
    worker.run_due()
    notified, lost, _ = tenants.corpids
    for corpid in (notified, lost):
        tenants.say(corpid)
    receiver.on_event(tenants.event(notified))
    worker.stored.clear()
    assert worker.run_due() == 1
    assert worker.stored == [(notified, 1)]
    clock.now += 60
    assert worker.run_due() == 3
    assert worker.stored == [(notified, 1), (lost, 1)]
    assert len(archived(url)) == len(set(archived(url))) == 62


def raising(error: BaseException) -> Callable[[object], None]:
    def fails(page: object) -> None:
        raise error

    return fails


def crash_of(machine: Machine) -> None:
    """Let a machine end while the app stores a page."""

    machine.on_store = raising(CrashError())
    with pytest.raises(BaseException):  # noqa: B017 - the crash, or the group of it
        machine.run_due()


def test_a_crash_between_store_and_commit_loses_nothing_and_the_corp_comes_back_after_its_lease(
    start: Start, url: str, tenants: Tenants, clock: Clock
) -> None:
    first, second = start(concurrency=1), start()
    crash_of(first)
    [(crashed, _)] = first.stored
    assert archived(url) == []
    assert second.run_due() == 2
    assert crashed not in dict(second.stored)
    clock.now += 29
    assert second.run_due() == 0
    clock.now += 2
    assert second.run_due() == 1
    rows = archived(url)
    assert len(rows) == len(set(rows)) == 60


def test_the_rows_of_a_page_that_the_app_fails_to_store_are_rolled_back_and_come_again(
    start: Start, url: str, tenants: Tenants, clock: Clock
) -> None:
    errors: list[tuple[str, Exception]] = []
    machine = start(corps=tenants.corpids[:1], on_error=lambda *failure: errors.append(failure))
    broken = ValueError("the text of a message")

    machine.on_store = raising(broken)
    assert (machine.run_due(), archived(url)) == (1, [])
    assert errors == [(tenants.corpids[0], broken)]
    machine.on_store = lambda page: None
    clock.now += 7
    assert machine.run_due() == 0
    clock.now += 2
    assert machine.run_due() == 1
    assert len(archived(url)) == len(set(archived(url))) == 20


def test_a_corp_whose_pulls_fail_waits_longer_each_time_and_others_go_on(
    start: Start, url: str, tenants: Tenants, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    machine = start()
    bad, *others = tenants.corpids
    tenants.refused.add(bad)
    assert machine.run_due() == 3
    assert {corpid for corpid, _ in archived(url)} == set(others)
    assert machine.status()[bad].failures == 1
    assert "LookupError at world.py" in machine.status()[bad].error
    assert f"corp {bad}: attempt 1: LookupError at world.py" in caplog.text
    machine.on_event(tenants.event(bad))  # does not end the pause
    assert machine.run_due() == 0
    clock.now += 8
    assert machine.run_due() == 1
    clock.now += 15
    assert machine.run_due() == 0
    tenants.refused.clear()
    machine.pull_soon(bad)
    assert machine.run_due() == 1
    assert (machine.status()[bad].failures, machine.status()[bad].error) == (0, "")
    assert len(archived(url)) == 60


@pytest.mark.parametrize(("ahead", "pulled"), [(24 * 3600, 1), (29, 0)])
def test_a_machine_that_dies_in_a_pull_keeps_its_corp_for_a_lease_unless_its_clock_is_further_ahead(
    start: Start, url: str, tenants: Tenants, clock: Clock, ahead: int, pulled: int
) -> None:
    clock.now += ahead
    crash_of(start(corps=tenants.corpids[:1]))
    clock.now -= ahead
    assert start(corps=tenants.corpids[:1]).run_due() == pulled
    assert len(archived(url)) == len(set(archived(url))) == 20 * pulled


def test_a_corp_beyond_the_limit_of_pulls_is_pulled_again_after_a_minute(
    start: Start, tenants: Tenants, zone: Zone, clock: Clock
) -> None:
    corpid = tenants.corpids[0]
    zone.client.add_fault("sdk", "errcode", "sync_msg", 45009, count=1)
    machine = start(corps=[corpid])
    assert machine.run_due() == 1
    clock.now += 59
    assert machine.run_due() == 0
    clock.now += 1
    assert machine.run_due() == 1
    assert machine.status()[corpid].failures == 0


def test_a_corp_whose_cause_on_error_removes_is_pulled_again_at_once(start: Start, url: str, tenants: Tenants) -> None:
    corpid = tenants.corpids[0]
    tenants.refused.add(corpid)
    other = start()

    def repair(corpid: str, error: Exception) -> None:
        tenants.refused.discard(corpid)
        other.pull_soon(corpid)

    assert start(corps=[corpid], on_error=repair).run_due() == 2
    assert len(archived(url)) == 20


@pytest.mark.parametrize("turn", [{"pages": 2}, {"seconds": 2.0}])
def test_a_corp_with_a_backlog_takes_turns_with_the_others(
    start: Start, url: str, tenants: Tenants, clock: Clock, turn: dict[str, Any]
) -> None:
    machine = start(concurrency=1, pull={"limit": 5}, **turn)

    def take_a_second(page: object) -> None:
        clock.now += 1

    machine.on_store = take_a_second
    assert machine.run_due() == 6
    turns = [corpid for corpid, _ in machine.stored]
    assert turns[:6] == [each for each in tenants.corpids for _ in range(2)]
    assert sorted(turns) == sorted(tenants.corpids * 4)
    assert len(archived(url)) == len(set(archived(url))) == 60


@pytest.mark.parametrize("pages", [0, 1])
def test_a_corp_that_is_forgotten_while_it_is_pulled_is_stored_no_more(
    start: Start, url: str, tenants: Tenants, pages: int
) -> None:
    gone = tenants.corpids[0]
    machine, other = start(corps=[gone], pull={"limit": 5}), start()

    def forget() -> None:
        if len(machine.stored) == pages:
            other.forget(gone)

    tenants.on_call = forget
    machine.run_due()
    assert len(archived(url)) == len(machine.stored) * 5 == pages * 5
    assert machine.status() == {}


def test_of_two_pulls_of_a_corp_the_one_that_is_late_stores_nothing_and_says_so_to_nobody(
    start: Start, url: str, tenants: Tenants, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A machine that stood still for longer than its lease: another one has pulled the corp meanwhile."""
    errors: list[object] = []
    corps = tenants.corpids[:1]
    slow, quick = (start(corps=corps, on_error=lambda *failure: errors.append(failure)) for _ in range(2))

    def stand_still() -> None:
        tenants.on_call = lambda: None
        clock.now += 31
        assert quick.run_due() == 1

    tenants.on_call = stand_still
    with caplog.at_level("INFO", "wwspec_client.archive"):
        slow.run_due()
    assert (len(slow.stored), len(quick.stored)) == (0, 1)
    assert len(archived(url)) == len(set(archived(url))) == 20
    assert errors == []
    assert [each.levelname for each in caplog.records if "quicker" in each.message] == ["INFO"]
    assert slow.status()[corps[0]].failures == 0


def test_a_lease_that_is_renewed_is_not_taken(start: Start, url: str, tenants: Tenants, clock: Clock) -> None:
    corps = tenants.corpids[:1]
    slow, other = start(corps=corps), start(corps=corps)
    turns: list[int] = []

    def take_long() -> None:
        for _ in range(6):
            clock.now += 10
            slow.run_due()  # the loop of a machine renews
            turns.append(other.run_due())

    tenants.on_call = take_long
    assert slow.run_due() == 1
    assert turns == [0] * 6
    assert len(archived(url)) == 20


def test_a_message_that_comes_while_a_corp_is_pulled_is_pulled_at_once(
    start: Start, url: str, tenants: Tenants
) -> None:
    corpid = tenants.corpids[0]
    machine, receiver = start(corps=[corpid]), start(corps=[corpid])

    def on_store(page: object) -> None:
        machine.on_store = lambda page: None
        tenants.say(corpid)

    def on_call() -> None:
        tenants.on_call = lambda: None
        receiver.on_event(tenants.event(corpid))
        assert receiver.run_due() == 0  # the corp is due, and another machine pulls it

    machine.on_store = on_store
    tenants.on_call = on_call
    assert machine.run_due() == 2
    assert len(archived(url)) == 21


def test_the_token_of_an_event_goes_with_pulls_for_ten_minutes(
    start: Start, zone: Zone, tenants: Tenants, clock: Clock
) -> None:
    corpid = tenants.corpids[0]
    token = zone.fire("conversation_new_message")["event"]["conversation_new_message"]["token"]
    machine = start(corps=[corpid])

    def tokens() -> list[bool]:
        return ["token" in each["request"] for each in zone.client.traffic(kind="sdk") if each["name"] == "sync_msg"]

    machine.on_event(tenants.event(corpid, token, timestamp=int(clock.now) - 60))
    machine.run_due()
    clock.now += 539
    machine.run_due()
    clock.now += 60
    machine.run_due()
    assert tokens() == [True, True, False]


def test_other_events_are_left_to_the_app(start: Start, tenants: Tenants) -> None:
    machine = start(corps=None)
    event = tenants.event(tenants.corpids[0])
    assert not machine.on_event(replace(event, event_type="hit_keyword", data={}))
    assert machine.status() == {}
    assert machine.on_event(event)
    assert list(machine.status()) == tenants.corpids[:1]


def test_a_corp_that_is_listed_no_more_is_not_pulled_and_goes_on_where_it_was_when_it_is_back(
    start: Start, url: str, tenants: Tenants, clock: Clock
) -> None:
    corps = list(tenants.corpids)
    machine = start(corps=lambda: corps)
    machine.run_due()
    gone = corps.pop()
    clock.now += 60
    assert machine.run_due() == 2
    assert list(machine.status()) == corps
    corps.append(gone)
    tenants.say(gone)
    clock.now += 60
    assert machine.run_due() == 3
    assert len(archived(url)) == len(set(archived(url))) == 61


def test_a_gap_is_told_with_its_corp_and_fails_the_pull_without_on_gap(
    start: Start, url: str, tenants: Tenants, clock: Clock
) -> None:
    gaps: list[tuple[str, MessageGap]] = []
    corpid, *_ = corps = tenants.corpids[:1]
    strict, lenient = start(corps=corps), start(corps=corps, on_gap=lambda *gap: gaps.append(gap))
    strict.run_due()
    engine = create_engine(url)
    with engine.begin() as connection:
        assert connection.execute(update(CURSORS).values(covered_until=1_000)).rowcount == 1
    engine.dispose()
    clock.now += 60
    assert strict.run_due() == 1
    assert strict.status()[corpid].error.startswith("MessageGapError: messages that were sent from 1970-01-01")
    strict.pull_soon(corpid)
    assert lenient.run_due() == 1
    [(of, gap)] = gaps
    assert (of, gap.since.year) == (corpid, 1970)
    assert lenient.status()[corpid].failures == 0
    assert len(archived(url)) == 20


def test_an_error_of_the_database_in_store_is_told_without_the_values_of_its_statement(
    start: Start, url: str, tenants: Tenants, caplog: pytest.LogCaptureFixture
) -> None:
    machine = start(corps=tenants.corpids[:1])
    machine.on_store = raising(IntegrityError("INSERT", {"text": "a message"}, ValueError("a message")))
    machine.run_due()
    error = machine.status()[tenants.corpids[0]].error
    assert re.fullmatch("IntegrityError at test_archiver.py:.*the database refuses with ValueError", error)
    assert "a message" not in caplog.text


def test_a_store_function_that_commits_is_an_error(start: Start, url: str, tenants: Tenants) -> None:
    machine = start(corps=tenants.corpids[:1])
    machine.commits = True
    machine.run_due()
    assert "store() has ended the transaction" in machine.status()[tenants.corpids[0]].error


@for_each(
    [
        ({"pages": 0}, "pages and concurrency are 1 or more"),
        ({"concurrency": 0}, "pages and concurrency are 1 or more"),
        ({"every": 0}, "every, seconds and lease more than 0 seconds"),
        ({"seconds": 0}, "more than 0 seconds"),
        ({"lease": 0}, "more than 0 seconds"),
        ({"pull": {"token": ""}}, "pull: token: the archiver sets this itself"),
        ({"name": ""}, "name has 1 to 64 bytes"),
        ({"names": ""}, "names"),
    ]
)
def test_options_out_of_their_range_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises((ConfigurationError, TypeError), match=text):
        Archiver(lambda corpid: corpid, create_engine("sqlite://"), lambda page, transaction: None, **options)  # type: ignore[arg-type, return-value]


def test_one_client_is_for_the_corp_that_it_names(zone: Zone, url: str, tenants: Tenants) -> None:
    first, second, _ = tenants.corpids
    engine = create_engine(url)
    with tenants.client(first) as client:
        archiver = Archiver(client, engine, lambda page, transaction: None)
        assert archiver.on_event(tenants.event("another name of the corp"))
        assert archiver.run_due() == 1
        assert [each.corpid for each in archiver.status()] == [first]
        with pytest.raises(ConfigurationError, match="one client is for one corp"):
            Archiver(client, engine, lambda page, transaction: None, corps=[first, second])
        nameless = zone.app_client(tokens=client.access_token)
        with nameless, pytest.raises(ConfigurationError, match="does not name its corp"):
            Archiver(nameless, engine, lambda page, transaction: None)
    engine.dispose()


def test_an_engine_or_function_of_the_other_kind_is_refused(url: str, tenants: Tenants) -> None:
    async def store(page: object, transaction: object) -> None:
        raise NotImplementedError

    anything: Any = create_engine(url)
    with pytest.raises(ConfigurationError, match="goes with AsyncArchiver"):
        Archiver(tenants.client, anything, store)
    with pytest.raises(ConfigurationError, match="needs an AsyncEngine"):
        AsyncArchiver(tenants.async_client, anything, store)
    anything = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
    with pytest.raises(ConfigurationError, match="needs an Engine"):
        Archiver(tenants.client, anything, lambda page, transaction: None)
