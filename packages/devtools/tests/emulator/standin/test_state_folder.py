"""The folder of the proxy's authority, where there is no home folder, or none that can be written."""

import os
import pwd
import re
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner

from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import running_child
from wwspec_router.cli.main import main

NOBODY = """
import pwd, sys
def unknown(number): raise KeyError("getpwuid(): uid not found: 54321")
pwd.getpwuid = unknown
sys.argv = ["wwspec", *sys.argv[1:]]
from wwspec_router.cli.main import main
main()
"""
"""Runs `wwspec` as a user that the system's user database does not know, which is what containers have."""


def unknown(number: int) -> NoReturn:
    raise KeyError(f"getpwuid(): uid not found: {number}")


def test_without_a_home_the_emulator_starts(tmp_path: Path) -> None:
    log = tmp_path / "log"
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_STATE_HOME")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", NOBODY, "emulate", "--port", "0"], env=environment, stdout=output, stderr=output
        )
    try:
        wait_until(lambda: "running on http://127.0.0.1:" in log.read_text() or process.poll() is not None)
    finally:
        process.terminate()
        process.wait(DEADLINE)
    assert "Traceback" not in log.read_text()
    assert "running on" in log.read_text()


@pytest.mark.parametrize(
    ("home", "message"),
    [
        (
            None,
            "Error: the proxy keeps its certificate authority in a folder, and this user has no home folder: "
            "name one with --state\n",
        ),
        (
            "/dev/null",
            "Error: /dev/null/.local/state/wwspec: the proxy can't keep its certificate authority there "
            "(Not a directory): name another folder with --state\n",
        ),
    ],
)
def test_without_a_home_of_its_own_the_proxy_asks_for_a_folder(
    monkeypatch: pytest.MonkeyPatch, home: str | None, message: str
) -> None:
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    runner = CliRunner(env={"HOME": home, "XDG_STATE_HOME": None})
    assert runner.invoke(main, ["emulate", "--help"]).exit_code == 0
    done = runner.invoke(main, ["emulate", "--port", "0", "--proxy-port", "0"])
    assert (done.exit_code, done.stderr) == (1, message)


@pytest.mark.parametrize(
    "variable",
    ["HOME", pytest.param("XDG_STATE_HOME", marks=pytest.mark.slow)],  # leads elsewhere as HOME does
)
def test_the_folder_follows_the_environment(tmp_path: Path, variable: str) -> None:
    folder = tmp_path / (".local/state/wwspec" if variable == "HOME" else "wwspec")
    variables = {"XDG_STATE_HOME": "", variable: str(tmp_path)}
    with running_child(["emulate", "--port", "0", "--proxy-port", "0"], variables, tmp_path / "log") as emulator:
        emulator.wait_for(re.compile("HTTPS_PROXY="))
        assert (folder / "ca.pem").exists()
