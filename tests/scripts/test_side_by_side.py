"""Tests that run in several processes: all are collected once, and what they report is reported as by one."""

import json
import os
from pathlib import Path

import pytest

from tests.support.apps import ROOT, write_files
from tests.support.command import Running
from tests.support.waiting import wait_until

CONFIG = """\
[pytest]
markers =
    slow: not now
    never_lost: not again
"""
OPENED = """\
import os
from pathlib import Path

import pytest

with Path("opened").open("a") as file:
    file.write(f"{__name__}\\n")
"""
FAILS = "def test_fails():\n    print('this is at fault')\n    assert 'this' == 'that'\n"
LOST = f"import pytest\n\n@pytest.mark.never_lost\n{FAILS}"
CRASHES = f"{OPENED}\n\ndef test_ends_its_process():\n    print('the last words')\n    os._exit(7)\n"
FILES = {
    "one/test_a.py": f"{OPENED}\ndef test_a(): ...\n\n@pytest.mark.slow\ndef test_b(): ...\n",
    "one/test_c.py": f"{OPENED}\ndef test_c():\n    pytest.skip('not today')\n",
    "two/test_d.py": f"{OPENED}\ndef test_d(): ...\n\n{FAILS}",
}
SECONDS = '{"": {"two/test_d.py": 30}}'
WAITS = """\
import os
from pathlib import Path

def test_waits():
    with Path("seen").open() as pipe:
        pipe.read()
"""


def started(folder: Path, files: dict[str, str], *options: str) -> Running:
    write_files(folder, {"pytest.ini": CONFIG, "repeatable": "", "seconds.json": SECONDS, **files})
    plugin = ("-p", "tests.support.side_by_side", "--processes=2", "--repeatable=repeatable", "--seconds=seconds.json")
    variables = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTEST_ADDOPTS": ""}
    environment = {**os.environ, **variables, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return Running(["-rsfE", *plugin, *options], folder, environment, module="pytest")


def ran(folder: Path, files: dict[str, str], *options: str) -> str:
    with started(folder, files, *options) as running:
        done = running.end()
    assert done.returncode == 1
    return done.stdout


def test_files_are_collected_once_and_reported_as_by_one_process(tmp_path: Path) -> None:
    printed = ran(tmp_path, FILES, "-m", "not slow")
    assert sorted((tmp_path / "opened").read_text().splitlines()) == ["test_a", "test_c", "test_d"]
    assert "/3 one/test_a.py: 1 passed (" in printed
    assert "/3 two/test_d.py: 1 failed, 1 passed (" in printed
    assert "E       AssertionError: assert 'this' == 'that'" in printed
    assert "this is at fault" in printed
    assert "SKIPPED [1] one/test_c.py:" in printed
    assert " 1 failed, 2 passed, 1 skipped, 1 deselected in " in printed.splitlines()[-1]


def test_a_process_that_crashes_fails_the_run_and_no_other_file(tmp_path: Path) -> None:
    files = {"a/test_a.py": CRASHES, "b/test_b.py": "def test_b(): ...\n", "a/test_c.py": "def test_c(): ...\n"}
    printed = ran(tmp_path, files)
    assert (tmp_path / "repeatable").read_text() == ""
    assert "ERROR a/test_a.py" in printed
    assert "a/test_a.py::test_ends_its_process" in printed
    assert "the process of these tests ended with exit code 7" in printed
    assert " error" in printed.splitlines()[-1]


def test_a_line_comes_when_a_file_is_done_and_one_failure_may_be_repeated(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "seen")
    with started(tmp_path, {"test_a.py": FAILS, "test_b.py": WAITS}) as running:
        wait_until(lambda: "\n   1/2 test_a.py: 1 failed (" in running.stdout)
        (tmp_path / "seen").write_text("it is")
        assert " 1 failed, 1 passed in " in running.end().stdout
    assert (tmp_path / "repeatable").read_text() == "test_a.py::test_fails\n"


@pytest.mark.parametrize(
    "files",
    [{"test_a.py": FAILS, "test_b.py": LOST}, {f"test_{number}.py": FAILS for number in range(4)}],
    ids=["never lost", "many"],
)
def test_what_must_never_be_lost_and_many_failures_are_not_repeated(tmp_path: Path, files: dict[str, str]) -> None:
    ran(tmp_path, files)
    assert (tmp_path / "repeatable").read_text() == ""


def test_the_table_of_slow_files_names_files_that_are_there() -> None:
    tables = json.loads((ROOT / "tests/seconds.json").read_text("utf-8"))
    assert tables.keys() <= {"not slow", "slow and not nightly", ""}
    assert [file for table in tables.values() for file in table if not (ROOT / file).is_file()] == []
