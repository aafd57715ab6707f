"""What the explanations claim of the matching rule and of the layers is so."""

import json
import re
import tomllib

import pytest

from scripts.website.pages import DOCS, LANGUAGES
from tests.support.apps import ROOT
from wwspec_contracts.matching import matches

pytestmark = pytest.mark.parametrize("language", LANGUAGES)


def tables(language: str, page: str, section: str) -> list[list[list[str]]]:
    text = (DOCS / language / "explanation" / f"{page}.md").read_text("utf-8")
    heading = re.search(
        rf"^## .*\{{#{section}\}}$|^## {section.replace('-', ' ')}$", text, re.MULTILINE | re.IGNORECASE
    )
    assert heading, section
    found = re.findall(r"(?:^\|.*\n)+", text[heading.end() :].partition("\n## ")[0], re.MULTILINE)
    return [
        [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]] for table in found
    ]


def rows(language: str, page: str, section: str) -> list[list[str]]:
    return tables(language, page, section)[0]


def test_the_examples_of_the_rule_are_decided_so(language: str) -> None:
    words = {"example": None, "示例": None, "matches": True, "匹配": True, "does not match": False, "不匹配": False}
    decided = [
        (words[word.lstrip("| ")], json.loads(text.split("`")[1]))
        for word, text in rows(language, "contracts", "the-rule")
    ]
    assert [fits for fits, _ in decided] == [None, True, True, False, False]
    example = decided[0][1]
    assert [matches(example, value) for _, value in decided[1:]] == [fits for fits, _ in decided[1:]]


def test_the_layers_are_those_that_are_checked(language: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    checked = [
        [set(re.split(r" [|:] ", layer)) for layer in contract["layers"]]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    packages, *within = checked
    listed = [
        [set(re.findall(r"`(\w+)`", cells[0])) for cells in table] for table in tables(language, "house", "layers")
    ]
    assert listed == within, "each table has the layers of one package, a row each"
    names = [re.findall(r"`(\w+)`", cells[0]) for cells in rows(language, "house", "four-packages")]
    assert sorted(name for [name] in names) == sorted(name for layer in packages for name in layer)
