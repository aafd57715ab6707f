"""The archiver: each message of each corp once, whatever ends, is lost, fails or comes twice."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import create_engine, update
from sqlalchemy.exc import IntegrityError

from tests.client.archive.world import CrashError, Machine, Rig, Tenants, archived
from wwspec_client.archive import Archiver
from wwspec_client.models import MessageGap
from wwspec_client.sql.tables import CURSORS
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.testing.zone import Zone


def test_a_notification_of_one_corp_is_pulled_by_any_machine_and_a_lost_one_is_found_later(rig: Rig) -> None:
    receiver, worker = rig.start(), rig.start()
    worker.run_due()
    notified, lost, _ = rig.corpids
    for corpid in (notified, lost):
        rig.say(corpid)
    receiver.on_event(rig.event(notified))
    worker.stored.clear()
    assert worker.run_due() == 1
    assert worker.stored == [(notified, 1)]
    rig.clock.now += 60
    assert worker.run_due() == 3
    assert worker.stored == [(notified, 1), (lost, 1)]
    assert rig.stored() == 62


def raising(error: BaseException) -> Callable[[object], None]:
    def fails(page: object) -> None:
        raise error

    return fails


def crash_of(machine: Machine) -> None:
    """Let a machine end while the app stores a page."""
    machine.on_store = raising(CrashError())
    with pytest.raises(BaseException):  # noqa: B017 - the crash, or the group of it
        machine.run_due()


def test_a_crash_between_store_and_commit_loses_nothing_and_the_corp_comes_back_after_its_lease(rig: Rig) -> None:
    first, second = rig.start(concurrency=1), rig.start()
    crash_of(first)
    [(crashed, _)] = first.stored
    assert rig.stored() == 0
    assert second.run_due() == 2
    assert crashed not in dict(second.stored)
    rig.clock.now += 29
    assert second.run_due() == 0
    rig.clock.now += 2
    assert second.run_due() == 1
    assert rig.stored() == 60


def test_the_rows_of_a_page_that_the_app_fails_to_store_are_rolled_back_and_come_again(rig: Rig) -> None:
    errors: list[tuple[str, Exception]] = []
    machine = rig.start(corps=rig.corpids[:1], on_error=lambda *failure: errors.append(failure))
    broken = ValueError("the text of a message")
    machine.on_store = raising(broken)
    assert (machine.run_due(), rig.stored()) == (1, 0)
    assert errors == [(rig.corpids[0], broken)]
    machine.on_store = lambda page: None
    rig.clock.now += 7
    assert machine.run_due() == 0
    rig.clock.now += 2
    assert machine.run_due() == 1
    assert rig.stored() == 20


def test_a_corp_whose_pulls_fail_waits_longer_each_time_and_others_go_on(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    machine = rig.start()
    bad, *others = rig.corpids
    rig.refused.add(bad)
    assert machine.run_due() == 3
    assert {corpid for corpid, _ in archived(rig.url)} == set(others)
    assert machine.status()[bad].failures == 1
    assert "LookupError at world.py" in machine.status()[bad].error
    assert f"corp {bad}: attempt 1: LookupError at world.py" in caplog.text
    machine.on_event(rig.event(bad))  # does not end the pause
    assert machine.run_due() == 0
    rig.clock.now += 8
    assert machine.run_due() == 1
    rig.clock.now += 15
    assert machine.run_due() == 0
    rig.refused.clear()
    machine.pull_soon(bad)
    assert machine.run_due() == 1
    assert (machine.status()[bad].failures, machine.status()[bad].error) == (0, "")
    assert rig.stored() == 60


@pytest.mark.parametrize(("ahead", "pulled"), [(24 * 3600, 1), (29, 0)])
def test_a_machine_that_dies_in_a_pull_keeps_its_corp_for_a_lease_unless_its_clock_is_further_ahead(
    rig: Rig, ahead: int, pulled: int
) -> None:
    rig.clock.now += ahead
    crash_of(rig.start(corps=rig.corpids[:1]))
    rig.clock.now -= ahead
    assert rig.start(corps=rig.corpids[:1]).run_due() == pulled
    assert rig.stored() == 20 * pulled


def test_a_corp_beyond_the_limit_of_pulls_is_pulled_again_after_a_minute(rig: Rig, zone: Zone) -> None:
    corpid = rig.corpids[0]
    zone.client.add_fault("sdk", "errcode", "sync_msg", 45009, count=1)
    machine = rig.start(corps=[corpid])
    assert machine.run_due() == 1
    rig.clock.now += 59
    assert machine.run_due() == 0
    rig.clock.now += 1
    assert machine.run_due() == 1
    assert machine.status()[corpid].failures == 0


def test_a_corp_whose_cause_on_error_removes_is_pulled_again_at_once(rig: Rig) -> None:
    corpid = rig.corpids[0]
    rig.refused.add(corpid)
    other = rig.start()

    def repair(corpid: str, error: Exception) -> None:
        rig.refused.discard(corpid)
        other.pull_soon(corpid)

    assert rig.start(corps=[corpid], on_error=repair).run_due() == 2
    assert rig.stored() == 20


@pytest.mark.parametrize("turn", [{"pages": 2}, {"seconds": 2.0}])
def test_a_corp_with_a_backlog_takes_turns_with_the_others(rig: Rig, turn: dict[str, Any]) -> None:
    machine = rig.start(concurrency=1, pull={"limit": 5}, **turn)

    def take_a_second(page: object) -> None:
        rig.clock.now += 1

    machine.on_store = take_a_second
    assert machine.run_due() == 6
    turns = [corpid for corpid, _ in machine.stored]
    assert turns[:6] == [each for each in rig.corpids for _ in range(2)]
    assert sorted(turns) == sorted(rig.corpids * 4)
    assert rig.stored() == 60


@pytest.mark.parametrize("pages", [0, 1])
def test_a_corp_that_is_forgotten_while_it_is_pulled_is_stored_no_more(rig: Rig, pages: int) -> None:
    gone = rig.corpids[0]
    machine, other = rig.start(corps=[gone], pull={"limit": 5}), rig.start()

    def forget() -> None:
        if len(machine.stored) == pages:
            other.forget(gone)

    rig.on_call = forget
    machine.run_due()
    assert rig.stored() == len(machine.stored) * 5 == pages * 5
    assert machine.status() == {}


def test_of_two_pulls_of_a_corp_the_one_that_is_late_stores_nothing_and_says_so_to_nobody(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """A machine that stood still for longer than its lease: another one has pulled the corp meanwhile."""
    errors: list[object] = []
    corps = rig.corpids[:1]
    slow, quick = (rig.start(corps=corps, on_error=lambda *failure: errors.append(failure)) for _ in range(2))

    def stand_still() -> None:
        rig.on_call = lambda: None
        rig.clock.now += 31
        assert quick.run_due() == 1

    rig.on_call = stand_still
    with caplog.at_level("INFO", "wwspec_client.archive"):
        slow.run_due()
    assert (len(slow.stored), len(quick.stored)) == (0, 1)
    assert rig.stored() == 20
    assert errors == []
    assert [each.levelname for each in caplog.records if "quicker" in each.message] == ["INFO"]
    assert slow.status()[corps[0]].failures == 0


def test_a_lease_that_is_renewed_is_not_taken(rig: Rig) -> None:
    corps = rig.corpids[:1]
    slow, other = rig.start(corps=corps), rig.start(corps=corps)
    turns: list[int] = []

    def take_long() -> None:
        for _ in range(6):
            rig.clock.now += 10
            slow.run_due()  # the loop of a machine renews
            turns.append(other.run_due())

    rig.on_call = take_long
    assert slow.run_due() == 1
    assert turns == [0] * 6
    assert rig.stored() == 20


def test_a_message_that_comes_while_a_corp_is_pulled_is_pulled_at_once(rig: Rig) -> None:
    corpid = rig.corpids[0]
    machine, receiver = rig.start(corps=[corpid]), rig.start(corps=[corpid])

    def on_store(page: object) -> None:
        machine.on_store = lambda page: None
        rig.say(corpid)

    def on_call() -> None:
        rig.on_call = lambda: None
        receiver.on_event(rig.event(corpid))
        assert receiver.run_due() == 0  # the corp is due, and another machine pulls it

    machine.on_store = on_store
    rig.on_call = on_call
    assert machine.run_due() == 2
    assert rig.stored() == 21


def test_the_token_of_an_event_goes_with_pulls_for_ten_minutes(rig: Rig, zone: Zone) -> None:
    corpid = rig.corpids[0]
    token = zone.fire("conversation_new_message")["event"]["conversation_new_message"]["token"]
    machine = rig.start(corps=[corpid])

    def tokens() -> list[bool]:
        return ["token" in each["request"] for each in zone.client.traffic(kind="sdk") if each["name"] == "sync_msg"]

    machine.on_event(rig.event(corpid, token, timestamp=int(rig.clock.now) - 60))
    machine.run_due()
    rig.clock.now += 539
    machine.run_due()
    rig.clock.now += 60
    machine.run_due()
    assert tokens() == [True, True, False]


def test_other_events_are_left_to_the_app(rig: Rig) -> None:
    machine = rig.start(corps=None)
    event = rig.event(rig.corpids[0])
    assert not machine.on_event(replace(event, event_type="hit_keyword", data={}))
    assert machine.status() == {}
    assert machine.on_event(event)
    assert list(machine.status()) == rig.corpids[:1]


def test_a_corp_that_is_listed_no_more_is_not_pulled_and_goes_on_where_it_was_when_it_is_back(rig: Rig) -> None:
    corps = list(rig.corpids)
    machine = rig.start(corps=lambda: corps)
    machine.run_due()
    gone = corps.pop()
    rig.clock.now += 60
    assert machine.run_due() == 2
    assert list(machine.status()) == corps
    corps.append(gone)
    rig.say(gone)
    rig.clock.now += 60
    assert machine.run_due() == 3
    assert rig.stored() == 61


def test_a_gap_is_told_with_its_corp_and_fails_the_pull_without_on_gap(rig: Rig) -> None:
    gaps: list[tuple[str, MessageGap]] = []
    corpid, *_ = corps = rig.corpids[:1]
    strict, lenient = rig.start(corps=corps), rig.start(corps=corps, on_gap=lambda *gap: gaps.append(gap))
    strict.run_due()
    engine = create_engine(rig.url)
    with engine.begin() as connection:
        assert connection.execute(update(CURSORS).values(covered_until=1_000)).rowcount == 1
    engine.dispose()
    rig.clock.now += 60
    assert strict.run_due() == 1
    assert strict.status()[corpid].error.startswith("MessageGapError: messages that were sent from 1970-01-01")
    strict.pull_soon(corpid)
    assert lenient.run_due() == 1
    [(of, gap)] = gaps
    assert (of, gap.since.year) == (corpid, 1970)
    assert lenient.status()[corpid].failures == 0
    assert rig.stored() == 20


def test_an_error_of_the_database_in_store_is_told_without_the_values_of_its_statement(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    machine = rig.start(corps=rig.corpids[:1])
    machine.on_store = raising(IntegrityError("INSERT", {"text": "a message"}, ValueError("a message")))
    machine.run_due()
    error = machine.status()[rig.corpids[0]].error
    assert re.fullmatch("IntegrityError at test_archiver.py:.*the database refuses with ValueError", error)
    assert "a message" not in caplog.text


def test_a_store_function_that_commits_is_an_error(rig: Rig) -> None:
    machine = rig.start(corps=rig.corpids[:1])
    machine.commits = True
    machine.run_due()
    assert "store() has ended the transaction" in machine.status()[rig.corpids[0]].error


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
