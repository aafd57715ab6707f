"""`run()` of the archiver: what wakes it, how it ends, and what it says of itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from tests.client.archive.conftest import Start
from tests.client.archive.world import Clock, Machine, Tenants, archived
from tests.support.waiting import DEADLINE, wait_until
from wwspec_client.archive import asynchronous, blocking
from wwspec_contracts.errors import ConfigurationError


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


def test_an_idle_archiver_asks_the_database_once_a_poll(
    start: Start, tenants: Tenants, clock: Clock, statements: list[str]
) -> None:
    machine = start()
    machine.run_due()
    statements.clear()
    clock.now += 59
    for _ in range(3):
        machine.run_due()
    assert [each.split()[0] for each in statements] == ["SELECT"] * 3


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What any engine executes."""
    found: list[str] = []

    def note(connection: object, cursor: object, statement: str, *others: object) -> None:
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


def test_a_database_that_is_down_is_a_problem_until_it_is_back(
    start: Start, url: str, tenants: Tenants, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    machine = start()
    path = tmp_path / "app.db"
    content = path.read_bytes()
    path.write_bytes(b"not a database" * 1000)
    end = machine.start()
    problem = "StoreError: the app's database refuses a statement on wwspec_archive (DatabaseError"
    wait_until(lambda: any(each.startswith(problem) for each in machine.problems()))
    path.write_bytes(content)
    wait_until(lambda: not machine.problems())
    wait_until(lambda: len(archived(url)) == 60)
    machine.archiver.stop()
    end.result(DEADLINE)
    assert [each.levelname for each in caplog.records if "can't work" in each.message] == ["ERROR"]


def test_one_object_runs_once_at_a_time(start: Start) -> None:
    machine = start(corps=[])
    machine.start()
    wait_until(lambda: not machine.problems())
    with pytest.raises(ConfigurationError, match="runs already in this process"):
        machine.start().result(DEADLINE)


def test_a_stop_that_comes_before_run_counts(start: Start, url: str) -> None:
    machine = start()
    machine.stop()
    machine.start().result(DEADLINE)
    assert archived(url) == []
    assert machine.run_due() == 3
