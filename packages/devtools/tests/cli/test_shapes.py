"""`wwspec shapes`: WeCom is played by an emulator, in debug mode, with answers by hand that differ."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.command import Done, pytest_session, wwspec
from wwspec_devtools.cli.emulator_options import DEFAULTS
from wwspec_devtools.testing.zone import Zone

TOKENS = {"WWSPEC_DEBUG_TOKEN": "x", "WWSPEC_ACCESS_TOKEN": "y"}
FAULTY = {"errcode": 0, "errmsg": "ok", "creator": 12345678, "members": [], "new_key": "geheim"}


@pytest.fixture
def zone(zone: Zone) -> Zone:
    zone.client.reset()
    return zone


def record(zone: Zone, folder: Path, token: str = DEFAULTS.debug_token) -> Done:
    return wwspec(
        folder,
        *("shapes", "record", "shapes.json", "--sdk", "emulator", "--api-url", zone.client.url),
        *("--corpid", DEFAULTS.corpid, "--agentid", str(DEFAULTS.agentid)),
        environment={
            "PATH": "",
            "WWSPEC_EMULATOR_URL": zone.client.url,
            "WWSPEC_DEBUG_TOKEN": token,
            "WWSPEC_CORPSECRET": DEFAULTS.secret,
        },
    )


def test_what_an_emulator_answers_does_not_differ(zone: Zone, tmp_path: Path) -> None:
    done = record(zone, tmp_path)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert "get_group_chat: 3 with 0, 1 with 710624" in said
    assert said[-1].startswith("shapes.json: 23 APIs, ")
    assert said[-1].endswith(" calls; read it before you share it")
    compared = wwspec(tmp_path, "shapes", "compare", "--table", "shapes.json")
    assert (compared.returncode, compared.stdout[:42]) == (0, "shapes.json: no difference in 23 APIs, rec")
    assert wwspec(tmp_path, "shapes", "compare", "--json", "shapes.json").stdout == "[]\n"


def test_answers_that_differ_are_a_table_and_a_test_that_fails_where_they_do_and_passes_elsewhere(
    zone: Zone, tmp_path: Path
) -> None:
    zone.answer("get_group_chat", FAULTY)
    assert record(zone, tmp_path).returncode == 0
    written = (tmp_path / "shapes.json").read_text()
    assert ("geheim" in written, "12345678" in written, "lina" in written) == (False, False, False)
    compared = wwspec(tmp_path, "shapes", "compare", "--table", "shapes.json")
    assert compared.returncode == 1
    assert [line.split() for line in compared.stdout.splitlines()[:4]] == [
        ["api", "case", "path", "contract", "emulator", "recorded"],
        ["get_group_chat", "found", "$.creator", "string", "string", "integer"],
        ["get_group_chat", "found", "$.new_key", "not", "listed", "absent", "string"],
        ["get_group_chat", "found", "$.room_create_time", "integer", "integer", "absent"],
    ]
    head, first = (line.split() for line in compared.stdout.splitlines()[:2])
    assert json.loads(wwspec(tmp_path, "shapes", "compare", "shapes.json").stdout)[0] == dict(
        zip(head, first, strict=True)
    )
    printed = wwspec(tmp_path, "shapes", "compare", "--test", "shapes.json")
    assert printed.returncode == 1
    creator = '"$.creator": {\n      "types": {\n       "%s"'
    agreed = printed.stdout.replace(creator % "integer", creator % "string")
    (tmp_path / "test_differing.py").write_text(printed.stdout)
    (tmp_path / "test_agreed.py").write_text(agreed)
    done = pytest_session(tmp_path, "-q", "-o", "addopts=")
    place = "::test_contracts_and_emulator_agree_with_wecom[get_group_chat found $.creator]"
    assert f"FAILED test_differing.py{place}" in done.stdout
    assert f"FAILED test_agreed.py{place}" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("10 failed, 2 passed in ")


def test_when_debug_mode_is_refused_or_nothing_answered_nothing_is_written(zone: Zone, tmp_path: Path) -> None:
    done = record(zone, tmp_path, token="wrong")  # noqa: S106 - a wrong one
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the SDK refused debug mode: get a fresh debug_token from the admin page")
    assert not (tmp_path / "shapes.json").exists()
    zone.client.add_fault("sdk", "return_code", "", -10002)
    done = record(zone, tmp_path)
    assert (done.returncode, done.stderr) == (
        1,
        "Error: no API was answered, so nothing is written: every call ended with -10002\n",
    )
    assert not (tmp_path / "shapes.json").exists()


def test_a_file_is_not_overwritten_and_no_api_is_called(zone: Zone, tmp_path: Path) -> None:
    (tmp_path / "shapes.json").write_text("mine")
    done = record(zone, tmp_path)
    assert (done.returncode, done.stderr) == (1, "Error: shapes.json exists: name a new file\n")
    assert zone.client.traffic(kind="sdk") == []


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "said"),
    [
        (["record", "new.json"], {}, 1, "WeCom answers outside of the zone in debug mode only: set WWSPEC_DEBUG_TOKEN"),
        (["record", "new.json"], {"WWSPEC_DEBUG_TOKEN": "x"}, 1, "WWSPEC_DEBUG_TOKEN and WWSPEC_ACCESS_TOKEN go"),
        (["record", "new.json", "--sdk", "emulator"], {"WWSPEC_AGENTID": "5"}, 2, "not named: set WWSPEC_CORPID"),
        (["record", "new.json"], TOKENS, 2, "not named: set WWSPEC_CORPID and WWSPEC_AGENTID"),
        (["record", "new.json", "--agentid", "0"], {}, 2, "0 is not in the range x>=1"),
        (["compare", "none.json"], {}, 1, "none.json: can't be read: No such file or directory"),
        (["compare", "pyproject.toml"], {}, 1, "pyproject.toml: is no file of `wwspec shapes record` of this release"),
    ],
)
def test_bad_input_has_a_line(
    run: Run, arguments: list[str], environment: dict[str, str], code: int, said: str
) -> None:
    done = run("shapes", *arguments, environment=environment)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
