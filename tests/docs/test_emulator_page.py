"""reference/emulator.md says of every API and endpoint what is modelled; this holds both languages to the code."""

import re

import pytest

from scripts.website.pages import DOCS, LANGUAGES
from wwspec_devtools.cli.verbs.zone import command
from wwspec_devtools.emulator.apis.table import APIS
from wwspec_devtools.emulator.appside import table, uploads
from wwspec_devtools.emulator.standin.wwspec_standin.names import SDK_APIS

PAGES = {language: (DOCS / language / "reference" / "emulator.md").read_text("utf-8") for language in LANGUAGES}
HEADINGS = {
    "en": {"apis": "SDK APIs", "endpoints": "Endpoints of the app side"},
    "zh": {"apis": "SDK 接口 {#sdk-apis}", "endpoints": "应用侧接口 {#endpoints-of-the-app-side}"},
}

pytestmark = pytest.mark.parametrize("language", LANGUAGES)


def named(language: str, section: str) -> list[str]:
    """Return the names in the first cells of a section's rows; a row may have several."""
    text = PAGES[language].partition(f"\n## {HEADINGS[language][section]}\n")[2].partition("\n##")[0]
    return re.findall(r"`([\w/]+)`", "".join(re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)))


def test_every_sdk_api_and_endpoint_has_one_row_and_one_model(language: str) -> None:
    assert sorted(named(language, "apis")) == sorted(SDK_APIS) == sorted(APIS)
    assert sorted(named(language, "endpoints")) == sorted(["program_notify", uploads.API, *table.APIS])


def test_no_row_is_empty(language: str) -> None:
    found = re.findall(r"^\| `[^\n]+$", PAGES[language], re.MULTILINE)
    assert len(found) > len(APIS)
    for row in found:
        assert all(cell.strip() for cell in row.strip("|").split("|")), row


def test_every_control_that_the_page_names_exists(language: str) -> None:
    shown = set(re.findall(r"wwspec zone ([a-z-]+)", PAGES[language]))
    for row in re.findall(r"^\| .*`wwspec zone .+$", PAGES[language], re.MULTILINE):
        shown |= set(re.findall(r"`([a-z][a-z-]+)`", row))
    assert shown <= set(command.commands)
    assert len(shown) > 30
