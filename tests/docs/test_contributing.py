"""README.md, CONTRIBUTING.md and their Chinese translations name the same commands; all that they name is there."""

import os
import re

import pytest

from tests.support.apps import ROOT


def blocks(name: str) -> list[str]:
    return re.findall(r"^```\w+\n.*?^```$", (ROOT / name).read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["README", "CONTRIBUTING"])
def test_both_languages_show_the_same_commands(name: str) -> None:
    assert blocks(f"{name}.md") == blocks(f"{name}.zh-CN.md")


@pytest.mark.parametrize(
    "name", ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CONTRIBUTING.zh-CN.md", "SECURITY.md"]
)
def test_every_script_and_page_that_is_named_exists(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    for script in re.findall(r"scripts/\w+", text):
        assert os.access(ROOT / script, os.X_OK), script
    for page in re.findall(r"\]\(([^):#]+)(?:#[\w-]+)?\)", text):
        assert (ROOT / page).is_file(), page
