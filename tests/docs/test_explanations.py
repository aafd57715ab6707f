"""What the explanations claim is so: of the matching rule, and which tests and runs hold promises and threats."""

import json
import re

import pytest

from scripts.website.pages import DOCS, LANGUAGES
from tests.support.apps import ROOT
from torture.__main__ import NAMES
from wwspec_contracts.matching import matches

pytestmark = pytest.mark.parametrize("language", LANGUAGES)


def section(language: str, page: str, place: str) -> str:
    """Return the text below a heading with this anchor, up to the next one of the same level."""
    text = (DOCS / language / "explanation" / f"{page}.md").read_text("utf-8")
    plain = place.replace("-", " ")
    heading = re.search(rf"^## (?:.*\{{#{place}\}}|{plain})$", text, re.MULTILINE | re.IGNORECASE)
    assert heading, place
    return text[heading.end() :].partition("\n## ")[0]


def rows(text: str) -> list[str]:
    return re.findall(r"^\| (.+) \|$", text, re.MULTILINE)


def test_the_examples_of_the_rule_are_decided_so(language: str) -> None:
    words = {"matches": True, "匹配": True, "does not match": False, "不匹配": False}
    lines = [row.partition(" | ")[::2] for row in rows(section(language, "zone", "the-matching-rule"))]
    [example] = (json.loads(text.split("`")[1]) for word, text in lines if word in ("example", "示例"))
    decided = [(words[word], json.loads(text.split("`")[1])) for word, text in lines if word in words]
    assert [fits for fits, _ in decided] == [True, True, False, False]
    assert [matches(example, value) for _, value in decided] == [fits for fits, _ in decided]


def tried_by(language: str) -> list[list[str]]:
    found = [row.rpartition(" | ")[2] for row in rows(section(language, "reliability", "the-promises"))]
    return [re.findall(r"`([^`]+)`", cell) for cell in found if "`" in cell]


def test_every_promise_names_runs_and_tests_that_exist(language: str) -> None:
    promises = tried_by(language)
    assert len(promises) > 30
    for names in promises:
        assert names
        for name in names:
            assert name in NAMES or (ROOT / name).is_file(), name


def test_every_run_tries_a_promise_and_is_described_with_its_figures(language: str) -> None:
    tried = {name for names in tried_by(language) for name in names}
    for name in NAMES:
        assert name in tried
        for place in ("the-runs", "last-figures"):
            assert any(row.startswith(f"`{name}") for row in rows(section(language, "reliability", place))), name


def test_every_threat_names_the_tests_that_hold_it(language: str) -> None:
    threats = [row.split(" | ") for row in rows(section(language, "reliability", "threats"))][1:]
    assert 15 <= len(threats) <= 35
    for _, _, _, held_by in threats:
        tests = re.findall(r"`([\w/]*tests/[\w/]+\.py)::(\w+)`", held_by)
        assert tests, held_by
        for path, name in tests:
            assert f"def {name}(" in (ROOT / path).read_text("utf-8"), f"{path}::{name}"
