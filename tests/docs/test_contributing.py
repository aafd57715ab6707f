"""README.md, CONTRIBUTING.md and their translations name the same commands; links of all pages lead somewhere."""

import os
import re

import pytest

from tests.support.apps import ROOT
from tests.support.pages import blocks_of_page

NO_GUIDES = {"AGENTS.md", "CHANGELOG.md"}
"""They name scripts that are gone, and modules of scripts."""


@pytest.mark.parametrize("name", ["README", "CONTRIBUTING"])
def test_both_languages_show_the_same_commands(name: str) -> None:
    pages = (ROOT / f"{name}.md", ROOT / f"{name}.zh-CN.md")
    english, chinese = ([(block.language, block.text) for block in blocks_of_page(page)] for page in pages)
    assert english == chinese


def test_every_script_that_is_named_is_there_and_every_link_leads_somewhere() -> None:
    pages = [*ROOT.glob("[A-Z]*.md"), *ROOT.glob("packages/*/README.md"), *ROOT.glob("docs/**/*.md")]
    assert len(pages) > 100
    for page in pages:
        text = re.sub(r"`[^`\n]+`", "", page.read_text("utf-8"))
        for target in re.findall(r"\]\((?!\w+:)([^)#\s]+)", text):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"
        for script in re.findall(r"scripts/\w+", page.read_text("utf-8")) if page.parent == ROOT else ():
            assert page.name in NO_GUIDES or os.access(ROOT / script, os.X_OK), script
