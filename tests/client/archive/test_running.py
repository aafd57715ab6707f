"""`run()` of the archiver: what wakes it, how it ends, and what it says of itself."""

import pytest

from tests.client.archive.conftest import Start
from tests.client.archive.world import Machine, Tenants, archived
from tests.support.waiting import DEADLINE, wait_until
from wwspec_router.client.archive import asynchronous, blocking


@pytest.fixture
def rare_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the database be asked so rarely that only a wake-up comes in time."""
    for each in (asynchronous, blocking):
        monkeypatch.setattr(each, "POLL", 2 * DEADLINE)


@pytest.mark.usefixtures("rare_polls")
def test_a_notification_on_the_same_machine_wakes_it_at_once(start: Start, url: str, tenants: Tenants) -> None:
    machine = start()
    end = machine.start()
    wait_until(lambda: len(machine.stored) == 3 and not any(each.is_pulled for each in machine.status().values()))
    tenants.say(tenants.corpids[1])
    machine.on_event(tenants.event(tenants.corpids[1]))
    wait_until(lambda: len(machine.stored) == 4)
    assert machine.problems() == []
    machine.stop()
    end.result(DEADLINE)
    assert len(archived(url)) == len(set(archived(url))) == 61


@pytest.mark.usefixtures("rare_polls")
@pytest.mark.parametrize("how", [Machine.stop, Machine.cancel])
def test_it_ends_after_the_running_page_and_gives_its_corp_to_others(
    start: Start, url: str, tenants: Tenants, how: object
) -> None:
    first, second = start(pull={"limit": 5}, concurrency=1), start()
    assert callable(how)
    first.on_store = lambda page: how(first)
    first.start().result(DEADLINE)
    assert len(first.stored) == 1
    assert len(archived(url)) == 5
    assert first.problems() == ["the archiver does not run in this process"]
    assert second.run_due() == 3
    assert len(archived(url)) == len(set(archived(url))) == 60
