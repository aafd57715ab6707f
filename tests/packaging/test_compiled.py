"""The compiled part: which wheel has it, where it is made, and what says which one runs."""

import os
import re
import shutil
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.utils import parse_wheel_filename

from tests.packaging.conftest import COMPILED, Archives, build_env, build_wheel, names, run
from tests.support.apps import ROOT, write_files
from tests.support.command import Done
from tests.support.processes import finished
from tests.support.tools import tool

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("compiler")]  # builds archives and compiles

FOLDER = "wwspec_router/codecs"
UNUSED = "static int unused;\n"
"""C that compiles with a warning."""


def tag(wheel: Path) -> tuple[str, str, str]:
    [only] = parse_wheel_filename(wheel.name)[3]
    return only.interpreter, only.abi, only.platform


def checks(installed: Path, env: dict[str, str]) -> str:
    """Return what checks contracts in an environment, as its operator reads it."""
    done = finished(installed / "wwspec", "doctor", cwd="/", env=env)
    [said] = re.findall(r"^\w+ +checks +contracts are checked by (.*)$", done.stdout, re.MULTILINE)
    return str(said)


@pytest.fixture(scope="session")
def compiler() -> None:
    tool("gcc")
    tool("Python.h")


@pytest.fixture
def source(archives: Archives, tmp_path: Path) -> Path:
    with tarfile.open(archives.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / archives.sdist.name.removesuffix(".tar.gz")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / FOLDER).mkdir(parents=True)
    for name in ("hatch_build.py", f"{FOLDER}/speedups.c"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def compile_small(small: Path, **variables: str) -> Done:
    return finished(sys.executable, small / "hatch_build.py", cwd="/", env=build_env(**variables))


def test_a_wheel_with_the_compiled_part_is_for_this_platform_and_the_pure_one_for_all(archives: Archives) -> None:
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert tag(archives.wheel) == (python, python, platform)
    assert tag(archives.pure) == ("py3", "none", "any")
    assert names(archives.wheel) - names(archives.pure) == {f"{FOLDER}/{COMPILED}"}
    assert names(archives.pure) <= names(archives.wheel)


def test_the_c_file_is_in_the_source_archive_alone(archives: Archives) -> None:
    with tarfile.open(archives.sdist) as sdist:
        kept = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"hatch_build.py", f"{FOLDER}/speedups.c", f"{FOLDER}/speedups.pyi"} <= kept
    assert not [name for name in kept if name.endswith(".so")]
    assert not [name for name in names(archives.wheel) if name.endswith(".c")]


def test_what_is_compiled_holds_no_path_of_the_folder_where_it_was_made(archives: Archives) -> None:
    with zipfile.ZipFile(archives.wheel) as wheel:
        module = wheel.read(f"{FOLDER}/{COMPILED}")
    assert b"PyInit_" in module
    assert str(archives.sdist.parent).encode() not in module
    assert b"wwspec-build-" not in module


def test_the_same_source_gives_the_same_wheel(archives: Archives, source: Path, tmp_path: Path) -> None:
    assert build_wheel(source, tmp_path / "again").read_bytes() == archives.wheel.read_bytes()


def test_the_compiled_part_runs_where_it_is_installed_unless_it_is_left_out_at_the_start(
    installed: Path, installed_pure: Path, clean_env: dict[str, str]
) -> None:
    assert checks(installed, clean_env) == "compiled code and msgspec"
    assert checks(installed_pure, clean_env).startswith("msgspec alone (the compiled part, only faster, is in")
    assert checks(installed, {**clean_env, "WWSPEC_PURE": "1"}) == "msgspec alone (WWSPEC_PURE is set)"


def test_a_new_program_passes_its_tests_without_the_compiled_part(
    installed_pure: Path, clean_env: dict[str, str], tmp_path: Path
) -> None:
    run(installed_pure / "wwspec", "new", "shop", cwd=tmp_path, env=clean_env)
    assert "5 passed" in run(installed_pure / "python", "-m", "pytest", cwd=tmp_path / "shop", env=clean_env)


def test_without_a_compiler_the_wheel_is_pure_and_no_warning_is_printed(source: Path, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path / "out", source)
    done = finished(*command, env=build_env(CC="no-such-compiler"))
    assert "py3-none-any.whl" in done.stdout
    assert "no-such-compiler" not in done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()


def test_a_c_file_that_a_user_s_compiler_refuses_gives_the_pure_wheel(source: Path, tmp_path: Path) -> None:
    write_files(source, {f"{FOLDER}/speedups.c": "no C\n"})
    assert tag(build_wheel(source, tmp_path / "out")) == ("py3", "none", "any")


def test_a_warning_of_a_user_s_compiler_is_no_fault(source: Path, tmp_path: Path) -> None:
    with (source / FOLDER / "speedups.c").open("a") as file:
        file.write(UNUSED)
    assert tag(build_wheel(source, tmp_path / "out"))[0] != "py3"


def test_an_editable_install_has_the_compiled_part_beside_the_c_file(source: Path, tmp_path: Path) -> None:
    code = "import sys, build; print(build.ProjectBuilder(sys.argv[1]).build('editable', sys.argv[2]))"
    run(sys.executable, "-c", code, source, tmp_path, cwd=Path("/"), env=build_env())
    assert (source / FOLDER / COMPILED).is_file()
    [wheel] = tmp_path.glob("*.whl")
    assert tag(wheel) == ("py3", "none", "any")  # the file is found in the tree, by the Python that it is for


def test_for_the_developers_a_warning_is_a_fault_and_the_module_before_stays(small: Path) -> None:
    assert compile_small(small).returncode == 0
    before = (small / FOLDER / COMPILED).read_bytes()
    with (small / FOLDER / "speedups.c").open("a") as file:
        file.write(UNUSED)
    done = compile_small(small, CFLAGS="-Werror")
    assert done.returncode == 1
    assert "unused" in done.stderr
    assert f"hatch_build.py: {FOLDER}/speedups.c does not compile: " in done.stderr
    assert "Traceback" not in done.stderr
    assert (small / FOLDER / COMPILED).read_bytes() == before


def test_the_wheels_of_a_release_are_tested_as_they_are_built(installed: Path, clean_env: dict[str, str]) -> None:
    """cibuildwheel needs a container engine; here its test command runs with the wheel of this machine."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["cibuildwheel"]
    env = {**clean_env, "PATH": f"{installed}:{os.environ['PATH']}"}
    contracts = "{project}/packages/contracts"
    assert settings["before-test"] == f"python -m pip install {contracts}", "an index would be asked for our name"
    test = ("/bin/sh", "-c", settings["test-command"])
    run(*test, cwd=Path("/"), env=env)
    assert finished(*test, cwd="/", env={**env, "WWSPEC_PURE": "1"}).returncode != 0
