"""From the installed wheel to an answered call: `wwspec new`, its tests, its checks, `wwspec dev`."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.rooms import ROOMS
from tests.packaging.conftest import Archives, run
from tests.support.processes import finished
from tests.support.waiting import DEADLINE, wait_until
from wwspec_devtools.testing.ports import held_ports

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(installed: Path, archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that the installed wheel has made, far from the repository."""
    folder = tmp_path_factory.mktemp("made")
    run(installed / "wwspec", "new", "shop", "--wheels", archives.folder, cwd=folder, env={"LANG": "C"})
    return folder / "shop"


@pytest.mark.parametrize("form", [(), ("--zone", "served")])
def test_its_tests_pass(installed: Path, clean_env: dict[str, str], made: Path, form: tuple[str, ...]) -> None:
    assert "5 passed" in run(installed / "python", "-m", "pytest", *form, cwd=made, env=clean_env)


@pytest.mark.parametrize(
    ("name", "rooms"), [("requirements.txt", ("contracts", "router")), ("requirements-dev.txt", tuple(ROOMS))]
)
def test_pip_finds_the_framework_in_it_without_an_index(
    installed: Path, clean_env: dict[str, str], made: Path, name: str, rooms: tuple[str, ...]
) -> None:
    pip = (sys.executable, "-m", "pip", "--python", installed / "python", "install", "--no-index", "--dry-run")
    said = run(*pip, "--requirement", name, cwd=made, env=clean_env)
    assert {*re.findall(r"^Processing \./wheels/wwspec_(\w+)-", said, re.MULTILINE)} == {*rooms}


def test_mypy_and_pyright_find_no_fault_and_know_the_types_of_the_wheel(
    installed: Path, clean_env: dict[str, str], made: Path
) -> None:
    assert run(installed / "python", "-m", "mypy", cwd=made, env=clean_env).startswith("Success: no issues found in 8")
    pyright = (installed / "python", "-m", "basedpyright", "--pythonpath", installed / "python", "--level", "error")
    checked = run(*pyright, cwd=made, env=clean_env)
    assert checked.startswith("0 errors")
    wrong = made.parent / "wrong.py"
    wrong.write_text("from schemas.chat_digest import Request\n\nRequest(limit='many')\n", "utf-8")
    done = finished(installed / "python", "-m", "mypy", "--strict", wrong, cwd=made, env=clean_env)
    assert 'incompatible type "str"; expected "int"' in done.stdout


@pytest.fixture
def emulator_url(installed: Path, clean_env: dict[str, str], made: Path, tmp_path: Path) -> Iterator[str]:
    with (tmp_path / "dev.log").open("w") as log, held_ports(2) as held:
        ports = [str(port) for port in held]
        command: list[str | Path] = [installed / "wwspec", "dev", "--port", ports[0], "--emulator-port", ports[1]]
        dev = subprocess.Popen(command, cwd=made, env=clean_env, stdout=log, stderr=subprocess.STDOUT)
        printed = (tmp_path / "dev.log").read_text
        try:
            wait_until(lambda: "watching /" in printed() or dev.poll() is not None)
            assert dev.poll() is None, printed()
            yield f"http://127.0.0.1:{ports[1]}"
        finally:
            dev.send_signal(signal.SIGINT)
            dev.wait(DEADLINE)


def test_dev_answers_a_call(installed: Path, clean_env: dict[str, str], made: Path, emulator_url: str) -> None:
    call = (installed / "wwspec", "call", "--url", emulator_url, "chat_digest", '{"limit": 10}')
    assert json.loads(run(*call, cwd=made, env=clean_env))["messages"] == 10
