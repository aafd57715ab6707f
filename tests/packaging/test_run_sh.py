"""run.sh, started as the platform starts it: an empty environment, any folder."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.command import Done
from tests.support.processes import finished
from tests.support.skips import only_where

pytestmark = pytest.mark.slow


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An application folder arranged as in the image, with this environment as its .venv."""
    app = tmp_path / "app with a space"
    for package in ("wwspec_router", "abilities", "schemas", "sdk"):
        shutil.copytree(ROOT / package, app / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "run.sh", app)
    (app / ".venv").symlink_to(sys.prefix)
    return app


@pytest.fixture
def echoing_app(app: Path) -> Path:
    """The same folder with a Python that only prints its arguments and its environment."""
    (app / ".venv").unlink()
    python = app / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "argument %s\\n" "$@"\nexec env\n', "utf-8")
    python.chmod(0o755)
    return app


def start(script: Path, *options: str, **variables: str) -> Done:
    return finished("/bin/bash", script, *options, cwd="/", env=variables)


def echoed(done: Done) -> tuple[list[str], dict[str, str]]:
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    arguments = [line.removeprefix("argument ") for line in lines if line.startswith("argument ")]
    return arguments, dict(line.split("=", 1) for line in lines[len(arguments) :])


def test_program_is_the_one_beside_the_script(app: Path) -> None:
    (app / "wwspec_router/__main__.py").write_text("print(__file__)", "utf-8")
    assert start(app / "run.sh").stdout == f"{app / 'wwspec_router/__main__.py'}\n"


def test_own_options_come_last_and_so_win(echoing_app: Path) -> None:
    arguments, _ = echoed(start(echoing_app / "run.sh", "--port", "8081", "--store", "memory:", "two words"))
    assert arguments == [
        *("-m", "wwspec_router", "serve", "--host", "0.0.0.0", "--port", "8080"),  # noqa: S104
        *("--app", str(echoing_app)),
        *("--port", "8081", "--store", "memory:", "two words"),
    ]


@pytest.mark.parametrize(
    ("options", "host"),
    [
        (("--sdk", "emulator"), "127.0.0.1"),
        (("--workers", "1", "--sdk=emulator", "--port", "0"), "127.0.0.1"),
        (("--sdk", "emulator", "--allow-remote"), "0.0.0.0"),  # noqa: S104 - as in an image
        (("--sdk", "vendor"), "0.0.0.0"),  # noqa: S104 - as in an image
    ],
)
def test_the_emulators_key_is_for_this_machine_only(echoing_app: Path, options: tuple[str, ...], host: str) -> None:
    arguments, _ = echoed(start(echoing_app / "run.sh", *options))
    assert arguments[3:5] == ["--host", host]


def test_empty_environment_is_filled(echoing_app: Path) -> None:
    _, variables = echoed(start(echoing_app / "run.sh"))
    assert variables["PATH"].split(":")[0] == f"{echoing_app}/.venv/bin"
    assert {"/usr/bin", "/bin"} <= set(variables["PATH"].split(":"))
    assert variables["HOME"] == str(echoing_app)
    assert variables["LANG"] == "C.UTF-8"
    assert variables["PYTHONUTF8"] == variables["PYTHONUNBUFFERED"] == "1"
    assert variables["PYTHONPATH"] == f"{echoing_app}:{echoing_app}/sdk"
    bounds = ("MALLOC_TOP_PAD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")
    assert all(variables[name].isdigit() for name in bounds)


def test_given_environment_does_not_lead_python_astray(echoing_app: Path) -> None:
    given = {"PATH": "/nowhere", "PYTHONPATH": "/elsewhere", "LANG": "zh_CN.GBK", "CDPATH": "/usr"}
    _, variables = echoed(start(echoing_app / "run.sh", HOME="/srv", MALLOC_TOP_PAD_="65536", **given))
    assert "/nowhere" not in variables["PATH"]
    assert "/elsewhere" not in variables["PYTHONPATH"]
    assert (variables["LANG"], variables["HOME"]) == ("C.UTF-8", "/srv")
    assert variables["MALLOC_TOP_PAD_"] == "65536"


def test_script_finds_its_folder_through_symlinks(echoing_app: Path, tmp_path: Path) -> None:
    (tmp_path / "first").symlink_to(echoing_app / "run.sh")
    (tmp_path / "second").symlink_to("first")
    arguments, _ = echoed(start(tmp_path / "second"))
    assert str(echoing_app) in arguments


@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
def test_every_shell_hands_over_to_bash(echoing_app: Path, shell: str) -> None:
    program = shutil.which(shell) or ""
    only_where(bool(program), f"there is {shell}")
    done = finished(program, "run.sh", "--port", "8081", "two words", cwd=echoing_app, env={})
    arguments, variables = echoed(done)
    assert arguments[-5:] == ["--app", str(echoing_app), "--port", "8081", "two words"]
    assert variables["PYTHONPATH"] == f"{echoing_app}:{echoing_app}/sdk"


def test_missing_python_is_named(app: Path) -> None:
    (app / ".venv").unlink()
    done = start(app / "run.sh")
    assert (done.returncode, done.stdout) == (69, "")
    assert f"{app}/.venv/bin/python" in done.stderr
