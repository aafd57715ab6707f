"""How long the docs may be, in each language: who adds a page takes out what repeats another."""

from itertools import groupby

import pytest

from scripts.website.pages import DOCS, LANGUAGES, pages_of
from tests.support.apps import ROOT

LIMITS = {
    "tutorial": 750,
    "program": 1487,  # 87 of them for java.md: a team that writes Java reads none of the others
    "app": 1343,  # 143 of them have the code of apps in three languages, and what is around it; no other page shows it
    "operation": 1300,
    "explanation": 600,
    "reference": 1600,
}
"""Lines of all pages of a part, as `wc -l` counts them."""

MOST_IN_A_SECTION = 12
"""Pages of one section of the navigation that a reader still looks through."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_part_is_longer_than_it_may_be(language: str) -> None:
    lines = dict.fromkeys(LIMITS, 0)
    for page in pages_of(language):
        part, slash, _ = page.partition("/")
        if slash:
            lines[part] += (DOCS / language / page).read_text("utf-8").count("\n")
    assert {part: count for part, count in lines.items() if count > LIMITS[part]} == {}


def test_no_section_of_the_navigation_has_more_pages_than_a_reader_looks_through() -> None:
    navigation = (ROOT / "scripts" / "website" / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    entries = navigation.partition("\n\n")[0].splitlines()
    sections = [[*pages] for is_page, pages in groupby(entries, lambda line: line.endswith(".md")) if is_page]
    assert len(sections) > 5
    assert [pages for pages in sections if len(pages) > MOST_IN_A_SECTION] == []
