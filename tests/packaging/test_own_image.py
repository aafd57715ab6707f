"""The image of this repository's own program: its first stage compiles, and nothing of a compiler is in the result."""

import os
import platform
import sys
import tarfile
from collections.abc import Callable

import pytest

from tests.packaging.conftest import COMPILED, Archives, from_folder, run
from tests.support.apps import ROOT
from tests.support.image_base import NAME, Storage
from wwspec_router import __version__

pytestmark = [
    pytest.mark.nightly,  # the builder adds a compiler to the Debian of test_real_image
    pytest.mark.usefixtures("storage"),  # the first, since it knows whether images can be built here
]

SITE = "app/.venv/lib/python3.12/site-packages"
MOST_FILES = 250
"""Of our packages, without byte code and metadata."""
UVLOOP = f"{SITE}/uvloop/loop.cpython-312-{platform.machine()}-linux-gnu.so"
Build = Callable[..., dict[str, int]]


@pytest.fixture(scope="module")
def build(archives: Archives, storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Builds the image with further options, and returns the paths of the files in it with their sizes.

    The tree is that of the source archive. All packages are in a folder, since the index may be out of reach there.
    """
    folder = tmp_path_factory.mktemp("own-image")
    with tarfile.open(archives.sdist) as archive:
        archive.extractall(folder, filter="data")
    tree = folder / archives.sdist.name.removesuffix(".tar.gz")
    wheels, pip = folder / "wheels", folder / "pip.conf"
    for name in ("build", "run"):
        lock = ROOT / "requirements" / f"{name}.txt"
        command = (sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--require-hashes")
        run(*command, "--dest", wheels, "--requirement", lock, env=os.environ | from_folder())
    pip.write_text("[global]\nno-index = true\nfind-links = /wheels\n", "utf-8")
    volumes = ("--volume", f"{wheels}:/wheels:ro", "--volume", f"{pip}:/etc/pip.conf:ro")

    def build(*options: str) -> dict[str, int]:
        command = (sys.executable, "-m", "wwspec_router", "image", "--engine", "buildah", "--base", NAME)
        more = (*storage.limits, *volumes, *options)
        [made] = run(*command, "--", *more, cwd=tree, env=storage.env).splitlines()
        with tarfile.open(made) as tar:
            return {member.name.removeprefix("./").strip("/"): member.size for member in tar}

    return build


def test_the_image_has_the_compiled_part_and_no_compiler(build: Build) -> None:
    names = build()
    assert f"{SITE}/wwspec_router/codecs/{COMPILED}" in names
    assert f"{SITE}/wwspec_router-{__version__}.dist-info/licenses/LICENSE" in names
    assert f"{SITE}/wwspec_router/codecs/__pycache__/codec.cpython-312.pyc" in names
    assert {f"{SITE}/msgspec", f"{SITE}/Crypto"} <= names.keys()
    assert not {f"{SITE}/hatchling", f"{SITE}/setuptools", f"{SITE}/Crypto/SelfTest"} & names.keys()
    assert not {"usr/bin/gcc", "usr/bin/cc", "usr/include/stdio.h", "source", "build"} & names.keys()
    assert {name.split("/")[1] for name in names if name.startswith("app/")} == (
        {".venv", "abilities", "run.sh", "schemas", "sdk", "var"}
    )
    assert names[UVLOOP] < 3_000_000  # of 16 MB, with what a debugger reads
    ours = [name for name in names if name.startswith(f"{SITE}/wwspec_")]
    assert {name.split("/")[5].split("-")[0] for name in ours} == {"wwspec_contracts", "wwspec_router"}
    files = [
        name
        for name in ours
        if "." in name.rpartition("/")[2] and "__pycache__" not in name and ".dist-info" not in name
    ]
    assert len(files) <= MOST_FILES


def test_the_image_is_built_without_a_compiler_too(build: Build) -> None:
    no_packages = ("--volume", "/dev/null:/etc/apt/sources.list:ro")
    names = build(*no_packages)
    assert f"{SITE}/wwspec_router/codecs/codec.py" in names
    assert f"{SITE}/wwspec_router/codecs/{COMPILED}" not in names
