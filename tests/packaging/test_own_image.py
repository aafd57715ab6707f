"""The image of this repository's own program: its first stage compiles, and nothing of a compiler is in the result."""

import os
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
Build = Callable[..., set[str]]


@pytest.fixture(scope="module")
def build(archives: Archives, storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Builds the image with further options, and returns the paths of the files in it.

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

    def build(*options: str) -> set[str]:
        command = (sys.executable, "-m", "wwspec_router", "image", "--engine", "buildah", "--base", NAME)
        more = (*storage.limits, *volumes, *options)
        [made] = run(*command, "--", *more, cwd=tree, env=storage.env).splitlines()
        with tarfile.open(made) as tar:
            return {name.removeprefix("./").strip("/") for name in tar.getnames()}

    return build


def test_the_image_has_the_compiled_part_and_no_compiler(build: Build) -> None:
    names = build()
    assert f"{SITE}/wwspec_router/codecs/{COMPILED}" in names
    assert f"{SITE}/wwspec_router-{__version__}.dist-info/licenses/LICENSE" in names
    assert f"{SITE}/wwspec_router/codecs/__pycache__/codec.cpython-312.pyc" in names
    assert {f"{SITE}/msgspec", f"{SITE}/Crypto"} <= names
    assert not {f"{SITE}/hatchling", f"{SITE}/setuptools"} & names
    assert not {"usr/bin/gcc", "usr/bin/cc", "usr/include/stdio.h", "source", "build"} & names
    assert {name.split("/")[1] for name in names if name.startswith("app/")} == (
        {".venv", "abilities", "run.sh", "schemas", "sdk", "var"}
    )


def test_the_image_is_built_without_a_compiler_too(build: Build) -> None:
    no_packages = ("--volume", "/dev/null:/etc/apt/sources.list:ro")
    names = build(*no_packages)
    assert f"{SITE}/wwspec_router/codecs/codec.py" in names
    assert f"{SITE}/wwspec_router/codecs/{COMPILED}" not in names
