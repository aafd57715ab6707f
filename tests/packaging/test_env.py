"""scripts/env: what it keeps, what it removes, and what it never touches."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.conftest import COMPILED, LIBRARIES, build_env, run
from tests.support.apps import ROOT

pytestmark = pytest.mark.slow  # makes virtual environments

BACKEND = """
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(f"{folder}/small-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("small-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\n")
        wheel.writestr("small-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("small-1.dist-info/RECORD", "")
    return "small-1-py3-none-any.whl"
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project that needs nothing, with this repository's scripts/env."""
    folder = tmp_path / "project"
    (folder / "scripts").mkdir(parents=True)
    (folder / "requirements").mkdir()
    shutil.copy(ROOT / "scripts" / "env", folder / "scripts" / "env")
    (folder / ".python-version").write_text("{}.{}\n".format(*sys.version_info[:2]))
    (folder / "requirements" / "dev.txt").touch()
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        "[project]\nname = 'small'\nversion = '1'\n"
    )
    yield folder


def environment(project: Path, *version: str) -> Path:
    """Run scripts/env with this Python first on PATH, and return the folder that it printed."""
    path = f"{Path(os.path.realpath(sys.executable)).parent}:{os.environ['PATH']}"
    return Path(run(project / "scripts" / "env", *version, env=build_env(PATH=path)).strip())


def test_an_environment_is_made_once_and_found_by_its_link(project: Path) -> None:
    made = environment(project)
    assert run(made / "bin/python", "-c", "import importlib.metadata as m; print(m.version('small'))") == "1\n"
    inode = made.stat().st_ino
    assert (environment(project), made.stat().st_ino) == (made, inode)
    assert (project / ".venv").readlink() == made


def test_an_environment_under_a_running_program_stays_and_the_others_go(project: Path) -> None:
    used = environment(project)
    command = [str(used / "bin/python"), "-c", "import sys; print('runs', flush=True); sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"runs\n"
        (project / "requirements" / "dev.txt").write_text("# changed\n")
        second = environment(project)
        assert used.is_dir()
        assert second != used
        assert (project / ".venv").readlink() == second
        program.communicate()
    (project / "requirements" / "dev.txt").write_text("# changed again\n")
    third = environment(project)
    assert [each.name for each in (project / ".venvs").iterdir() if each.is_dir()] == [third.name]


def test_a_folder_that_is_no_link_is_left_alone(project: Path) -> None:
    (project / ".venv").mkdir()
    (project / ".venv" / "mine").touch()
    made = environment(project)
    assert [each.name for each in (project / ".venv").iterdir()] == ["mine"]
    assert made.parent == project / ".venvs"


def test_the_c_file_is_compiled_when_it_has_changed_and_only_then(project: Path) -> None:
    made = environment(project)
    site = Path(run(made / "bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "libraries.pth").write_text("\n".join(map(str, LIBRARIES)), "utf-8")  # what dev.txt installs
    contracts = project / "wwspec_router" / "contracts"
    contracts.mkdir(parents=True)
    for name in ("hatch_build.py", "wwspec_router/contracts/speedups.c"):
        shutil.copy(ROOT / name, project / name)
    assert environment(project) == made
    first = (contracts / COMPILED).stat()
    assert environment(project) == made
    now = (contracts / COMPILED).stat()
    assert (now.st_ino, now.st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    with (contracts / "speedups.c").open("a") as file:
        file.write("/* changed */\n")
    assert environment(project) == made
    assert (contracts / COMPILED).stat().st_ino != first.st_ino
