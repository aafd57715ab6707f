"""`wwspec image`: what it asks of an engine, what it writes, and what it says when something is missing.

The engines are stand-ins that record how they are called: test_real_image.py builds with a real one.
"""

import hashlib
import json
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import wwspec
from tests.support.image_tars import SITE, Item, image, write_tar
from wwspec_router import __version__
from wwspec_router.scaffold.framework import PURE_WHEEL
from wwspec_router.scaffold.project import make_project, project_files

DIGEST = "0123456789abcdef" * 4
ID = f"sha256:{DIGEST}"

ENGINE = """\
#!/bin/sh
echo "$(basename "$0") $*" >> {tree}/calls
[ "$1" != info ] || exit ${{INFO:-0}}
command=$1
[ "$1" != build ] || echo "lines of the engine"
while [ $# -gt 0 ]; do
    case $1 in
        --iidfile) echo {id} > "$2" ;;
        type=tar,dest=*) cp {tree}/flat.tar "${{1#type=tar,dest=}}" ;;
        --output) case $2 in type=*) ;; *) cp {tree}/flat.tar "$2" ;; esac ;;
    esac
    shift
done
[ "$command" != "${{FAIL:-}}" ] || exit 7
[ "$command" != create ] || echo box
"""


def dist_info(name: str, version: str, *needs: str) -> dict[str, Item]:
    """Return the metadata of an installed package."""
    rows = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {each}" for each in needs)]
    return {f"{SITE}/{name}-{version}.dist-info/METADATA": Item("\n".join(rows).encode() + b"\n")}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a program `shop`, the tar that engines export, and a place for engines."""
    wheel = tmp_path / PURE_WHEEL
    wheel.touch()
    make_project(tmp_path / "shop", project_files("shop", [wheel]), [wheel])
    packages = {
        **dist_info("wwspec_router", __version__, "click>=8", "pycryptodome ; extra == 'zone'"),
        **dist_info("Click", "8.1.8"),
        **dist_info("pycryptodome", "3.20"),
        **dist_info("jieba", "1.0", "click"),
    }
    write_tar(tmp_path / "flat.tar", image() | packages, prefix="./")
    (tmp_path / "bin").mkdir()
    return tmp_path


def add_engine(tree: Path, name: str) -> None:
    file = tree / "bin" / name
    file.write_text(ENGINE.format(tree=tree, id=ID), "utf-8")
    file.chmod(0o755)


def build(tree: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{tree / 'bin'}:/usr/bin/nothing-else-of-the-machine"
    (tree / "bin").mkdir(exist_ok=True)
    for name in ("sh", "basename", "cp"):
        if not (tree / "bin" / name).exists():
            (tree / "bin" / name).symlink_to(f"/bin/{name}")
    return wwspec(tree / "shop", "image", *options, environment={"PATH": path, **variables})


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last line of a run that must have failed in a way that a person can fix."""
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1].removeprefix("Error: ")


def calls(tree: Path) -> list[str]:
    return (tree / "calls").read_text("utf-8").splitlines()


@pytest.mark.parametrize("engine", ["docker", "podman", "buildah"])
def test_every_engine_exports_a_flat_file_system(tree: Path, engine: str) -> None:
    add_engine(tree, engine)
    done = build(tree, "--base", "other:3.12", "--output", "out/zone.tar", "--", "--pull")
    output = tree / "shop/out/zone.tar"

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{output.with_name('zone.cdx.json')}\n{output}\n"
    with tarfile.open(output) as archive:
        assert "./app/run.sh" in archive.getnames()
    [first, *_] = [row for row in calls(tree) if " build " in row]
    assert "--build-arg BASE_IMAGE=other:3.12 --tag wwspec-zone-program --pull" in first
    assert first.endswith(str(tree / "shop"))
    assert sorted(path.name for path in output.parent.iterdir()) == ["zone.cdx.json", "zone.tar"]
    if engine != "buildah":
        assert calls(tree)[-3:] == [
            f"{engine} create {ID}",
            f"{engine} export --output {output}.part box",
            f"{engine} rm box",
        ]


def test_every_step_is_announced_and_the_engine_s_own_lines_are_shown(tree: Path) -> None:
    add_engine(tree, "docker")
    lines = build(tree).stderr.splitlines()
    assert lines[0].startswith(
        "wwspec image: warning: sdk/wwspecapisdk.so is missing, so this image will refuse to start"
    )
    assert lines[1] == f"wwspec image: building {tree / 'shop'} on python:3.12-slim-bookworm with docker"
    assert lines[2] == "lines of the engine"
    assert f"wwspec image: exporting the flat root file system to {tree / 'shop/dist/zone-image.tar'}" in lines
    assert (
        lines[-1]
        == f"wwspec image: look into it with: wwspec image --check {tree / 'shop/dist/zone-image.tar'} --start"
    )


def test_there_is_no_warning_when_the_sdk_is_there(tree: Path) -> None:
    add_engine(tree, "docker")
    (tree / "shop/sdk/wwspecapisdk.so").write_bytes(b"the vendor's")
    done = build(tree)
    assert done.returncode == 0, done.stderr
    assert "warning:" not in done.stderr


def test_a_mirror_reaches_pip_as_an_argument_of_the_build(tree: Path) -> None:
    add_engine(tree, "podman")
    assert build(tree, "--index-url", "https://mirror.example/simple").returncode == 0
    assert any("--build-arg PIP_INDEX_URL=https://mirror.example/simple" in row for row in calls(tree))


def test_the_first_engine_that_works_is_taken(tree: Path) -> None:
    add_engine(tree, "podman")
    add_engine(tree, "buildah")
    assert "with podman" in build(tree).stderr
    assert "with buildah" in build(tree, "--engine", "buildah").stderr


def test_without_an_engine_the_three_are_named(tree: Path) -> None:
    text = "none of docker (with its daemon running), podman and buildah works here: install one of them"
    assert refused(build(tree)) == text


def test_an_engine_that_is_asked_for_and_does_not_work_is_named(tree: Path) -> None:
    add_engine(tree, "docker")
    assert refused(build(tree, "--engine", "docker", INFO="1")) == (
        "docker does not work here: see what `docker info` says, or take another --engine"
    )


NEEDED = ["Dockerfile", ".dockerignore", "run.sh", "abilities/registry.toml", f"wheels/{PURE_WHEEL}"]


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("options", [(), ("--base", "other:3.12")])
def test_a_folder_that_lacks_a_file_is_refused(tree: Path, name: str, options: tuple[str, ...]) -> None:
    add_engine(tree, "docker")
    (tree / "shop" / name).unlink()
    line = refused(build(tree, *options))
    assert name in line
    assert "--app" in line
    assert not (tree / "calls").exists()


def test_a_dockerfile_that_takes_no_base_is_refused(tree: Path) -> None:
    (tree / "shop/Dockerfile").write_text("FROM scratch\n", "utf-8")
    assert "has no line ARG BASE_IMAGE=…: take the one that `wwspec new` makes" in refused(build(tree))


def test_a_build_that_fails_hints_at_base_and_mirror_and_leaves_nothing_behind(tree: Path) -> None:
    add_engine(tree, "docker")
    assert refused(build(tree, FAIL="build")) == (
        "docker build ended with exit code 7; see its last lines. If python:3.12-slim-bookworm can't be pulled, "
        "name another base with --base; if packages can't be downloaded, name a mirror with --index-url"
    )
    assert list((tree / "shop/dist").iterdir()) == []


def test_an_export_that_fails_leaves_nothing_behind(tree: Path) -> None:
    add_engine(tree, "docker")
    assert refused(build(tree, FAIL="export")) == "docker export ended with exit code 7"
    assert list((tree / "shop/dist").iterdir()) == []
    assert calls(tree)[-1] == "docker rm box"


def test_an_output_that_can_not_be_written_is_named(tree: Path) -> None:
    add_engine(tree, "docker")
    assert refused(build(tree, "--output", "/proc/zone.tar")).startswith("/proc/zone.tar: can't be written: ")
    assert calls(tree) == ["docker info"]  # said before minutes of building


@pytest.mark.parametrize("options", [["--build-arg", "BASE_IMAGE=x"], ["--build-arg=BASE_IMAGE=x"]])
def test_the_base_is_given_in_one_way(tree: Path, options: list[str]) -> None:
    done = build(tree, "--", *options)
    assert done.returncode == 2
    assert "name the base image with --base" in done.stderr


def bill(tree: Path) -> dict[str, Any]:
    """Return the list of what the image holds, which CycloneDX's own validator takes."""
    from cyclonedx.schema import SchemaVersion  # here, since to import them takes a second
    from cyclonedx.validation.json import JsonStrictValidator

    text = (tree / "shop/dist/zone-image.cdx.json").read_text("utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.slow  # imports a validator that takes a second
def test_what_is_installed_in_the_image_is_listed_beside_the_tar(tree: Path) -> None:
    add_engine(tree, "docker")
    assert build(tree).returncode == 0
    found = bill(tree)
    components = {each["name"]: each for each in found["components"]}
    versions = {name: each.get("version") for name, each in components.items() if "purl" in each}
    assert versions == {"wwspec-router": __version__, "click": "8.1.8", "jieba": "1.0", "pycryptodome": "3.20"}
    assert components["wwspec-router"]["type"] == "framework"
    sdk = image()["app/sdk/wwspecapisdk.so"].data or b""
    assert components["wwspecapisdk"]["hashes"][0]["content"] == hashlib.sha256(sdk).hexdigest()
    uses = {each["ref"]: each["dependsOn"] for each in found["dependencies"]}
    assert uses["pkg:pypi/jieba@1.0"] == ["pkg:pypi/click@8.1.8"]
    assert {"base-image", "pkg:pypi/jieba@1.0", f"pkg:pypi/wwspec-router@{__version__}"} <= set(
        uses["wwspec-zone-program"]
    )
    assert "pkg:pypi/click@8.1.8" not in uses["wwspec-zone-program"]


@pytest.mark.slow  # as the list above
def test_hashes_that_the_requirements_pin_are_listed(tree: Path) -> None:
    add_engine(tree, "docker")
    lock = f"jieba==1.0 \\\n    --hash=sha256:{DIGEST} \\\n    --hash=sha256:{'f' * 64}\n"
    lock += f"click==9.9 --hash=sha256:{DIGEST}\n"
    (tree / "shop/requirements.txt").write_text(lock, "utf-8")
    assert build(tree).returncode == 0
    components = {each["name"]: each for each in bill(tree)["components"]}
    hashes = [each["content"] for each in components["jieba"]["externalReferences"][0]["hashes"]]
    assert hashes == [DIGEST, "f" * 64]
    assert "externalReferences" not in components["click"]  # another version is installed


@pytest.mark.slow  # as the list above
def test_a_framework_that_is_a_folder_of_the_project_is_listed(tree: Path) -> None:
    add_engine(tree, "docker")
    items = image() | dist_info("click", "8.1.8") | {"app/wwspec_router/__init__.py": Item(b'__version__ = "7.0"\n')}
    write_tar(tree / "flat.tar", items)
    assert build(tree).returncode == 0
    found = bill(tree)
    assert {each["name"]: each.get("version") for each in found["components"]}["wwspec-router"] == "7.0"
    uses = {each["ref"]: each["dependsOn"] for each in found["dependencies"]}
    assert uses["wwspec-router"] == ["pkg:pypi/click@8.1.8"]


def test_the_same_image_is_listed_in_the_same_words(tree: Path) -> None:
    add_engine(tree, "docker")
    texts = set()
    for _ in range(2):
        assert build(tree).returncode == 0
        texts.add((tree / "shop/dist/zone-image.cdx.json").read_bytes())
    assert len(texts) == 1


@pytest.mark.slow  # as the list above
@pytest.mark.parametrize("name", ["python:3.12-slim-bookworm", "mirror.example:5000/python"])
def test_the_base_image_can_be_given_by_its_digest(tree: Path, name: str) -> None:
    """Issue 12, the image: reproducible, since a tag moves and a digest does not."""
    add_engine(tree, "docker")
    assert build(tree, "--base", f"{name}@sha256:{DIGEST}").returncode == 0
    (base,) = (each for each in bill(tree)["components"] if each["type"] == "container")
    assert base["name"] == name
    assert base["hashes"] == [{"alg": "SHA-256", "content": DIGEST}]


def test_help_says_all_that_a_build_needs(tree: Path) -> None:
    done = build(tree, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    words = re.sub(r"\s+", " ", done.stdout)
    for text in ("docker, podman or buildah", "sdk/", "--base IMAGE", "--index-url URL", "--check TAR", "wheels/"):
        assert text in words
