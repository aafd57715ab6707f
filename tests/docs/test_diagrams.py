"""The diagrams, which are Mermaid in the pages: both languages have the same, in their own words."""

import re

import pytest

from scripts.website.pages import DOCS, LANGUAGES, diagrams_of, pages_of
from tests.support.apps import ROOT

PAGES = [page for page in sorted(pages_of("en")) if diagrams_of(DOCS / "en" / page)]
DIAGRAMS = [(page, each) for lang in LANGUAGES for page in pages_of(lang) for each in diagrams_of(DOCS / lang / page)]
LABEL = re.compile(r'"[^"]*"|(?<=accTitle: ).*|(?<= as ).*|(?<=\w: ).*')
"""In quotes, or what follows a name, a message's colon."""


def shape(diagram: str) -> str:
    """Return a diagram without its labels: its nodes, and what leads from one to another."""
    return LABEL.sub("", diagram)


@pytest.mark.parametrize("page", PAGES)
def test_a_translation_has_the_diagrams_of_its_original(page: str) -> None:
    original, translated = (diagrams_of(DOCS / language / page) for language in ("en", "zh"))
    assert [shape(each) for each in translated] == [shape(each) for each in original]
    for english, chinese in zip(original, translated, strict=True):
        for before, after in zip(LABEL.findall(english), LABEL.findall(chinese), strict=True):
            assert re.search(r"[一-鿿]", after), f"docs/zh/{page}: {after!r} is not Chinese"
            assert not re.search(r"[一-鿿]", before), f"docs/en/{page}: {before!r}"


def test_no_diagram_is_missed() -> None:
    files = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    text = "".join(file.read_text("utf-8") for file in files)
    assert len(DIAGRAMS) == text.count("```mermaid") > 0, "a block of mermaid begins at the edge of a page below docs/"


def test_a_diagram_says_what_it_shows() -> None:
    for page, diagram in DIAGRAMS:
        first = diagram.splitlines()[1]
        assert re.fullmatch(r"    accTitle: .{20,}", first), f"{page}: {first}"
