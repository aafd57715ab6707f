"""The archiver: each message of each corp once, whatever ends, is lost, fails or comes twice."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.client.archive.world import KINDS, Clock, CrashError, Kind, Machine, Tenants, archived, made_tables
from tests.support.apps import ROOT
from wwspec_router.testing.zone import Zone


@pytest.fixture(scope="module")
def module_zone() -> Iterator[Zone]:
    with Zone.in_process(ROOT, messages=20, corps=3, tokenless_pulls=1_000_000) as zone:
        yield zone


@pytest.fixture
def tenants(zone: Zone) -> Tenants:
    return Tenants(zone)


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/app.db"
    made_tables(url)
    return url


Start = Callable[..., Machine]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(kind: Kind, url: str, tenants: Tenants, clock: Clock) -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Machine(kind, url, tenants, clock=clock, **options))


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
    told, lost, _ = tenants.corpids
    for corpid in (told, lost):
        tenants.say(corpid)
    receiver.on_event(tenants.event(told))
    worker.stored.clear()
    assert worker.run_due() == 1
    assert worker.stored == [(told, 1)]
    clock.now += 60
    assert worker.run_due() == 3
    assert worker.stored == [(told, 1), (lost, 1)]
    assert len(archived(url)) == len(set(archived(url))) == 62


def test_a_crash_between_store_and_commit_loses_nothing_and_the_corp_comes_back_after_its_lease(
    start: Start, url: str, tenants: Tenants, clock: Clock
) -> None:
    first, second = start(concurrency=1), start()

    def crash(page: object) -> None:
        raise CrashError

    first.on_store = crash
    with pytest.raises(BaseException):  # noqa: B017 - the crash, or the group of it
        first.run_due()
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
