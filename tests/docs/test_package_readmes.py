"""The README of each package below `packages/`: its code works."""

import doctest
import os

import pytest

from scripts.rooms import ROOMS
from tests.support.apps import ROOT
from tests.support.pages import blocks_of_page
from tests.support.zones import app_of
from wwspec_devtools.testing.zone import Zone

PACKAGES = sorted({package.parent for package, _ in ROOMS.values()} - {ROOMS["router"][0].parent})


@pytest.mark.parametrize("package", PACKAGES, ids=lambda each: each.name)
def test_the_code_of_a_readme_works(
    package: os.PathLike[str], reference_zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in app_of(reference_zone).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)  # the folder of a program
    examples = [block for block in blocks_of_page(ROOT / package / "README.md") if block.language == "pycon"]
    assert examples
    for block in examples:
        test = doctest.DocTestParser().get_doctest(block.text, {}, block.place, str(block.page), block.line)
        said: list[str] = []
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
        assert said == []
