"""`wwspec image`: what it asks of an engine, what it writes, and what it says when something is missing.

The engines are stand-ins that record how they are called: test_real_image.py builds with a real one.
"""

import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.command import wwspec
from tests.support.image_tars import image, write_tar
from wwspec_devtools.scaffold.project import PACKAGES, make_project, project_files, pure_wheel

ID = f"sha256:{'0123456789abcdef' * 4}"

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


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a program `shop`, the tar that engines export, and a place for engines."""
    wheels = [tmp_path / pure_wheel(package) for package in PACKAGES]
    for wheel in wheels:
        wheel.touch()
    make_project(tmp_path / "shop", project_files("shop", wheels), wheels)
    write_tar(tmp_path / "flat.tar", image(), prefix="./")
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
    assert done.stdout == f"{output}\n"
    with tarfile.open(output) as archive:
        assert "./app/run.sh" in archive.getnames()
    [first, *_] = [row for row in calls(tree) if " build " in row]
    assert "--build-arg BASE_IMAGE=other:3.12 --tag wwspec-zone-program --pull" in first
    assert first.endswith(str(tree / "shop"))
    assert [path.name for path in output.parent.iterdir()] == ["zone.tar"]
    if engine != "buildah":
        assert calls(tree)[-3:] == [
            f"{engine} create {ID}",
            f"{engine} export --output {output}.part box",
            f"{engine} rm box",
        ]


def test_every_step_is_announced_and_without_the_sdk_a_warning(tree: Path) -> None:
    add_engine(tree, "docker")
    lines = build(tree).stderr.splitlines()
    assert lines[0].startswith(
        "wwspec image: warning: sdk/wwspecapisdk.so is missing, so this image will refuse to start"
    )
    assert lines[1] == f"wwspec image: building {tree / 'shop'} on python:3.12-slim-bookworm with docker"
    assert lines[2] == "lines of the engine"
    assert f"wwspec image: exporting the flat root file system to {tree / 'shop/dist/zone-image.tar'}" in lines
    assert lines[-1] == f"wwspec image: look into it with: wwspec image --check {tree / 'shop/dist/zone-image.tar'}"
    (tree / "shop/sdk/wwspecapisdk.so").write_bytes(b"the vendor's")
    done = build(tree)
    assert done.returncode == 0, done.stderr
    assert "warning:" not in done.stderr


def test_the_registry_file_may_be_named_in_the_settings_file(tree: Path) -> None:
    add_engine(tree, "docker")
    (tree / "shop/abilities/registry.toml").rename(tree / "shop/registry.toml")
    assert refused(build(tree)).startswith(f"no {tree / 'shop/abilities/registry.toml'}: name the program's folder")
    (tree / "shop/wwspec.toml").write_text('[serve]\nregistry = "registry.toml"\n')
    assert build(tree).returncode == 0


def test_the_first_engine_that_works_is_taken_and_gets_the_mirror(tree: Path) -> None:
    add_engine(tree, "podman")
    add_engine(tree, "buildah")
    assert "with podman" in build(tree).stderr
    assert "with buildah" in build(tree, "--engine", "buildah").stderr
    assert build(tree, "--index-url", "https://mirror.example/simple").returncode == 0
    assert any("--build-arg PIP_INDEX_URL=https://mirror.example/simple" in row for row in calls(tree))


def test_an_engine_that_does_not_work_and_none_at_all_are_named(tree: Path) -> None:
    text = "none of docker (with its daemon running), podman and buildah works here: install one of them"
    assert refused(build(tree)) == text
    add_engine(tree, "docker")
    assert refused(build(tree, "--engine", "docker", INFO="1")) == (
        "docker does not work here: see what `docker info` says, or take another --engine"
    )


NEEDED = ["Dockerfile", ".dockerignore", "run.sh", "abilities/registry.toml", f"wheels/{pure_wheel('wwspec_router')}"]


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


def test_a_build_and_an_export_that_fail_leave_nothing_behind(tree: Path) -> None:
    add_engine(tree, "docker")
    assert refused(build(tree, FAIL="build")) == (
        "docker build ended with exit code 7; see its last lines. If python:3.12-slim-bookworm can't be pulled, "
        "name another base with --base; if packages can't be downloaded, name a mirror with --index-url"
    )
    assert list((tree / "shop/dist").iterdir()) == []
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
