"""README.md as it was followed, and the zone of the reference program, for the pages that a new user follows."""

import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.conftest import build_env, run
from tests.support.apps import ROOT
from tests.support.made_once import made_once
from tests.support.pages import blocks_of_page
from tests.support.terminal import terminals_in
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import Zone

README = ROOT / "README.md"
"""README.zh-CN.md has the same blocks: tests/docs/test_contributing.py."""

NOT_WITHIN = {"scripts/test": ""}
"""What runs these tests."""


@pytest.fixture(scope="session")
def followed_readme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clone and the program `shop`, of a person who has followed README.md word for word."""
    return made_once(tmp_path_factory, "readme", follow_readme)


def follow_readme(folder: Path) -> None:
    """Do what README.md says in a clone with what the source archive has, in a folder that holds nothing else."""
    run(sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", folder, ROOT, env=build_env())
    [sdist] = folder.iterdir()
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    sdist.unlink()
    [unpacked] = folder.iterdir()
    clone, scratch = unpacked.rename(folder / "wwspec_router"), folder / "scratch"
    scratch.mkdir()
    with terminals_in(clone, scratch) as terminals:
        terminals.follow_all(blocks_of_page(README), NOT_WITHIN)


@pytest.fixture(scope="session")
def served_reference() -> Iterator[Zone]:
    with serve_zone(ROOT) as zone:
        yield zone


@pytest.fixture(scope="module")
def reference_zone(served_reference: Zone) -> Zone:
    """The zone of the reference program as it is after its start: the files of this folder share one."""
    served_reference.client.reset()
    return served_reference
