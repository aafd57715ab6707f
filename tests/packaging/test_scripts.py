"""The scripts that guard a release: hygiene, image, and the locks they rely on."""

import os
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from scripts.rooms import ROOMS
from tests.support.apps import ROOT, write_files
from tests.support.command import Done
from tests.support.processes import finished
from tests.support.tables import for_each
from tests.support.tools import tool
from wwspec_contracts import __version__
from wwspec_devtools.scaffold.project import PACKAGES, framework_requirements, pure_wheel

pytestmark = pytest.mark.slow


def call(*command: str | Path, cwd: Path = ROOT, **variables: str) -> Done:
    return finished(*command, cwd=cwd, env=os.environ | variables)


SCAFFOLD = "packages/devtools/wwspec_devtools/scaffold/files"
A_HOME = "work"
"""A name that begins paths of machines, and is a folder like any other below another one."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A work tree of git's that hygiene has nothing against."""
    tool("git")
    assert call("git", "init", "--quiet", cwd=tmp_path).returncode == 0
    files = {
        "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-01-01\n\n## [1.1.0]\n",
        "wwspec_router/__init__.py": '__version__ = "1.2.0"\n',
        "docs/paths.md": f"The image has its files in /app. docs/{A_HOME}/ and ./tmp/x are nobody's home.\n",
        "requirements/run.txt": "click==8.1.8 \\\n    --hash=sha256:00\n",
    }
    return write_files(tmp_path, files)


def hygiene(tree: Path) -> Done:
    return call(sys.executable, ROOT / "scripts/hygiene.py", tree)


def test_hygiene_passes_a_clean_tree(tree: Path) -> None:
    done = hygiene(tree)
    assert (done.returncode, done.stdout) == (0, "4 files, nothing found\n")


@pytest.mark.parametrize(
    ("name", "line", "meaning"),
    [
        ("docs/a.md", "see https://" + "pypi." + "org/simple", "names a package index"),
        ("docs/a.md", "https://FILES.Python" + "Hosted.Org/x", "names a package index"),
        ("docs/a.md", "cd " + "/home" + "/alice/src", "holds a path of one machine"),
        ("wwspec_router/a.py", 'PATH = "' + "/ro" + 'ot/x"', "holds a path of one machine"),
        ("wwspec_router/a.py", "PATH = '/tm" + "p/x'", "holds a path of one machine"),
        ("requirements/a.txt", "x @ https://example.com/x.whl", "says where to download from"),
        ("requirements/a.in", "--" + "index-url x", "says where to download from"),
        ("tests/a.py", 'open(".' + './shared/x")', "reads outside the repository"),
        ("tests/a.py", "ROOT.parent / " + '"shared"', "reads outside the repository"),
        ("docs/a.md", "the fault and the me" + "nd", "write fix or repair instead of"),
        ("scripts/a", "#!/usr/bin/env bash", "has a #! line and is not executable"),
    ],
)
def test_hygiene_names_file_line_and_fault(tree: Path, name: str, line: str, meaning: str) -> None:
    first = "" if line.startswith("#!") else "clean\n"
    (tree / name).parent.mkdir(exist_ok=True)
    (tree / name).write_text(f"{first}{line}\n", "utf-8")
    done = hygiene(tree)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{name}:{2 if first else 1}: {meaning}")


def test_hygiene_finds_words_inside_names(tree: Path) -> None:
    found = {
        "def _told_app(): ...": "_told_app",
        "async def tell(): ...": "tell",
        "class CallsInHand: ...": "CallsInHand",
        "def f(look_in): ...": "look_in",
        "calls_in_hand = 1": "calls_in_hand",
        "self._board = 1": "_board",
        "def take(): ...": "take",
        "def test_a_fault_is_mended(): ...": "test_a_fault_is_mended",
    }
    write_files(tree, {"a.py": "".join(f"{line}\n" for line in found)})
    done = hygiene(tree)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"a.py:{number}: write a name for what it does or returns instead of: {name}"
        for number, name in enumerate(found.values(), 1)
    ]


def test_hygiene_passes_other_names_the_sentences_of_tests_and_ignored_files(tree: Path) -> None:
    names = "def take_lock(): ...\nstart = file.tell()\nonboarding = 'nobody is told'\n"
    ignored = {".gitignore": "notes.md\n", "notes.md": "/ro" + "ot/x\n"}
    write_files(tree, {"a.py": f"def test_the_app_is_told_once(): ...\n{names}", **ignored})
    assert hygiene(tree).returncode == 0


@pytest.mark.parametrize("changelog", ["## [1.1.0]\n", "## [Unreleased]\n", None])
def test_hygiene_compares_changelog_and_version(tree: Path, changelog: str | None) -> None:
    (tree / "CHANGELOG.md").unlink()
    if changelog:
        (tree / "CHANGELOG.md").write_text(changelog, "utf-8")
    done = hygiene(tree)
    assert done.returncode == 1
    assert "wwspec_router/__init__.py has 1.2.0" in done.stdout


@pytest.mark.parametrize(
    "text", ['version = "1.3.0"', 'dependencies = ["wwspec-contracts==1.1.0"]', 'x = ["wwspec-router[zone]==1.1"]']
)
def test_hygiene_compares_the_versions_of_all_packages_and_their_pins(tree: Path, text: str) -> None:
    write_files(tree, {"packages/client/pyproject.toml": text})
    done = hygiene(tree)
    assert done.returncode == 1
    fault = r"packages/client/pyproject.toml: has .*, and the newest version in CHANGELOG.md is 1.2.0"
    assert re.match(fault, done.stdout)


def pins_of(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def project_of(room: str) -> dict[str, Any]:
    text = (ROOT / ROOMS[room][0].parent / "pyproject.toml").read_text("utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project


@for_each(
    [
        ("run.txt", ("contracts", "router"), {"zone"}),
        ("light.txt", ROOMS, {"zone"}),
        ("dev.txt", ROOMS, None),
        ("bench.txt", ROOMS, None),
    ]
)
def test_lock_pins_every_requirement_within_its_bound(lock: str, rooms: Iterable[str], extras: set[str] | None) -> None:
    pins = pins_of(lock)
    assert not [name for name in pins if name.startswith("wwspec")]  # which no index has
    for project in map(project_of, rooms):
        optional = project.get("optional-dependencies", {})
        chosen = [row for extra, rows in optional.items() if extras is None or extra in extras for row in rows]
        for requirement in map(Requirement, [*project["dependencies"], *chosen]):
            if not requirement.name.startswith("wwspec-"):
                assert Version(pins[requirement.name]) in requirement.specifier, requirement


def test_packages_require_only_extras_that_are_there() -> None:
    optional = {f"wwspec-{room}": project_of(room).get("optional-dependencies", {}) for room in ROOMS}
    for room, extras in optional.items():
        rows = [
            *project_of(room.removeprefix("wwspec-"))["dependencies"],
            *(row for each in extras.values() for row in each),
        ]
        for requirement in map(Requirement, rows):
            assert requirement.extras <= {*optional.get(requirement.name, requirement.extras)}


def test_the_light_environment_has_a_small_part_of_the_full_one_in_the_same_versions() -> None:
    light, full = pins_of("light.txt"), pins_of("dev.txt")
    assert light.items() <= full.items()
    assert len(light) < len(full) / 3


def test_every_pin_has_its_hashes() -> None:
    locks = list((ROOT / "requirements").glob("*.txt"))
    assert len(locks) > 5
    for lock in locks:
        for pin in re.split(r"^(?=[\w.-]+==)", lock.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            assert "--hash=sha256:" in pin, pin


def test_the_image_s_builder_has_a_pin_of_what_builds_the_wheels() -> None:
    pins = pins_of("build.txt")
    for project in (ROOT / "pyproject.toml", ROOT / "packages/contracts/pyproject.toml"):
        for requirement in map(Requirement, tomllib.loads(project.read_text("utf-8"))["build-system"]["requires"]):
            assert Version(pins[requirement.name]) in requirement.specifier, requirement


@pytest.mark.parametrize("arguments", [(), ("--publish",), ("--check", "now")])
def test_release_only_checks(arguments: tuple[str, ...]) -> None:
    done = call(ROOT / "scripts/release", *arguments)
    assert (done.returncode, done.stdout) == (64, "")
    assert "usage: scripts/release --check" in done.stderr


def test_a_tag_of_another_version_builds_nothing() -> None:
    done = call(ROOT / "scripts/release", "--build", GITHUB_REF_TYPE="tag", GITHUB_REF_NAME="v0")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"scripts/release: the tag v0 is not v{__version__}, the version of the packages\n"


def test_the_run_of_a_change_takes_no_arguments() -> None:
    done = call(ROOT / ".ci/run", "test")
    assert (done.returncode, done.stdout) == (64, "")
    assert "usage: .ci/run" in done.stderr


@pytest.mark.parametrize("name", ["websockets", "watchfiles", "pyyaml", "python-dotenv"])
def test_the_image_does_not_hold_what_production_does_not_use(name: str) -> None:
    pins = pins_of("run.txt")
    assert {"uvicorn", "uvloop", "httptools"} <= pins.keys()
    assert name not in pins


PIP = re.compile(r"\bpip\b.*\b(?:install|download|wheel)\b")
OF_AN_INDEX = re.compile(r"(?<![\w./-])wwspec[-_](?:router|contracts|client|devtools)(?!\w|[-_]\w|/|\.)")
"""A name of ours where pip would take it for one of an index: neither a path, nor the file of a wheel."""


def asked(text: str) -> list[str]:
    """Return the lines of a script or Dockerfile where pip gets a name of ours; a line that goes on is one."""
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [line for line in lines if (found := PIP.search(line)) and OF_AN_INDEX.search(line, found.end())]


@for_each(
    [
        ("python -m pip install 'wwspec-router[dev]'", True),
        ("RUN pip install --quiet \\\n    wwspec_contracts==0.1.0", True),
        ("pip download wwspec-client", True),
        ("pip install -e . -e packages/client", False),
        ("pip install ./wheels/wwspec_router-0.1.0-py3-none-any.whl[zone]", False),
        ('pip install "$root/dist/wwspec_devtools-$version.whl[dev]"', False),
        ("wwspec new shop", False),
    ]
)
def test_a_name_that_pip_would_ask_an_index_for_is_found(line: str, is_asked: bool) -> None:
    assert bool(asked(line)) is is_asked


def test_pip_asks_no_index_for_a_name_of_ours() -> None:
    """Somebody else may publish there under it: a hole."""
    tracked = [tool("git"), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = call(*tracked).stdout.split("\0")
    scripts = [name for name in names if re.search(r"^scripts/|^\.ci/|Dockerfile$|/demo$|\.sh$|\.ya?ml$", name)]
    assert {"scripts/env", "scripts/release", ".ci/run", "Dockerfile", "examples/archive_app/demo"} <= {*scripts}
    texts = {name: (ROOT / name).read_text("utf-8", "replace") for name in scripts if (ROOT / name).is_file()}
    assert {name: asked(text) for name, text in texts.items() if asked(text)} == {}
    requirements = [name for name in names if re.search(r"(?:^|/)requirements[\w-]*(?:/[\w-]+)?\.(?:txt|in)$", name)]
    assert {"requirements/run.txt", f"{SCAFFOLD}/requirements.txt", f"{SCAFFOLD}/requirements-dev.txt"} <= {
        *requirements
    }
    for name in requirements:
        lines = [line for line in (ROOT / name).read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]
        assert [line for line in lines if OF_AN_INDEX.search(line)] == []


@pytest.mark.parametrize("of", ["zone", "dev"])
def test_the_requirements_of_a_new_program_name_our_wheels_by_path(of: str) -> None:
    zone = f"wwspec_router-{__version__}-cp312-cp312-manylinux_2_17_x86_64.whl"
    for wheels in ([], [zone, *map(pure_wheel, PACKAGES)]):
        lines = framework_requirements(of, wheels).splitlines()
        assert lines
        assert [line for line in lines if not line.startswith("./wheels/wwspec_")] == []
        assert all(OF_AN_INDEX.search(line) is None for line in lines)
    both = [*framework_requirements("zone", []).splitlines(), *framework_requirements("dev", []).splitlines()]
    assert {line.split("/")[2].split("-")[0] for line in both} == {*PACKAGES}
