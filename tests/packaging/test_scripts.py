"""The scripts that guard a release: hygiene, image, and the locks they rely on."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.version import Version

import wwspec_router
from tests.support.apps import ROOT

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
        ("docs/a.md", "the fault and the me" + "nd", "write fix or repair instead of"),
        ("wwspec_router/cli/a.py", "def _to" + "ld() -> None:", "write a name for what it does"),
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
        if requirement.name == project["name"]:  # an extra made of others
            assert requirement.extras <= optional.keys()
            continue
        assert Version(pins[requirement.name]) in requirement.specifier, requirement


@pytest.mark.parametrize("arguments", [(), ("--publish",), ("--check", "now")])
def test_release_only_checks(arguments: tuple[str, ...]) -> None:
    """`scripts/release --check` itself is a step of .ci/run: it runs these tests."""
    done = call(ROOT / "scripts/release", *arguments)
    assert (done.returncode, done.stdout) == (64, "")
    assert "usage: scripts/release --check" in done.stderr


@pytest.fixture
def image_tree(tmp_path: Path) -> Path:
    """A folder with what scripts/image reads, and a `bin` that holds the few commands it may use."""
    for name in ("scripts/image", "scripts/sbom.py", "requirements/run.txt", "Dockerfile", "wwspec_router/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for command in ("dirname", "env", "mkdir", "mv", "rm", "tar"):
        (tmp_path / "bin" / command).symlink_to(f"/usr/bin/{command}")
    (tmp_path / "bin/python3").symlink_to(sys.executable)
    return tmp_path


def recording(tree: Path, tool: str) -> None:
    """Put a container tool into the tree's `bin` that records how it is called: real ones need a network."""
    flat = tree / "flat"
    (flat / "app").mkdir(parents=True)
    stand_in = tree / "bin" / tool
    stand_in.write_text(
        f"""#!/bin/bash
echo "$*" >> {tree}/calls
case $1 in
    build) [[ -z ${{FAIL:-}} ]] ;;
    create | from) echo box ;;
    mount) echo {flat} ;;
    export) tar -cf "$3" -C {flat} . ;;
esac
""",
        "utf-8",
    )
    stand_in.chmod(0o755)


def image(tree: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return call("/bin/bash", tree / "scripts/image", *options, cwd=Path("/"), PATH=str(tree / "bin"), **variables)


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
    recording(image_tree, tool)
    output = image_tree / "out/zone.tar"

    done = image(image_tree, "--base", "other:3.12", "--output", str(output), "--pull")

    assert done.returncode == 0, done.stderr
    assert "wwspecapisdk.so is missing" in done.stderr
    sbom = output.with_name("zone.cdx.json")
    assert done.stdout == f"{sbom}\n{output}\n"
    with tarfile.open(output) as archive:
        assert "./app" in archive.getnames()
    calls = (image_tree / "calls").read_text("utf-8").splitlines()
    assert "build --build-arg BASE_IMAGE=other:3.12 --pull --tag wwspec-zone-program ." in calls
    assert calls[-1] == "rm box"
    assert not any(row.startswith("save") for row in calls)
    assert set(output.parent.iterdir()) == {output, sbom}


DIGEST = "0123456789abcdef" * 4


def bill(tree: Path) -> dict[str, Any]:
    """Return the list of what the image holds, which CycloneDX's own validator takes."""
    text = (tree / "dist/zone-image.cdx.json").read_text("utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found: dict[str, Any] = json.loads(text)
    return found


def test_image_lists_what_it_holds_beside_the_tar(image_tree: Path) -> None:
    """Issue 12, the image: a CycloneDX SBOM from the pinned requirements."""
    recording(image_tree, "docker")
    (image_tree / "sdk").mkdir()
    (image_tree / "sdk/wwspecapisdk.so").write_bytes(b"the vendor's")

    assert image(image_tree).returncode == 0
    found = bill(image_tree)
    components = {each["name"]: each for each in found["components"]}
    lock = (ROOT / "requirements/run.txt").read_text("utf-8")
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE))
    assert {name: components[name]["version"] for name in pins} == pins
    hashes = {each["content"] for name in pins for each in components[name]["externalReferences"][0]["hashes"]}
    assert hashes == set(re.findall(r"sha256:([0-9a-f]{64})", lock))
    assert components.keys() - pins.keys() == {"wwspec-router", "wwspecapisdk", "python:3.12-slim-bookworm"}
    assert components["wwspec-router"]["version"] == wwspec_router.__version__
    assert components["wwspecapisdk"]["hashes"][0]["content"] == hashlib.sha256(b"the vendor's").hexdigest()
    uses = {each["ref"]: each["dependsOn"] for each in found["dependencies"]}
    assert f"pkg:pypi/h11@{pins['h11']}" in uses[f"pkg:pypi/uvicorn@{pins['uvicorn']}"]
    assert f"pkg:pypi/uvicorn@{pins['uvicorn']}" in uses["wwspec-router"]


def test_the_same_image_is_listed_in_the_same_words(image_tree: Path) -> None:
    recording(image_tree, "docker")
    texts = set()
    for _ in range(2):
        assert image(image_tree).returncode == 0
        texts.add((image_tree / "dist/zone-image.cdx.json").read_bytes())
    assert len(texts) == 1


def test_a_project_s_own_requirements_are_listed_too(image_tree: Path) -> None:
    """A lock says in its comments what a package is for; one that says nothing is the program's own."""
    (image_tree / "requirements/run.txt").write_text(
        f"jieba==1.0 \\\n    --hash=sha256:{DIGEST}\n    # via -r requirements/run.in\n"
        f"click==8.1.8 \\\n    --hash=sha256:{DIGEST}\n    # via\n    #   jieba\n    #   another (pyproject.toml)\n"
    )
    recording(image_tree, "docker")
    (image_tree / "wwspec_router/__init__.py").unlink()

    assert image(image_tree).returncode == 0
    uses = {each["ref"]: each["dependsOn"] for each in bill(image_tree)["dependencies"]}
    assert uses["wwspec-zone-program"] == ["base-image", "pkg:pypi/jieba@1.0"]
    assert uses["pkg:pypi/jieba@1.0"] == ["pkg:pypi/click@8.1.8"]


@pytest.mark.parametrize("name", ["python:3.12-slim-bookworm", "mirror.example:5000/python"])
def test_the_base_image_can_be_given_by_its_digest(image_tree: Path, name: str) -> None:
    """Issue 12, the image: reproducible, since a tag moves and a digest does not."""
    base = f"{name}@sha256:{DIGEST}"
    recording(image_tree, "docker")

    assert image(image_tree, "--base", base).returncode == 0
    assert f"build --build-arg BASE_IMAGE={base} --tag" in (image_tree / "calls").read_text("utf-8")
    (image_of_base,) = (each for each in bill(image_tree)["components"] if each["type"] == "container")
    assert image_of_base["name"] == name
    assert image_of_base["hashes"] == [{"alg": "SHA-256", "content": DIGEST}]
    listed = (image_tree / "dist/zone-image.cdx.json").read_bytes()
    for options in (["--build-arg", f"BASE_IMAGE={base}"], [f"--build-arg=BASE_IMAGE={base}"]):
        assert image(image_tree, *options).returncode == 0
        assert (image_tree / "dist/zone-image.cdx.json").read_bytes() == listed


def test_image_leaves_nothing_behind_when_the_build_fails(image_tree: Path) -> None:
    recording(image_tree, "docker")

    assert image(image_tree, FAIL="1").returncode == 1
    assert list((image_tree / "dist").iterdir()) == []


def test_image_says_that_it_needs_python(image_tree: Path) -> None:
    recording(image_tree, "docker")
    (image_tree / "bin/python3").unlink()

    done = image(image_tree)
    assert (done.returncode, done.stdout) == (69, "")
    assert "needs python3" in done.stderr


@pytest.mark.parametrize("name", ["websockets", "watchfiles", "pyyaml", "python-dotenv"])
def test_the_image_does_not_hold_what_production_does_not_use(name: str) -> None:
    """Issue 12, the image: uvicorn comes without its extra "standard"."""
    pins = re.findall(r"^([\w.-]+)==", (ROOT / "requirements/run.txt").read_text("utf-8"), re.MULTILINE)
    assert {"uvicorn", "uvloop", "httptools"} <= set(pins)
    assert name not in pins
