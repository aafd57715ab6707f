"""What the source archive and the wheel hold, and that the wheel works on its own."""

import email
import hashlib
import tarfile
import zipfile
from pathlib import Path

import pytest
from trove_classifiers import classifiers

import wwspec_router
from tests.packaging.conftest import COMPILED, Archives, run
from wwspec_devtools.scaffold.project import project_files

pytestmark = pytest.mark.slow
TEMPLATE = "packages/devtools/wwspec_devtools/scaffold/files/"
METADATA = f"wwspec_router-{wwspec_router.__version__}.dist-info"
APACHE_2_0 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"""SHA-256 of the licence's text as the Apache Software Foundation publishes it."""


@pytest.fixture(scope="module")
def entries(archives: Archives) -> dict[str, zipfile.ZipInfo]:
    """The wheel's files by name."""
    with zipfile.ZipFile(archives.wheel) as wheel:
        return {entry.filename: entry for entry in wheel.infolist()}


def test_wheel_has_one_top_level_package(entries: dict[str, zipfile.ZipInfo]) -> None:
    assert {name.split("/")[0] for name in entries} == {"wwspec_router", METADATA}


@pytest.mark.parametrize(
    "name",
    [
        "wwspec_router/py.typed",
        "wwspec_router/__main__.py",
        "packages/devtools/wwspec_devtools/emulator/standin/wwspecapisdk.py",
        "packages/devtools/wwspec_devtools/scaffold/files/.dockerignore",
        "packages/devtools/wwspec_devtools/scaffold/files/abilities/registry.toml",
        "packages/contracts/wwspec_contracts/api/sync_msg.py",
    ],
)
def test_wheel_carries(name: str, entries: dict[str, zipfile.ZipInfo]) -> None:
    assert name in entries


def test_wheel_carries_all_that_new_programs_get_and_no_more(entries: dict[str, zipfile.ZipInfo]) -> None:
    carried = {name.removeprefix(TEMPLATE) for name in entries if name.startswith(TEMPLATE)}
    assert carried == set(project_files("shop"))


def test_wheel_carries_every_source_file_of_the_package(entries: dict[str, zipfile.ZipInfo]) -> None:
    package = Path(wwspec_router.__file__).parent
    sources = {f"wwspec_router/{path.relative_to(package)}" for path in package.rglob("*.py")}
    assert sources == {name for name in entries if name.endswith(".py")}


def test_wheel_carries_nothing_that_a_tool_left_behind(entries: dict[str, zipfile.ZipInfo]) -> None:
    leftovers = ("__pycache__", ".pyc", "_cache", "ruff.toml", ".so", ".db")
    found = [name for name in entries if Path(name).name != COMPILED and any(part in name for part in leftovers)]
    assert found == []
    assert f"wwspec_router/codecs/{COMPILED}" in entries


def test_source_archive_has_all_that_a_developer_needs(archives: Archives) -> None:
    with tarfile.open(archives.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "scripts/env", "requirements/dev.txt", "tests/packaging/conftest.py"} <= names
    assert {f"examples/archive_app/{name}" for name in ("app.py", "demo", "README.md", "README.zh-CN.md")} <= names
    assert {f"examples/message_viewer/{name}" for name in ("app.py", "page.html", "demo", "README.zh-CN.md")} <= names
    assert {"examples/quality_inspection/abilities/registry.toml", "examples/quality_inspection/README.md"} <= names
    assert {"LICENSE", "SECURITY.md", "CONTRIBUTING.md", "CONTRIBUTING.zh-CN.md", "CHANGELOG.md"} <= names


def test_the_licence_is_apache_2_0_word_for_word(archives: Archives) -> None:
    with zipfile.ZipFile(archives.wheel) as wheel:
        text = wheel.read(f"{METADATA}/licenses/LICENSE")
    assert hashlib.sha256(text).hexdigest() == APACHE_2_0


def test_metadata_has_what_a_package_index_takes(archives: Archives) -> None:
    with zipfile.ZipFile(archives.wheel) as wheel:
        metadata = email.message_from_bytes(wheel.read(f"{METADATA}/METADATA"))
    assert (metadata["Version"], metadata["License-Expression"]) == (wwspec_router.__version__, "Apache-2.0")
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert set(metadata.get_all("Classifier", [])) <= classifiers
    assert metadata["Summary"]
    assert metadata.get_payload()


def test_installed_wheel_imports_from_its_own_folder(installed: Path, clean_env: dict[str, str]) -> None:
    code = "import wwspec_router; print(wwspec_router.__version__, wwspec_router.__file__)"
    version, file = run(installed / "python", "-c", code, cwd=Path("/"), env=clean_env).split()
    assert version == wwspec_router.__version__
    assert Path(file).is_relative_to(installed.parent)


@pytest.mark.parametrize("name", ["abilities", "schemas", "tests", "benchmarks", "examples", "wwspecapisdk"])
def test_installed_wheel_brings_no_second_package(name: str, installed: Path, clean_env: dict[str, str]) -> None:
    code = "from importlib.metadata import files; print(*{each.parts[0] for each in files('wwspec-router')})"
    brought = run(installed / "python", "-c", code, cwd=Path("/"), env=clean_env).split()
    assert "wwspec_router" in brought
    assert name not in brought


def test_installed_command_shows_its_help(installed: Path, clean_env: dict[str, str]) -> None:
    shown = run(installed / "wwspec", "--help", cwd=Path("/"), env=clean_env)
    assert "Usage: wwspec" in shown
    assert "serve" in shown


def test_installed_package_runs_as_a_module(installed: Path, clean_env: dict[str, str]) -> None:
    shown = run(installed / "python", "-m", "wwspec_router", "serve", "--help", cwd=Path("/"), env=clean_env)
    assert "--port" in shown
