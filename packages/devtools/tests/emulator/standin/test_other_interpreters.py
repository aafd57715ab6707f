"""The stand-in under interpreters that have pycryptodome, and neither this package nor anything else of it."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import Crypto
import pytest

from tests.support.apps import ROOT
from tests.support.emulator import free_socket, url_of
from tests.support.processes import finished
from tests.support.tables import for_each
from tests.support.waiting import wait_until
from tests.support.zones import running_child
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.settings import STANDIN_DIRECTORY
from wwspec_devtools.testing.app import App

PROGRAM = ROOT / "packages/devtools/tests/emulator/program/httpserver_program.py"
PYCRYPTODOME = Path(Crypto.__file__).parent


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with nothing installed."""
    venv = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    return venv / "bin" / "python"


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    """A folder with pycryptodome in it, for a PYTHONPATH."""
    folder = tmp_path / "libraries"
    folder.mkdir()
    (folder / "Crypto").symlink_to(PYCRYPTODOME)
    return folder


def run(python: Path, code: str, *path: Path) -> "subprocess.CompletedProcess[str]":
    environment = {"PYTHONPATH": os.pathsep.join(map(str, path)), "WWSPEC_EMULATOR_URL": "http://127.0.0.1:1"}
    return subprocess.run(
        [python, "-c", code], env=environment, cwd="/", capture_output=True, text=True, timeout=600, check=False
    )


def test_a_program_of_an_interpreter_with_pycryptodome_only_runs_on_the_emulator(
    bare_python: Path, libraries: Path, tmp_path: Path
) -> None:
    with free_socket() as bound:
        program_url = url_of(bound)
    port = program_url.rpartition(":")[2]
    program = shlex.join([str(bare_python), str(PROGRAM), port])
    arguments = ["emulate", "--port", "0", "--program-url", program_url, "--program", program]
    with (
        running_child(arguments, {"PYTHONPATH": str(libraries)}, tmp_path / "log") as emulator,
        EmulatorClient(emulator.announced_url()) as client,
    ):
        wait_until(lambda: f"accepts connections at {program_url}" in (tmp_path / "log").read_text())
        result = App(client).call("any", {"input": {"func": "sync_msg", "func_req": {"limit": 1}}})
    assert result.reply["errcode"] == 0
    assert len(result.reply["msg_list"]) == 1


def test_the_stand_in_brings_two_names_to_a_program(bare_python: Path, libraries: Path) -> None:
    code = (
        "import sys; before = set(sys.modules); import wwspecapisdk; wwspecapisdk.spec_gen_notify_id();"
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))"
    )
    done = run(bare_python, code, STANDIN_DIRECTORY, libraries)
    assert done.stdout == "['Crypto', 'wwspec_standin', 'wwspecapisdk']\n", done.stderr


def test_without_pycryptodome_one_line_tells_how_to_get_it(bare_python: Path) -> None:
    done = run(bare_python, "import wwspecapisdk", STANDIN_DIRECTORY)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: the emulator's stand-in for wwspecapisdk needs pycryptodome: ")
    assert f"{bare_python} -m pip install pycryptodome" in last
    assert "\nModuleNotFoundError: No module named" not in done.stderr


def test_the_package_that_debian_calls_cryptodome_will_do(bare_python: Path, libraries: Path, tmp_path: Path) -> None:
    """Row 27: Debian's python3-pycryptodome, and pycryptodomex, have the same modules under another name."""
    debian = tmp_path / "debian"
    (debian / "Cryptodome" / "Cipher").mkdir(parents=True)
    (debian / "Cryptodome" / "__init__.py").write_text(f"import sys\nsys.path.append({str(libraries)!r})\n")
    (debian / "Cryptodome" / "Cipher" / "__init__.py").write_text("from Crypto.Cipher import AES\n")
    code = (
        "import wwspecapisdk; from wwspec_standin import seal; key = bytes(32);"
        "call = seal.CallContent('ww1', 1, 1, '{}', 'r', 1); sealed = seal.seal_call(key, call);"
        "print(seal.open_call(key, sealed.headers.items(), sealed.body) == call)"
    )
    done = run(bare_python, code, STANDIN_DIRECTORY, debian)
    assert done.stdout == "True\n", done.stderr


def lacking(path: Path) -> str:
    """Return what a file, or the files of a folder, use that Python 3.6 does not have, as vermin finds it."""
    options = ["--no-config-file", "--eval-annotations", "--no-tips", "--quiet", "--violations", "--target=3.6-"]
    done = finished(Path(sys.executable).with_name("vermin"), *options, path)
    assert bool(done.stdout.strip()) == bool(done.returncode), done.stderr
    return done.stdout


def test_the_stand_in_uses_nothing_that_python_3_6_does_not_have() -> None:
    """Row 27: the vendor makes its module for CPython 3.6 and 3.12."""
    assert lacking(STANDIN_DIRECTORY) == ""


@for_each(
    [
        ("if (size := 1): pass", "named expressions"),
        ("def f(names: list[str]) -> None: pass", "builtin generic type annotation (list[..])"),
        ("import dataclasses", "'dataclasses' module"),
        ("import subprocess\nsubprocess.run('true', capture_output=True)", "'subprocess.run(capture_output)'"),
        ("'ability'.removeprefix('a')", "'str.removeprefix' member"),
    ]
)
def test_what_python_3_6_does_not_have_is_found(code: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(code)
    assert said in lacking(tmp_path / "wrong.py")
