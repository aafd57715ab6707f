"""Both languages have the same pages, places and code; pages that are made from the code are those of the code."""

import re
from collections import Counter
from pathlib import Path

import pytest

from scripts.website.offline import MERMAID, requests_elsewhere
from scripts.website.pages import DOCS, SECTIONS, blocks_of, pages_of, tree_faults
from tests.support.apps import ROOT
from tests.support.tables import for_each

TRANSLATED = sorted(pages_of("zh"))
NAVIGATION = (ROOT / "scripts" / "website" / "mkdocs.yml").read_text("utf-8")


def without_code(text: str) -> str:
    return re.sub(r"^( *)```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def places(language: str, page: str) -> list[str]:
    text = without_code((DOCS / language / page).read_text("utf-8"))
    found = []
    for heading in re.findall(r"^##+ (.+)$", text, re.MULTILINE):
        named = re.search(r"\{#([^}]+)\}$", heading)
        plain = re.sub(r"[^\w\s-]", "", heading.lower())
        found.append(named[1] if named else re.sub(r"\s", "-", plain.strip()))
    return found


def test_both_languages_have_the_same_pages() -> None:
    assert list(tree_faults()) == []


def test_a_page_that_one_language_lacks_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for language, name in (("en", "a"), ("en", "b"), ("zh", "b"), ("zh", "c")):
        page = tmp_path / language / f"{name}.md"
        page.parent.mkdir(exist_ok=True)
        page.write_text("# Title\n")
    monkeypatch.setattr("scripts.website.pages.DOCS", tmp_path)
    assert list(tree_faults()) == [
        "docs/zh/a.md is missing: write it",
        "docs/zh/c.md has no English page: add docs/en/c.md",
    ]


@for_each(TRANSLATED)
def test_a_translation_has_the_code_the_tables_and_the_places_of_its_original(page: str) -> None:
    assert blocks_of(DOCS / "zh" / page) == blocks_of(DOCS / "en" / page)
    assert places("zh", page) == places("en", page), "give each heading its anchor, as in `## 标题 {#title}`"
    assert rows("zh", page) == rows("en", page)


@for_each([page for page in TRANSLATED if re.match(r"(program|app|operation|explanation)/", page)])
def test_a_page_is_linked_from_another_one_of_its_section(page: str) -> None:
    file = DOCS / "en" / page
    neighbours = [each.read_text("utf-8") for each in file.parent.glob("*.md") if each != file]
    assert any(re.search(rf"\]\({file.name}[)#]", text) for text in neighbours)


@for_each(TRANSLATED)
def test_no_two_headings_of_a_page_have_one_anchor(page: str) -> None:
    found = places("en", page)
    assert len(found) == without_code((DOCS / "en" / page).read_text("utf-8")).count("\n##")
    assert [place for place, times in Counter(found).items() if times > 1] == []


def rows(language: str, page: str) -> list[int]:
    text = without_code((DOCS / language / page).read_text("utf-8"))
    return [table.count("\n") for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]


@pytest.mark.parametrize("page", ["reference/emulator.md", "explanation/reliability.md"])
def test_each_row_of_a_translation_names_the_code_and_the_errcodes_of_its_original(page: str) -> None:
    original, translated = (
        [sorted({*re.findall(r"`[^`]+`|\b\d{5,6}\b", row)}) for row in re.findall(r"^\|.+$", text, re.MULTILINE)]
        for text in ((DOCS / language / page).read_text("utf-8") for language in ("en", "zh"))
    )
    assert translated == original


def test_every_page_has_one_place_in_the_navigation_and_every_title_of_it_is_translated() -> None:
    named = Counter(re.findall(r"^ +- ([\w/-]+\.md)$", NAVIGATION, re.MULTILINE))
    assert named == Counter(pages_of("en"))
    titles = re.findall(r"^ +- ([\w' -]+):$", NAVIGATION.partition("\nnav:")[2].partition("\n\n")[0], re.MULTILINE)
    assert set(titles) == set(SECTIONS)


def test_a_page_begins_with_its_title() -> None:
    for language in ("en", "zh"):
        for page in pages_of(language):
            assert (DOCS / language / page).read_text("utf-8").startswith("# "), f"docs/{language}/{page}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<link rel="stylesheet" href="https://fonts.example/css">'),
        ("a.html", '<script src="//cdn.example/x.js"></script>'),
        ("a.html", '<img alt="a > b" src="https://cdn.example/a.png">'),
        ("a.html", "<style>a { background: url(https://cdn.example/a.png) }</style>"),
        ("a.css", '@import "https://fonts.example/css";'),
        ("a.js", 'fetch("https://cdn.example/data.json")'),
    ],
)
def test_what_a_site_asks_another_host_for_is_found(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert len(list(requests_elsewhere(tmp_path))) == 1


def test_links_and_what_the_theme_never_asks_for_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="https://example.com">x</a><img src="../a.png"><p class="other">')
    (tmp_path / "a.js").write_text('load("https://unpkg.com/mermaid@11/dist/mermaid.min.js")')
    assert list(requests_elsewhere(tmp_path)) == []


def test_a_page_with_a_diagram_brings_what_draws_it(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text('load("https://unpkg.com/mermaid@11/dist/mermaid.min.js")')
    page, script = tmp_path / "pages" / "a.html", tmp_path / MERMAID
    for each in (page, script):
        each.parent.mkdir()
    page.write_text('<pre class="mermaid">')
    script.write_text("mermaid")
    asked = ["a.js: https://unpkg.com/mermaid@11/dist/mermaid.min.js"]
    assert list(requests_elsewhere(tmp_path)) == asked
    page.write_text(f'<pre class="mermaid"><script defer src="../{MERMAID}"></script>')
    assert list(requests_elsewhere(tmp_path)) == []
    script.unlink()
    assert list(requests_elsewhere(tmp_path)) == asked
