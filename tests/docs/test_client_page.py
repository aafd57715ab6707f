"""What the pages say of errcodes that are set apart is true of a new program."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict

from tests.docs.test_registry_blocks import blocks
from tests.support.apps import ROOT
from tests.support.zones import serve_zone
from wwspec_contracts.errcodes import ERRCODES
from wwspec_devtools.scaffold.project import make_project, project_files


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(blocks("client.md", "en", "# tests/failures.py\n")[0], names)  # noqa: S102 - what this is about
    return names


def test_an_app_says_what_to_do_about_each_failure_of_a_new_program(tmp_path: Path, page: dict[str, Any]) -> None:
    make_project(tmp_path / "shop", project_files("shop"))
    with serve_zone(tmp_path / "shop") as zone, zone.app_client(errcodes=page["ERRCODES"]) as client:
        digest = page["digest"]
        assert digest(client, 5) == "5 messages"
        assert digest(client, 5000) == "please correct it: input contract: expected int from 1 to 1000 at $.limit"


def test_the_pages_show_the_numbers_of_a_new_program_which_are_not_wecoms(page: dict[str, Any]) -> None:
    new = tomllib.loads(project_files("shop")["abilities/registry.toml"])["program"]
    apart = {key: number for key, number in asdict(page["ERRCODES"]).items() if new.get(key) == number}
    assert len(apart) == 4
    assert not {*apart.values()} & {*ERRCODES}
    shown = "".join(f"{key} = {number}\n" for key, number in apart.items())
    for language in ("en", "zh"):
        assert shown in (ROOT / f"docs/{language}/reference/registry.md").read_text("utf-8")
