"""`wwspec new --wheels`: the framework's wheels in the new program, and its requirement files, which name them."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.scaffold.commands import refused
from tests.support.apps import ROOT
from tests.support.command import wwspec
from tests.support.pages import blocks_of_page
from wwspec_devtools.scaffold import project
from wwspec_devtools.scaffold.project import project_files, pure_wheel
from wwspec_router import __version__

PURE = f"wwspec_router-{__version__}-py3-none-any.whl"
COMPILED = f"wwspec_router-{__version__}-cp312-cp312-linux_x86_64.whl"
MANYLINUX = f"wwspec_router-{__version__}-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
ZONE = {"sys_platform": "linux", "platform_machine": "x86_64", "python_version": "3.12"}
OTHERS = [pure_wheel(package) for package in ("wwspec_contracts", "wwspec_client", "wwspec_devtools")]
"""The wheels of our other packages."""
HOW = "`scripts/package --build` in a clone of wwspec_router builds the wheels in dist/"


def new_program(folder: Path, *wheels: str) -> Path:
    """Make a program with wheels of these names, and return its folder."""
    dist = folder / "dist"
    dist.mkdir()
    for name in (*wheels, *OTHERS):
        (dist / name).write_text(name)
    done = wwspec(folder, "new", "shop", "--wheels", dist)
    assert done.returncode == 0, done.stderr
    return folder / "shop"


def required(shop: Path, name: str, **environment: str) -> list[str]:
    """Return the files that a requirements file names, in an environment."""
    found = []
    for line in (shop / name).read_text("utf-8").splitlines():
        if line.startswith("./"):
            path, _, marker = line.partition(" ; ")
            asked = Requirement(f"x ; {marker}" if marker else "x").marker
            found += [path] if asked is None or asked.evaluate(environment) else []
    return found


@pytest.mark.parametrize("compiled", [COMPILED, MANYLINUX])
def test_the_zone_gets_the_compiled_wheel_and_every_other_python_the_pure_one(tmp_path: Path, compiled: str) -> None:
    shop = new_program(tmp_path, PURE, compiled)
    assert sorted(path.name for path in (shop / "wheels").iterdir()) == sorted([PURE, compiled, *OTHERS])
    assert (shop / "wheels" / compiled).read_text() == compiled
    contracts, client, devtools = OTHERS
    assert required(shop, "requirements.txt", **ZONE) == [f"./wheels/{compiled}[zone]", f"./wheels/{contracts}"]
    assert required(shop, "requirements-dev.txt", **ZONE) == [f"./wheels/{client}", f"./wheels/{devtools}[dev]"]
    for other in ({"sys_platform": "darwin"}, {"platform_machine": "aarch64"}, {"python_version": "3.13"}):
        assert required(shop, "requirements.txt", **(ZONE | other))[0] == f"./wheels/{PURE}[zone]"


@pytest.mark.parametrize("only", [PURE, COMPILED])
def test_a_folder_with_one_wheel_is_enough(tmp_path: Path, only: str) -> None:
    shop = new_program(tmp_path, only)
    assert required(shop, "requirements.txt") == [f"./wheels/{only}[zone]", f"./wheels/{OTHERS[0]}"]
    assert sorted(path.name for path in (shop / "wheels").iterdir()) == sorted([only, *OTHERS])


def test_of_several_versions_that_of_the_command_is_taken_and_nothing_for_other_pythons(tmp_path: Path) -> None:
    others = [
        "wwspec_router-0.0.9-py3-none-any.whl",
        f"wwspec_router-{__version__}-cp313-cp313-linux_x86_64.whl",
        f"wwspec_router-{__version__}-cp312-cp312-linux_aarch64.whl",
        f"wwspec_router-{__version__}-cp312-cp312-musllinux_1_2_x86_64.whl",
        f"wwspec_router-{__version__}.tar.gz",
    ]
    shop = new_program(tmp_path, PURE, COMPILED, MANYLINUX, *others)
    assert sorted(path.name for path in (shop / "wheels").iterdir()) == sorted([PURE, MANYLINUX, *OTHERS])


def test_the_wheels_that_it_has_are_named_and_the_next_steps_install_them_as_readme_does(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in (PURE, *OTHERS):
        (clone / name).touch()
    _, wheels, *steps = wwspec(clone, "new", "../shop", "--wheels", ".").stdout.splitlines()
    assert wheels == f"../shop/wheels: {', '.join([PURE, *OTHERS])}"
    [shown] = [block.text for block in blocks_of_page(ROOT / "README.md") if "wwspec new" in block.text]
    assert [step.partition("#")[0].strip() for step in steps[:5]] == shown.splitlines()[2:]


def test_a_folder_of_wheels_that_lacks_one_or_is_not_there_is_refused(tmp_path: Path) -> None:
    for name in (PURE, OTHERS[0], OTHERS[2]):
        (tmp_path / name).touch()
    assert refused(tmp_path, "shop", "--wheels", ".") == [f"Error: .: lacks {OTHERS[1]}; {HOW}"]
    (tmp_path / "file").touch()
    for name, why in (("nowhere", "No such file or directory"), ("file", "Not a directory")):
        assert refused(tmp_path, "shop", "--wheels", name) == [f"Error: {name}: can't be read: {why}; {HOW}"]
    dist = tmp_path / "dist"
    dist.mkdir()
    neither = f"Error: dist: has neither {PURE} nor that for CPython 3.12 on Linux x86_64; it holds"
    assert refused(tmp_path, "shop", "--wheels", "dist") == [f"{neither} no wheel of wwspec_router; {HOW}"]
    (dist / "wwspec_router-0.0.9-py3-none-any.whl").touch()
    assert refused(tmp_path, "shop", "--wheels", "dist") == [f"{neither} wwspec_router-0.0.9-py3-none-any.whl; {HOW}"]


def test_without_wheels_the_requirements_name_the_one_that_is_still_to_be_copied(tmp_path: Path) -> None:
    lines = wwspec(tmp_path, "new", "shop").stdout.splitlines()
    assert required(tmp_path / "shop", "requirements.txt") == [f"./wheels/{PURE}[zone]", f"./wheels/{OTHERS[0]}"]
    assert lines[1] == (
        f"shop/wheels: pip and the image need {', '.join([PURE, *OTHERS])} there; `scripts/package --build` in a clone "
        "of wwspec_router makes them, and --wheels copies them"
    )


def test_the_requirements_name_no_index_and_nothing_that_pip_would_ask_one_for(tmp_path: Path) -> None:
    shop = new_program(tmp_path, PURE, COMPILED)
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (shop / name).read_text("utf-8").splitlines()
        assert any(line.startswith("./wheels/") for line in lines)
        asked = [line for line in lines if not line.startswith(("#", "./wheels/", "-r requirements.txt"))]
        assert asked == []


def test_once_it_is_published_a_program_names_the_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "PUBLISHED", True)
    files = project_files("shop")
    assert files["requirements.txt"].splitlines()[-2:] == [
        f"wwspec-router[zone]=={__version__}",
        f"wwspec-contracts=={__version__}",
    ]
    assert files["requirements-dev.txt"].splitlines()[-2:] == [
        f"wwspec-client=={__version__}",
        f"wwspec-devtools[dev]=={__version__}",
    ]
    named = project_files("shop", [Path(PURE)])["requirements.txt"]
    assert f"./wheels/{PURE}[zone]" in named.splitlines()
