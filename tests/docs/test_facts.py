"""Limits of WeCom in the docs name WeCom's page, and promises lead to the row that says what tests them."""

import re
from pathlib import Path

import pytest

from scripts.website.facts import unproved_facts
from scripts.website.pages import DOCS, LANGUAGES
from tests.support.apps import ROOT
from tests.support.tables import for_each
from wwspec_devtools.emulator.standin.wwspec_standin.names import SDK_APIS
from wwspec_router.stores import StoreLimits

PROMISES = {
    "en": r"\blost\b|at least once|exactly once|\bnever\b",
    "zh": r"丢失|至少.{0,6}一次|恰好.{0,4}一次|(?<!拒)绝不|从不",
}
READMES = {"en": "README.md", "zh": "README.zh-CN.md"}


def promises(page: Path, language: str) -> list[str]:
    """Return the paragraphs and items of lists that promise something, without their code."""
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    passages = re.split(r"\n\s*\n|\n(?=[-|#] ?)", text)
    return [" ".join(each.split()) for each in passages if re.search(PROMISES[language], each)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_limit_of_wecom_names_the_page_that_has_it(language: str) -> None:
    assert list(unproved_facts(DOCS / language, language)) == []


@for_each(
    [
        ("en", "A corp may make 10,000 calls\na minute. It is free [99824]."),
        ("en", "| exports | 1,000 a day for a corp |"),
        ("en", "- WeCom keeps 1 GB an hour."),
        ("zh", "企业微信规定每天 1,000 次。参见 [99824]。"),
    ]
)
def test_a_limit_without_its_page_is_found(language: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(f"# A page\n\nWords.\n\n{text}\n", "utf-8")
    [found] = unproved_facts(tmp_path, language)
    assert found.startswith(f"docs/{language}/page.md:5: ")
    proved = text.replace("a minute", "a minute [99824]").replace(" |", " [99987] |").replace("次", "次 [99987]")
    (tmp_path / "page.md").write_text(proved.replace("an hour", "an hour [100057]"), "utf-8")
    assert list(unproved_facts(tmp_path, language)) == []


@for_each(["It pauses up to 3 times a minute.", "```bash\ncorp 10 a day\n```", "WeCom asks."])
def test_what_is_no_limit_of_wecom_needs_no_page(text: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text, "utf-8")
    (tmp_path / "other.md").write_text("A corp may make 10 calls a minute.", "utf-8")
    [found] = unproved_facts(tmp_path, "en")
    assert "other.md" in found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_promise_leads_to_the_row_that_says_what_tests_it(language: str) -> None:
    rows = set(re.findall(r'^\| <a id="([\w-]+)"></a>', reliability(language), re.MULTILINE))
    pages = [ROOT / READMES[language], DOCS / language / "index.md", *(DOCS / language / "tutorial").glob("*.md")]
    found = [(page, text) for page in pages for text in promises(page, language)]
    assert len(found) >= 5
    for page, text in found:
        links = re.findall(r"reliability\.md#([\w-]+)\)", text)
        assert links, f"{page.relative_to(ROOT)} promises without a link to explanation/reliability.md#ROW: {text}"
        assert set(links) <= rows, (page, set(links) - rows)


def test_both_languages_have_the_same_rows() -> None:
    rows = [re.findall(r'<a id="([\w-]+)"></a>', reliability(language)) for language in LANGUAGES]
    assert rows[0] == rows[1] != []


def reliability(language: str) -> str:
    return (DOCS / language / "explanation" / "reliability.md").read_text("utf-8")


COUNTS = {
    "en": r"\b(\d+) (?:documented )?(?:SDK )?APIs\b|\b(\d+) documented APIs",
    "zh": r"(\d+) 个(?: SDK )?接口|接口共 (\d+) 个",
}
"""How many APIs WeCom's SDK has, in a page."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_say_how_many_apis_there_are(language: str) -> None:
    pages = [ROOT / READMES[language], *(DOCS / language).rglob("*.md")]
    said = {page: re.findall(COUNTS[language], page.read_text("utf-8")) for page in pages}
    assert sum(map(bool, said.values())) > 3
    wrong = {page: found for page, found in said.items() if {"".join(each) for each in found} - {str(len(SDK_APIS))}}
    assert wrong == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_on_stores_has_the_limits_of_the_code(language: str) -> None:
    text = (DOCS / language / "operation" / "stores.md").read_text("utf-8")
    [table] = re.findall(r"^## (?:Limits|.*{#limits})\n\n((?:\|.*\n)+)", text, re.MULTILINE)
    said = [number.replace(",", "") for number in re.findall(r"\d[\d,]*(?: [GM]iB)?", table)]
    limits = StoreLimits()
    assert said == [
        *(str(limits.max_rows), f"{limits.max_bytes >> 30} GiB"),
        *(str(limits.max_jobs), f"{limits.max_job_bytes >> 30} GiB"),
        *(str(limits.max_once), f"{limits.max_once_bytes >> 30} GiB"),
        *(f"{limits.max_kept_bytes >> 30} GiB", f"{limits.max_kept_bytes_of_corp >> 20} MiB"),
        str(limits.max_failed),
    ]
