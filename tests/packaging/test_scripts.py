"""The scripts that guard a release: hygiene, image, and the locks they rely on."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.packaging.conftest import ROOT

pytestmark = pytest.mark.slow


def call(*command: str | Path, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | variables
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False)


A_HOME = "work"
"""A name that begins paths of machines, and is a folder like any other below another one."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A work tree of git's that hygiene has nothing against."""
    assert call("git", "init", "--quiet", cwd=tmp_path).returncode == 0
    files = {
        "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-01-01\n\n## [1.1.0]\n",
        "wwspec_router/__init__.py": '__version__ = "1.2.0"\n',
        "docs/paths.md": f"The image has its files in /app. docs/{A_HOME}/ and ./tmp/x are nobody's home.\n",
        "requirements/run.txt": "click==8.1.8 \\\n    --hash=sha256:00\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def hygiene(tree: Path) -> subprocess.CompletedProcess[str]:
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


def test_hygiene_leaves_ignored_files_alone(tree: Path) -> None:
    (tree / ".gitignore").write_text("notes.md\n", "utf-8")
    (tree / "notes.md").write_text("/ro" + "ot/x\n", "utf-8")
    assert hygiene(tree).returncode == 0


@pytest.mark.parametrize("changelog", ["## [1.1.0]\n", "## [Unreleased]\n", None])
def test_hygiene_compares_changelog_and_version(tree: Path, changelog: str | None) -> None:
    (tree / "CHANGELOG.md").unlink()
    if changelog:
        (tree / "CHANGELOG.md").write_text(changelog, "utf-8")
    done = hygiene(tree)
    assert done.returncode == 1
    assert "wwspec_router.__version__ is 1.2.0" in done.stdout


@pytest.mark.parametrize(("lock", "extras"), [("run.txt", {"zone"}), ("dev.txt", None)])
def test_lock_pins_every_requirement_within_its_bound(lock: str, extras: set[str] | None) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    wanted = project["dependencies"] + [
        row for extra, rows in optional.items() if extras is None or extra in extras for row in rows
    ]
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))
    for requirement in map(Requirement, wanted):
        assert Version(pins[requirement.name]) in requirement.specifier, requirement


@pytest.fixture
def image_tree(tmp_path: Path) -> Path:
    """A folder with scripts/image, and a `bin` that holds the few commands it may use."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/image").write_bytes((ROOT / "scripts/image").read_bytes())
    (tmp_path / "bin").mkdir()
    for command in ("dirname", "mkdir", "mv", "rm", "tar"):
        (tmp_path / "bin" / command).symlink_to(f"/usr/bin/{command}")
    return tmp_path


def image(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return call("/bin/bash", tree / "scripts/image", *options, cwd=Path("/"), PATH=str(tree / "bin"))


def test_image_says_what_it_needs(image_tree: Path) -> None:
    done = image(image_tree)
    assert (done.returncode, done.stdout) == (69, "")
    assert all(tool in done.stderr for tool in ("docker", "podman", "buildah"))


def test_image_help_needs_no_container_tool(image_tree: Path) -> None:
    done = image(image_tree, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--base IMAGE" in done.stdout


@pytest.mark.parametrize("tool", ["docker", "podman", "buildah"])
def test_image_exports_a_flat_file_system(image_tree: Path, tool: str) -> None:
    """The container tool is a recording one: real ones need a base image from a network."""
    flat = image_tree / "flat"
    (flat / "app").mkdir(parents=True)
    stand_in = image_tree / "bin" / tool
    stand_in.write_text(
        f"""#!/bin/bash
echo "$*" >> {image_tree}/calls
case $1 in
    create | from) echo box ;;
    mount) echo {flat} ;;
    export) tar -cf "$3" -C {flat} . ;;
esac
""",
        "utf-8",
    )
    stand_in.chmod(0o755)
    output = image_tree / "out/zone.tar"

    done = image(image_tree, "--base", "other:3.12", "--output", str(output), "--pull")

    assert done.returncode == 0, done.stderr
    assert "wwspecapisdk.so is missing" in done.stderr
    assert done.stdout.endswith(f"{output}\n")
    with tarfile.open(output) as archive:
        assert "./app" in archive.getnames()
    calls = (image_tree / "calls").read_text("utf-8").splitlines()
    assert "build --build-arg BASE_IMAGE=other:3.12 --pull --tag wwspec-zone-program ." in calls
    assert calls[-1] == "rm box"
    assert not any(row.startswith("save") for row in calls)
    assert list(output.parent.iterdir()) == [output]
