"""The figures of README and of the page about scale are those of the kept results, in both languages."""

import re

import pytest

from benchmarks.figures import RESULTS, read_reports
from benchmarks.pages import BLOCKS, PAGES, ROOT, pages, renewed
from scripts.reference.text import Say

NUMBER = re.compile(r"\d[\d,.]*\d|\d")


def test_the_pages_show_the_results_that_are_kept() -> None:
    stale = [path.name for path, text in pages(read_reports(RESULTS)).items() if path.read_text("utf-8") != text]
    assert stale == [], "run python -m benchmarks.pages"


def test_every_block_is_on_a_page_of_each_language() -> None:
    texts = {path: path.read_text("utf-8") for path in pages(read_reports(RESULTS))}
    for language in ("en", "zh"):
        page = "".join(texts[ROOT / page] for page in PAGES[language])
        assert sorted(re.findall(r"<!-- figures: (\w+) -->", page)) == sorted(BLOCKS)


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_both_languages_say_the_same_numbers(name: str) -> None:
    reports = read_reports(RESULTS)
    english, chinese = (BLOCKS[name](reports, Say(language)).splitlines() for language in ("en", "zh"))
    tables = [[line for line in lines if line.startswith("|")] for lines in (english, chinese)]
    assert len(tables[0]) == len(tables[1])
    for one, other in zip(*tables, strict=True):
        assert sorted(NUMBER.findall(one)) == sorted(NUMBER.findall(other)), (one, other)


def test_the_text_around_a_block_stays() -> None:
    page = "before\n<!-- figures: events -->\nold\n<!-- end -->\nafter\n"
    once = renewed(page, read_reports(RESULTS), "en")
    assert once.startswith("before\n<!-- figures: events -->\n\n| store |")
    assert once.endswith("|\n\n<!-- end -->\nafter\n")
    assert "old" not in once
    assert renewed(once, read_reports(RESULTS), "en") == once
