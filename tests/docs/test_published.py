"""Where the packages come from: what pages and new programs say is what `PUBLISHED` says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.website.pages import DOCS
from tests.support.apps import ROOT
from tests.support.pages import blocks_of_page
from wwspec_devtools.scaffold.project import PUBLISHED

PAGES = [
    *ROOT.glob("README*.md"),
    *ROOT.glob("packages/*/README.md"),
    *ROOT.glob("packages/devtools/wwspec_devtools/scaffold/files/README*.md"),
    *ROOT.glob("examples/*/*.md"),
    *DOCS.rglob("*.md"),
]
FROM_INDEX = re.compile(
    r"^.*\bpip (?:install|download)\b.*[\s'\"]wwspec-(?:router|contracts|client|devtools)\b.*$", re.MULTILINE
)
"""A command that looks for one of the packages on an index."""
NOT_PUBLISHED = re.compile(r"no (?:package )?index has wwspec-router|wwspec-router (?:还没有)?发布", re.IGNORECASE)


def findings(page: Path, *, published: bool) -> Iterator[str]:
    """Yield what a page says against the state."""
    for block in blocks_of_page(page):
        for command in () if published else FROM_INDEX.findall(block.text):
            yield f"{block.place}: {command.strip()}"
    for said in NOT_PUBLISHED.findall(page.read_text("utf-8")) if published else ():
        yield f"{page.relative_to(ROOT)}: {said}"


def test_no_page_says_otherwise() -> None:
    assert {ROOT / "README.md", ROOT / "README.zh-CN.md", DOCS / "zh" / "program" / "start.md"} <= {*PAGES}
    found = [finding for page in PAGES for finding in findings(page, published=PUBLISHED)]
    assert found == [], "CONTRIBUTING.md says what changes together with PUBLISHED of scaffold/project.py"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_on_installing_says_which_of_both_it_is(language: str) -> None:
    text = (DOCS / language / "program" / "start.md").read_text("utf-8")
    assert bool(NOT_PUBLISHED.search(text)) != PUBLISHED


@pytest.mark.parametrize(
    ("text", "published", "found"),
    [
        ("```bash\npip install 'wwspec-router[dev]'\n```\n", False, ["a.md:1: pip install 'wwspec-router[dev]'"]),
        ("```bash\npip install a.whl wwspec-client\n```\n", False, ["a.md:1: pip install a.whl wwspec-client"]),
        ("```yaml\n- run: pip install wwspec-router\n```\n", False, ["a.md:1: - run: pip install wwspec-router"]),
        ("```bash\npip install 'wwspec-router[dev]'\n```\n", True, []),
        ("```bash\npip install ./wwspec_router/packages/client\n```\n", False, []),
        ("No package index has wwspec-router yet.\n", False, []),
        ("No package index has wwspec-router yet.\n", True, ["a.md: No package index has wwspec-router"]),
        ("wwspec-router 还没有发布到包索引。\n", True, ["a.md: wwspec-router 还没有发布"]),
    ],
)
def test_a_page_that_says_otherwise_is_found(
    text: str, published: bool, found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.docs.test_published.ROOT", tmp_path)
    page = tmp_path / "a.md"
    page.write_text(text, "utf-8")
    assert list(findings(page, published=published)) == found
