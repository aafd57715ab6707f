"""docs/en/reference/emulator.md says of every API and endpoint what is modelled; this holds the page to the code."""

import re
from pathlib import Path

from wwspec_router.cli.verbs.zone import command
from wwspec_router.emulator.apis.table import APIS
from wwspec_router.emulator.appside import calls as appside, uploads
from wwspec_router.emulator.standin.wwspec_standin.names import SDK_APIS

PAGE = (Path(__file__).parents[2] / "docs" / "en" / "reference" / "emulator.md").read_text()


def rows(heading: str) -> list[str]:
    """The first cells of the table under a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([\w/]+)` \|", section, re.MULTILINE)


def test_every_sdk_api_has_one_row_and_one_model() -> None:
    assert sorted(rows("SDK APIs")) == sorted(SDK_APIS) == sorted(APIS)


def test_every_endpoint_has_one_row() -> None:
    assert sorted(rows("Endpoints of the app side")) == sorted(
        ["gettoken", "program_notify", uploads.API, *appside.APIS]
    )


def test_no_row_is_empty() -> None:
    for row in re.findall(r"^\| `[^\n]+$", PAGE, re.MULTILINE):
        assert all(cell.strip() for cell in row.strip("|").split("|")), row


def test_every_control_that_the_page_names_exists() -> None:
    named = set(re.findall(r"wwspec zone ([\w-]+)", PAGE))
    assert named <= set(command.commands)
    assert len(named) > 5
