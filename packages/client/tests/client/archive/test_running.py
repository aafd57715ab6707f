"""`run()` of the archiver: what wakes it, how it ends, and what it says of itself."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.client.archive.world import Machine, Rig
from tests.client.sql.conftest import statements
from tests.support.waiting import DEADLINE, wait_until
from wwspec_client.archive import asynchronous, blocking
from wwspec_contracts.errors import ConfigurationError


@pytest.fixture
def rare_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the database be asked so rarely that only a wake-up comes in time."""
    for each in (asynchronous, blocking):
        monkeypatch.setattr(each, "POLL", 2 * DEADLINE)


@pytest.mark.usefixtures("rare_polls")
def test_a_notification_on_the_same_machine_wakes_it_at_once(rig: Rig) -> None:
    machine = rig.start()
    end = machine.start()
    wait_until(lambda: len(machine.stored) == 3 and not any(each.is_pulled for each in machine.status().values()))
    rig.say(rig.corpids[1])
    machine.on_event(rig.event(rig.corpids[1]))
    wait_until(lambda: len(machine.stored) == 4)
    assert machine.archiver.problems() == []
    machine.stop()
    end.result(DEADLINE)
    assert rig.stored() == 61


@pytest.mark.usefixtures("rare_polls")
@pytest.mark.parametrize("how", [Machine.stop, Machine.cancel])
def test_it_ends_after_the_running_page_and_gives_its_corp_to_others(rig: Rig, how: object) -> None:
    first, second = rig.start(pull={"limit": 5}, concurrency=1), rig.start()
    assert callable(how)
    first.on_store = lambda page: how(first)
    first.start().result(DEADLINE)
    assert len(first.stored) == 1
    assert rig.stored() == 5
    assert first.archiver.problems() == ["the archiver does not run in this process"]
    assert second.run_due() == 3
    assert rig.stored() == 60


def test_an_idle_archiver_asks_the_database_once_a_poll(rig: Rig) -> None:
    machine = rig.start()
    machine.run_due()
    rig.clock.now += 59
    with statements(Engine) as found:
        for _ in range(3):
            machine.run_due()
    assert [each.split()[0] for each in found] == ["SELECT"] * 3


def test_a_database_that_is_down_is_a_problem_until_it_is_back(
    rig: Rig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    machine = rig.start()
    path = tmp_path / "app.db"
    content = path.read_bytes()
    path.write_bytes(b"not a database" * 1000)
    end = machine.start()
    problem = "StoreError: the app's database refuses a statement on wwspec_archive (DatabaseError"
    wait_until(lambda: any(each.startswith(problem) for each in machine.archiver.problems()))
    path.write_bytes(content)
    wait_until(lambda: not machine.archiver.problems())
    wait_until(lambda: rig.stored() == 60)
    machine.archiver.stop()
    end.result(DEADLINE)
    assert [each.levelname for each in caplog.records if "can't work" in each.message] == ["ERROR"]


def test_one_object_runs_once_at_a_time(rig: Rig) -> None:
    machine = rig.start(corps=[])
    machine.start()
    wait_until(lambda: not machine.archiver.problems())
    with pytest.raises(ConfigurationError, match="runs already in this process"):
        machine.start().result(DEADLINE)


def test_a_stop_that_comes_before_run_counts(rig: Rig) -> None:
    machine = rig.start()
    machine.stop()
    machine.start().result(DEADLINE)
    assert rig.stored() == 0
    assert machine.run_due() == 3
