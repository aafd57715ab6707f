"""What the explanations claim of the matching rule and of the layers is so."""

import json
import re
import tomllib

import pytest

from scripts.website.pages import DOCS, LANGUAGES
from tests.support.apps import ROOT
from wwspec_contracts.matching import matches

pytestmark = pytest.mark.parametrize("language", LANGUAGES)


def rows(language: str, page: str, section: str) -> list[list[str]]:
    """Return the cells of the first table of a section."""
    text = (DOCS / language / "explanation" / f"{page}.md").read_text("utf-8")
    heading = re.search(
        rf"^## .*\{{#{section}\}}$|^## {section.replace('-', ' ')}$", text, re.MULTILINE | re.IGNORECASE
    )
    assert heading, section
    table = text[heading.end() :].partition("\n|")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in f"|{table}".splitlines()[2:]]


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
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    order = {name.strip(): place for place, layer in enumerate(layers) for name in re.split(r"[|:]", layer)}
    listed = [re.findall(r"`(\w+)`", cells[0]) for cells in rows(language, "house", "layers")]
    places = [{order[name] for name in names} for names in listed]
    assert all(len(each) == 1 for each in places), "a row has names of one layer"
    assert [min(each) for each in places] == sorted(min(each) for each in places)
    assert len(places) == len(layers)
