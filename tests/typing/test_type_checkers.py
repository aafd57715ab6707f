"""What type checkers say of a new program, and of the calls in its tests."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.apps import ROOT, write_files
from wwspec_router.scaffold.project import make_project, project_files

CHECKERS = {
    "mypy": ("mypy", "--strict", "--cache-dir", "../../mypy_cache"),
    "pyright": ("basedpyright", "--pythonpath", sys.executable),
}
"""basedpyright is Pyright with its Node.js in a wheel; these settings make it as strict as Pyright's own "strict"."""
SETTINGS = json.dumps({"typeCheckingMode": "strict", "include": ["abilities", "schemas", "tests"]})
REVEALED = """
from typing import reveal_type

from wwspec_router.testing.zone import Zone
from wwspec_router.wecom import sync_msg


def reveal(zone: Zone) -> None:
    reveal_type(zone.call(sync_msg.Request(limit=200)).reply)
    reveal_type(zone.submit(sync_msg.Request(limit=200)).result().reply)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for programs, in which mypy keeps what it knows of the framework."""
    return tmp_path_factory.mktemp("programs")


@pytest.fixture
def program(folder: Path) -> Path:
    """The folder that `wwspec new` makes, with one more test."""
    shop = Path(tempfile.mkdtemp(dir=folder)) / "shop"
    make_project(shop, project_files("shop"))
    return write_files(shop, {"tests/revealed.py": REVEALED, "pyrightconfig.json": SETTINGS})


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_new_program_has_no_fault_and_a_request_knows_the_type_of_its_reply(program: Path, checker: str) -> None:
    done = check(program, checker)
    assert done.returncode == 0, done.stdout + done.stderr
    revealed = [line for line in done.stdout.splitlines() if "revealed.py" in line and "ype " in line]
    assert len(revealed) == 2, done.stdout
    for line in revealed:
        assert line.endswith('is "wwspec_router.wecom.api.sync_msg.Response"' if checker == "mypy" else 'is "Response"')


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_misspelt_key_of_a_reply_is_found(program: Path, checker: str) -> None:
    test = program / "tests" / "revealed.py"
    test.write_text(f"{REVEALED}    assert zone.call(sync_msg.Request()).reply.msg_lists\n", "utf-8")
    done = check(program, checker)
    assert done.returncode == 1
    assert "msg_lists" in done.stdout


def check(folder: Path, checker: str) -> "subprocess.CompletedProcess[str]":
    module, *options = CHECKERS[checker]
    command = [sys.executable, "-m", module, *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_pyright_finds_the_mistakes_of_an_apps_calls_that_mypy_finds_and_no_others() -> None:
    """`scripts/check` runs mypy over the page; its comments name the lines."""
    page = ROOT / "tests" / "typing" / "typed_client.py"
    command = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable]
    command += ["--level", "error", "--outputjson", str(page)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    found = {each["range"]["start"]["line"] for each in json.loads(done.stdout)["generalDiagnostics"]}
    lines = page.read_text("utf-8").splitlines()
    assert found == {number for number, line in enumerate(lines) if "# type: ignore" in line}
