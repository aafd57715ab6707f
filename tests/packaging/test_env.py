"""scripts/env: what it keeps, what it removes, and what it never touches."""

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from scripts.rooms import ROOMS
from tests.packaging.conftest import COMPILED, LIBRARIES, build_env, run
from tests.support.apps import ROOT, write_files
from tests.support.processes import finished

pytestmark = pytest.mark.slow  # makes virtual environments

BACKEND = """
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(f"{folder}/NAME-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("NAME-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: NAME\\nVersion: 1\\n")
        wheel.writestr("NAME-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("NAME-1.dist-info/RECORD", "")
    return "NAME-1-py3-none-any.whl"
"""


def new_project(parent: Path) -> Path:
    """Make a project of four packages that need nothing, with this repository's scripts/env and two that use it."""
    folder = parent / "my project"
    (folder / "scripts").mkdir(parents=True)
    for name in ("demo", "env", "package"):
        shutil.copy(ROOT / "scripts" / name, folder / "scripts" / name)
    version = "{}.{}\n".format(*sys.version_info[:2])
    files = {".python-version": version, "requirements/dev.txt": "", "requirements/light.txt": "# fewer\n"}
    build = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    for room, (package, _) in ROOMS.items():
        files[f"{package.parent}/backend.py"] = BACKEND.replace("NAME", room)
        files[f"{package.parent}/pyproject.toml"] = f"{build}[project]\nname = '{room}'\nversion = '1'\n"
    return write_files(folder, files)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return new_project(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of several tests, which all have the same environment: to make one takes seconds."""
    return new_project(tmp_path_factory.mktemp("shared"))


PYTHON = Path(os.path.realpath(sys.executable))


def script(project: Path, name: str, *arguments: str, first: Path = PYTHON.parent) -> str:
    path = f"{first}:{PYTHON.parent}:{os.environ['PATH']}"
    return run(project / "scripts" / name, *arguments, env=build_env(PATH=path)).strip()


def environment(project: Path, *arguments: str, first: Path = PYTHON.parent) -> Path:
    return Path(script(project, "env", *arguments, first=first))


def environments(project: Path) -> list[Path]:
    return [each for each in (project / ".venvs").iterdir() if each.is_dir()]


def refusal(project: Path, **variables: str) -> tuple[int, list[str]]:
    """Run scripts/env where it can't succeed, and return its exit code and what it says."""
    path = f"{PYTHON.parent}:{os.environ['PATH']}"
    done = finished(project / "scripts" / "env", env=build_env(PATH=path, **variables))
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


def test_an_environment_is_made_once_and_found_by_its_link(shared: Path) -> None:
    made = environment(shared)
    code = f"import importlib.metadata as m; print(*map(m.version, {[*ROOMS]}))"
    assert run(made / "bin/python", "-c", code) == "1 1 1 1\n"
    inode = made.stat().st_ino
    assert (environment(shared), made.stat().st_ino) == (made, inode)
    assert (shared / ".venv").readlink() == made


@pytest.mark.parametrize("room", ["router", "client"])
def test_another_environment_is_made_when_a_package_requires_something_else(project: Path, room: str) -> None:
    made = environment(project)
    with (project / ROOMS[room][0].parent / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    assert environment(project) != made


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
    assert environments(project) == [third]


NOWHERE = f"other==1 --hash=sha256:{'0' * 64}\n"
"""A requirement that can't be installed."""


def test_a_light_environment_is_made_where_no_full_one_is_and_goes_when_that_is_made(project: Path) -> None:
    (project / "requirements" / "dev.txt").write_text(NOWHERE)
    light = environment(project, "--light")
    assert (project / ".venv").readlink() == light
    (project / "requirements" / "dev.txt").write_text("# changed\n")
    assert environment(project, "--light") == light
    full = environment(project)
    assert environments(project) == [full]
    assert light != full
    assert environment(project, "--light") == full == (project / ".venv").readlink()
    (project / "requirements" / "light.txt").write_text(NOWHERE)
    assert environment(project, "--light") == full


def test_the_demo_and_the_build_of_wheels_make_do_with_a_light_environment(project: Path) -> None:
    (project / "requirements" / "dev.txt").write_text(NOWHERE)
    (project / "build.py").write_text("import sys\nprint(sys.prefix, *sys.argv[1:])")
    assert {line.split(" --")[0] for line in script(project, "package", "--build").splitlines()} == {
        str(environment(project, "--light"))
    }
    verb = project / ".venv" / "bin" / "wwspec"
    verb.write_text('#!/bin/sh\necho "$@"\n')
    verb.chmod(0o755)
    assert script(project, "demo", "--once") == "demo --once"


def test_the_demo_explains_itself_and_installs_nothing(shared: Path) -> None:
    before = [*shared.iterdir()]
    for option in ("-h", "--help"):
        first, usage, *_ = script(shared, "demo", option).splitlines()
        assert first.startswith("Shows the reference program at work")
        assert usage.startswith("usage: scripts/demo [--once]")
    assert [*shared.iterdir()] == before


def test_an_environment_that_is_active_is_found_again(shared: Path) -> None:
    made = environment(shared)
    inode = made.stat().st_ino
    assert (environment(shared, first=made / "bin"), made.stat().st_ino) == (made, inode)
    assert run(made / "bin/python", "-c", "print('runs')") == "runs\n"


def test_another_environment_that_is_active_lends_the_python_that_it_is_made_from(
    project: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    run(PYTHON, "-m", "venv", "--without-pip", other)
    made = environment(project, first=other / "bin")
    assert f"home = {PYTHON.parent}\n" in (made / "pyvenv.cfg").read_text()
    assert environment(project) == made


def test_an_active_environment_without_its_python_is_passed_over(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    run(PYTHON, "-m", "venv", "--without-pip", other)
    for each in (other / "bin").glob("python*"):
        each.unlink()
        each.symlink_to(tmp_path / "gone")
    assert environment(project, first=other / "bin") == environment(project)


def test_a_python_without_its_venv_module_is_named_with_the_package_that_brings_it(project: Path) -> None:
    (project / "ensurepip.py").write_text("raise ModuleNotFoundError")
    code, [line] = refusal(project, PYTHONPATH=str(project))
    assert code == 69
    assert "is there without its module ensurepip; on Debian and Ubuntu: sudo apt-get install python3" in line
    assert line.endswith("-venv")


def test_without_a_network_one_line_says_so_and_the_environment_that_is_there_stays(project: Path) -> None:
    made = environment(project)
    (project / "requirements" / "dev.txt").write_text(NOWHERE)
    nothing = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_RETRIES": "1"}
    for _ in range(2):
        code, [making, installing, line] = refusal(project, **nothing)
        assert (code, making.split()[1], installing.split()[1]) == (1, "making", "installing")
        assert line.startswith("scripts/env: pip can't reach the package index (NewConnectionError(")
        assert environments(project) == [made]
    assert (project / ".venv").readlink() == made


@pytest.mark.parametrize(("level", "options"), [("dev", ()), ("light", ("--light",))])
def test_what_is_downloaded_can_be_kept_for_others(
    project: Path, tmp_path: Path, level: str, options: tuple[str, ...]
) -> None:
    index, kept = tmp_path / "index", tmp_path / "kept"
    index.mkdir()
    build: dict[str, Any] = {}
    exec(BACKEND.replace("NAME", "other"), build)  # noqa: S102 - the text above
    wheel = index / build["build_editable"](index)
    digest = sha256(wheel.read_bytes()).hexdigest()
    (project / "requirements" / f"{level}.txt").write_text(f"other==1 --hash=sha256:{digest}\n")
    path = f"{PYTHON.parent}:{os.environ['PATH']}"
    variables = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index), "CI_WHEELS": str(kept)}
    made = run(project / "scripts" / "env", *options, env=build_env(PATH=path, **variables)).strip()
    assert run(f"{made}/bin/python", "-c", "import importlib.metadata as m; print(m.version('other'))") == "1\n"
    assert [each.name for each in kept.iterdir()] == [wheel.name]


def test_a_folder_that_is_no_link_is_left_alone(shared: Path) -> None:
    (shared / ".venv").unlink(missing_ok=True)
    (shared / ".venv").mkdir()
    (shared / ".venv" / "mine").touch()
    made = environment(shared)
    assert [each.name for each in (shared / ".venv").iterdir()] == ["mine"]
    assert made.parent == shared / ".venvs"
    shutil.rmtree(shared / ".venv")  # which other tests need


def test_the_c_file_is_compiled_when_it_has_changed_and_only_then(shared: Path) -> None:
    made = environment(shared)
    site = Path(run(made / "bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "libraries.pth").write_text("\n".join(map(str, LIBRARIES)), "utf-8")  # what dev.txt installs
    contracts = shared / "wwspec_router" / "codecs"
    contracts.mkdir(parents=True)
    for name in ("hatch_build.py", "wwspec_router/codecs/speedups.c"):
        shutil.copy(ROOT / name, shared / name)
    assert environment(shared) == made
    first = (contracts / COMPILED).stat()
    assert environment(shared) == made
    now = (contracts / COMPILED).stat()
    assert (now.st_ino, now.st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    with (contracts / "speedups.c").open("a") as file:
        file.write("/* changed */\n")
    assert environment(shared) == made
    assert (contracts / COMPILED).stat().st_ino != first.st_ino
