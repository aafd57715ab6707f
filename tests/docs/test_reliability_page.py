"""The tests and runs that explanation/reliability.md names for its promises and threats, in both languages."""

import re

import pytest

from scripts.website.pages import DOCS, LANGUAGES
from tests.support.apps import ROOT
from torture.__main__ import NAMES

PAGES = {language: (DOCS / language / "explanation" / "reliability.md").read_text("utf-8") for language in LANGUAGES}

pytestmark = pytest.mark.parametrize("language", LANGUAGES)


def tried_by(language: str) -> list[list[str]]:
    promises = PAGES[language].partition("\n## ")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| .+ \| (.+) \|$", promises, re.MULTILINE)
    return [re.findall(r"`([^`]+)`", cell) for cell in rows if "`" in cell]


def test_every_promise_names_runs_and_tests_that_exist(language: str) -> None:
    promises = tried_by(language)
    assert len(promises) > 30
    for names in promises:
        assert names
        for name in names:
            assert name in NAMES or (ROOT / name).is_file(), name


def test_every_run_tries_a_promise_and_has_its_section_its_command_and_its_figures(language: str) -> None:
    page = PAGES[language]
    tried = {name for names in tried_by(language) for name in names}
    for name in NAMES:
        assert name in tried
        assert f"\n## {name}\n" in page
        assert f"\nscripts/torture {name}" in page
        assert f"\n| `{name}`" in page.partition("last-figures}" if language == "zh" else "## Last figures")[2]


def test_every_threat_names_the_tests_that_hold_it(language: str) -> None:
    section = PAGES[language].partition("{#threats}" if language == "zh" else "\n## Threats\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| .+ \| .+ \| (`.+) \|$", section, re.MULTILINE)
    assert 15 <= len(rows) <= 35
    for row in rows:
        tests = re.findall(r"`([\w/]*tests/[\w/]+\.py)::(\w+)`", row)
        assert tests, row
        for path, name in tests:
            assert f"def {name}(" in (ROOT / path).read_text("utf-8"), f"{path}::{name}"
