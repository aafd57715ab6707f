"""What the source archives and the wheels hold, and that the wheels work on their own."""

import email
import hashlib
import tarfile
import zipfile

import pytest
from trove_classifiers import classifiers

from scripts.rooms import ROOMS
from tests.packaging.conftest import COMPILED, Archives, names
from tests.support.apps import ROOT
from wwspec_contracts import __version__
from wwspec_devtools.scaffold.project import project_files

pytestmark = pytest.mark.slow
TEMPLATE = "wwspec_devtools/scaffold/files/"
APACHE_2_0 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"""SHA-256 of the licence's text as the Apache Software Foundation publishes it."""


DATA = {
    "contracts": ["errcodes.json", "api_examples.json", "chinese.toml"],
    "router": ["chinese.toml"],
    "client": ["chinese.toml"],
    "devtools": [
        "emulator/console/static/app.js",
        "emulator/standin_java/com/tencent/wework/SpecSDK.java",
        "chinese.toml",
    ],
}


@pytest.mark.parametrize("room", ROOMS)
def test_a_wheel_has_its_package_whole_with_its_data_and_nothing_that_a_tool_left_behind(
    archives: Archives, room: str
) -> None:
    package, entries = ROOMS[room][0].name, names(archives.of(room)[0])
    assert {name.split("/")[0] for name in entries} == {package, f"{package}-{__version__}.dist-info"}
    folder = ROOT / ROOMS[room][0]
    sources = {str(path.relative_to(folder.parent)) for path in folder.rglob("*.py")}
    assert sources == {name for name in entries if name.endswith(".py")}
    assert {f"{package}/{name}" for name in ("py.typed", *DATA[room])} <= entries
    leftovers = ("__pycache__", ".pyc", "_cache", "ruff.toml", "node_modules", ".so", ".db")
    found = [name for name in entries if any(part in name for part in leftovers)]
    assert found == ([f"wwspec_router/codecs/{COMPILED}"] if room == "router" else [])


def test_the_tools_carry_all_that_new_programs_get_and_no_more(archives: Archives) -> None:
    entries = names(archives.of("devtools")[0])
    carried = {name.removeprefix(TEMPLATE) for name in entries if name.startswith(TEMPLATE)}
    assert carried == {*project_files("shop"), *project_files("shop", minimal=True)}


def test_source_archive_has_all_that_a_developer_needs(archives: Archives) -> None:
    with tarfile.open(archives.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "scripts/env", "requirements/dev.txt", "tests/packaging/conftest.py"} <= names
    projects = [package.parent for package, _ in ROOMS.values()]
    assert {str(project / name) for project in projects for name in ("pyproject.toml", "README.md")} <= names
    assert {"message_viewer/page.html", "archive_app/demo", "quality_inspection/README.zh-CN.md"} <= {
        name.removeprefix("examples/") for name in names
    }
    assert {"LICENSE", "SECURITY.md", "CONTRIBUTING.md", "CONTRIBUTING.zh-CN.md", "CHANGELOG.md"} <= names


def test_the_source_archive_of_another_room_has_no_more_than_its_package(archives: Archives) -> None:
    for room in archives.others:
        package = ROOMS[room][0].name
        with tarfile.open(archives.folder / f"{package}-{__version__}.tar.gz") as sdist:
            top = {name.split("/")[1] for name in sdist.getnames()}
        assert top == {package, "pyproject.toml", "README.md", "LICENSE", "PKG-INFO", ".gitignore"}


@pytest.mark.parametrize("room", ROOMS)
def test_metadata_has_what_a_package_index_takes_and_the_licence_is_apache_2_0_word_for_word(
    archives: Archives, room: str
) -> None:
    metadata = f"{ROOMS[room][0].name}-{__version__}.dist-info"
    with zipfile.ZipFile(archives.of(room)[0]) as wheel:
        said = email.message_from_bytes(wheel.read(f"{metadata}/METADATA"))
        licence = wheel.read(f"{metadata}/licenses/LICENSE")
    assert (said["Version"], said["License-Expression"]) == (__version__, "Apache-2.0")
    assert said.get_all("License-File") == ["LICENSE"]
    assert set(said.get_all("Classifier", [])) <= classifiers
    assert said["Summary"]
    assert said.get_payload()
    assert hashlib.sha256(licence).hexdigest() == APACHE_2_0
