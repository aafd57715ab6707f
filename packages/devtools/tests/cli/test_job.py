"""`wwspec job` and `wwspec forget` against programs that run: one machine, and two behind one channel."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.wecom import Shell
from tests.stores.suites.job_samples import job
from tests.support.apps import write_files
from tests.support.waiting import wait_until
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import ServedZone, Zone
from wwspec_router.stores import open_store

CODE = """
from pathlib import Path

from wwspec_contracts.events import hit_keyword

IS_REPAIRED = Path(__file__).parent / "repaired"

def on_hit(event: hit_keyword.Event) -> None:
    if not IS_REPAIRED.exists():
        raise LookupError(event.hit_keyword.token)
"""
REGISTRY = """
[abilities.get_callback_data]
kind = "callback_data"
[abilities.failed]
kind = "jobs"
[abilities.forget]
kind = "forget"
[events.hit_keyword]
handler = "abilities.hits:on_hit"
retries = 0
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program whose code on events fails until it is repaired."""
    files = {"abilities/registry.toml": REGISTRY, "abilities/hits.py": CODE}
    return write_files(tmp_path_factory.mktemp("app"), files)


@pytest.fixture(scope="module")
def module_zone(app: Path) -> Iterator[ServedZone]:
    with serve_zone(app) as zone:
        yield zone


@pytest.fixture
def zone(module_zone: ServedZone, app: Path) -> ServedZone:
    (app / "abilities" / "repaired").unlink(missing_ok=True)
    module_zone.client.reset()
    module_zone.call("forget", {"corpid": module_zone.client.info()["corpid"]}).raise_for_error()
    return module_zone


def shell_of(zone: ServedZone, app: Path) -> Shell:
    """Return what runs verbs in the application's folder, whose registry file names the abilities."""
    made = Shell(zone)
    made.environment["WWSPEC_APP"] = str(app)
    return made


@pytest.fixture
def shell(zone: ServedZone, app: Path) -> Shell:
    return shell_of(zone, app)


def failed(shell: Shell, *options: str) -> list[dict[str, Any]]:
    done = shell("job", "list", *options)
    assert (done.exit_code, done.stderr) == (0, "")
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def fire(zone: Zone, shell: Shell) -> dict[str, Any]:
    """Fire an event whose code fails for good; return its job."""
    before = len(failed(shell))
    zone.fire("hit_keyword")
    wait_until(lambda: len(failed(shell)) == before + 1)
    return failed(shell)[0]


def test_what_failed_for_good_is_listed_without_data_and_runs_again(zone: ServedZone, shell: Shell, app: Path) -> None:
    shown = fire(zone, shell)
    machine, job_id = shown.pop("machine"), shown.pop("job_id")
    assert shown.pop("failed_s") < 60
    assert shown == {"name": "event:hit_keyword", "attempts": 1, "error": "LookupError", "errcode": 710660}
    head, row = shell("job", "list", "--table").stdout.splitlines()
    assert head.split() == ["job", "machine", "name", "attempts", "error", "errcode", "ago"]
    assert row.split()[0] == job_id
    (app / "abilities" / "repaired").touch()
    done = shell("job", "retry", job_id)
    assert (done.exit_code, done.output) == (0, f"{job_id} runs again at machine {machine}\n")
    wait_until(lambda: failed(shell) == [])
    assert shell("job", "list", "--table").stdout == "none\n"


def test_the_same_works_through_the_emulators_own_way(zone: ServedZone, shell: Shell) -> None:
    job_id = fire(zone, shell)["job_id"]
    own = {"WWSPEC_BASE_URL": None, "WWSPEC_EMULATOR_URL": zone.client.url}
    assert [each["job_id"] for each in json.loads(shell("job", "list", **own).stdout)] == [job_id]
    assert "is dropped at machine" in shell("job", "drop", job_id, **own).stdout
    assert failed(shell) == []


def test_a_job_without_an_ability_is_listed_with_that_mark_and_is_dropped_but_not_run(
    zone: ServedZone, shell: Shell
) -> None:
    app_of_zone = {name: zone.client.info()[name] for name in ("corpid", "agentid")}
    with closing(open_store(f"sqlite:{zone.folder / 'notify.db'}")) as store:
        store.add(job("old", ability_id="of_yesterday", **app_of_zone))
    (shown,) = failed(shell)
    assert (shown["job_id"], shown["name"], shown["error"]) == ("old", "of_yesterday", "no ability")
    assert "of_yesterday  0         no ability" in shell("job", "list", "--table").stdout
    done = shell("job", "retry", "old", "--tries", "1")
    assert done.exit_code == 1
    assert 'one with the error "no ability" runs when a program has its row again' in done.stderr
    assert shell("job", "drop", "old").stdout == f"old is dropped at machine {shown['machine']}\n"
    assert failed(shell) == []


def test_a_job_that_no_machine_has_is_named_with_those_that_answered(zone: ServedZone, shell: Shell) -> None:
    machine = fire(zone, shell)["machine"]
    done = shell("job", "drop", "none", "--tries", "3")
    assert (done.exit_code, done.stdout) == (1, "")
    said = (
        f"none: none of them has this failed job: 1 machine has answered 3 calls ({machine}); `wwspec job list` lists"
    )
    assert said in done.stderr


@pytest.mark.parametrize(
    ("words", "kind"), [(("job", "list"), "jobs"), (("job", "drop", "x"), "jobs"), (("forget", "ww1"), "forget")]
)
def test_a_program_without_the_ability_is_told_which_row_it_needs(
    shell: Shell, words: tuple[str, ...], kind: str
) -> None:
    done = shell(*words, "--ability", "absent")
    assert done.exit_code == 1
    assert f'the program has no ability absent: give its registry file a row of kind = "{kind}"' in done.stderr


def test_without_a_registry_file_the_ability_is_named_as_its_kind(shell: Shell, tmp_path: Path) -> None:
    done = shell("job", "list", WWSPEC_APP=str(tmp_path))
    assert "the program has no ability jobs" in done.stderr


def test_all_of_a_corp_and_of_no_other_is_forgotten_and_printed(zone: ServedZone, shell: Shell) -> None:
    machine = fire(zone, shell)["machine"]
    done = shell("forget", "ww-another")
    assert done.exit_code == 1
    assert "from_corps of the ability's row does not list the caller" in done.stderr
    assert len(failed(shell)) == 1
    done = shell("forget", zone.client.info()["corpid"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == [{"machine": machine, "events": 1, "jobs": 1, "kept": 0, "replies": 0}]
    assert failed(shell) == []


def test_machines_that_have_not_answered_are_an_error(shell: Shell, zone: ServedZone) -> None:
    done = shell("forget", zone.client.info()["corpid"], "--machines", "2", "--tries", "4")
    assert done.exit_code == 1
    assert len(json.loads(done.stdout)) == 1
    assert "not 2 yet: 1 machine has answered 4 calls (" in done.stderr


def test_of_two_machines_the_one_that_has_a_job_is_found_and_a_corp_is_forgotten_at_both(app: Path) -> None:
    """Each has a store of its own; events and calls go to one after the other."""
    (app / "abilities" / "repaired").unlink(missing_ok=True)
    with serve_zone(app, machines=2) as zone:
        shell = shell_of(zone, app)

        def failed_at_both() -> list[dict[str, Any]]:
            """Fire an event at each machine whose code fails for good; return the jobs."""
            for _ in range(2):
                zone.fire("hit_keyword")
            wait_until(lambda: len(failed(shell, "--tries", "4")) == 2)
            return failed(shell, "--tries", "4")

        jobs = failed_at_both()
        assert len({each["machine"] for each in jobs}) == 2
        for each in jobs:
            done = shell("job", "drop", each["job_id"])
            assert done.stdout == f"{each['job_id']} is dropped at machine {each['machine']}\n"
        assert failed(shell, "--tries", "4") == []
        none = shell("job", "drop", jobs[0]["job_id"], "--tries", "4")
        assert "2 machines have answered 4 calls (" in none.stderr
        failed_at_both()
        done = shell("forget", zone.client.info()["corpid"], "--machines", "2")
        assert (done.exit_code, done.stderr) == (0, "")
        assert [each["jobs"] for each in json.loads(done.stdout)] == [1, 1]
        assert failed(shell, "--tries", "4") == []
