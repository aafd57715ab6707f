"""The README of each package below `packages/` names what is there, and its code works."""

import doctest
import os
import re
from collections.abc import Iterator

import pytest

from scripts.rooms import ROOMS
from tests.support.apps import ROOT
from tests.support.pages import blocks_of_page
from tests.support.zones import serve_zone

PACKAGES = sorted({package.parent for package, _ in ROOMS.values()} - {ROOMS["router"][0].parent})


@pytest.fixture(scope="module")
def app_of_a_zone() -> Iterator[dict[str, str]]:
    """The environment of an enterprise app whose WeCom is an emulator with the reference program."""
    with serve_zone(ROOT) as zone:
        info = zone.client.info()
        yield {
            "WWSPEC_BASE_URL": zone.client.url,
            "WWSPEC_CORPID": info["corpid"],
            "WWSPEC_CORPSECRET": info["secret"],
            "WWSPEC_PROGRAM_ID": info["program_id"],
        }


@pytest.mark.parametrize("package", PACKAGES, ids=lambda each: each.name)
def test_the_code_of_a_readme_works(
    package: os.PathLike[str], app_of_a_zone: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in app_of_a_zone.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)  # the folder of a program
    examples = [block for block in blocks_of_page(ROOT / package / "README.md") if block.language == "pycon"]
    assert examples
    for block in examples:
        test = doctest.DocTestParser().get_doctest(block.text, {}, block.place, str(block.page), block.line)
        said: list[str] = []
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
        assert said == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda each: each.name)
def test_each_page_that_a_readme_names_is_there(package: os.PathLike[str]) -> None:
    folder = ROOT / package
    named = re.findall(r"\]\(([^):#]+)(?:#[\w-]+)?\)", (folder / "README.md").read_text("utf-8"))
    assert named
    assert [name for name in named if not (folder / name).is_file()] == []
