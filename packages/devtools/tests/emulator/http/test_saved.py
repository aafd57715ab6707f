"""Saved requests, as the console lists, reads and writes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.emulator import serving
from wwspec_devtools.console_contracts.saved_requests import MAX_BYTES
from wwspec_devtools.emulator.http.app import create_app
from wwspec_devtools.emulator.settings import EmulatorSettings

Json = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "requests"


@pytest.fixture
def http(folder: Path) -> Iterator[httpx.Client]:
    with (
        serving(create_app(EmulatorSettings(messages=0, requests=folder))) as url,
        httpx.Client(base_url=f"{url}/emulator/", trust_env=False) as http,
    ):
        yield http


def save(http: httpx.Client, name: str, data: str = '{"limit": 1}', ability_id: str = "order", **more: Any) -> Json:
    answer: Json = http.post("requests", json={"ability_id": ability_id, "name": name, "data": data, **more}).json()
    return answer


def names(http: httpx.Client, ability_id: str = "order") -> list[str] | None:
    found: list[str] | None = http.get("requests", params={"ability_id": ability_id}).json()["names"]
    return found


def test_what_is_saved_is_a_file_that_is_listed_and_read_as_it_was_written(http: httpx.Client, folder: Path) -> None:
    assert names(http) == []
    assert save(http, "big", '{"limit": 1.50}')["saved"] is True
    assert (folder / "order.big.json").read_text() == '{"limit": 1.50}\n'
    assert (names(http), names(http, "refund")) == (["big"], [])
    assert http.get("requests/big", params={"ability_id": "order"}).json()["data"] == '{"limit": 1.50}\n'
    assert [each.name for each in folder.iterdir()] == ["order.big.json"]


def test_a_file_is_replaced_only_when_that_is_asked_for(http: httpx.Client, folder: Path) -> None:
    save(http, "big")
    assert save(http, "big", "{}")["saved"] is False
    assert (folder / "order.big.json").read_text() == '{"limit": 1}\n'
    assert save(http, "big", "{}", replace=True)["saved"] is True
    assert (folder / "order.big.json").read_text() == "{}\n"


@pytest.mark.parametrize("name", ["../big", "a.b", "", ".", "a/b", "a b", "大", "a\n", "a" * 65])
def test_a_name_with_other_characters_is_refused(http: httpx.Client, tmp_path: Path, name: str) -> None:
    answer = save(http, name)
    assert answer["errcode"] == 40058
    assert "can't be the name of a saved request" in answer["errmsg"]
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("ability_id", ["../order", "/srv/order", ".order", "a\0b"])
def test_an_ability_that_would_lead_out_of_the_folder_is_refused(
    http: httpx.Client, tmp_path: Path, ability_id: str
) -> None:
    answer = save(http, "big", ability_id=ability_id)
    assert answer["errcode"] == 40058
    assert "can't be part of a file's name" in answer["errmsg"]
    assert list(tmp_path.rglob("*")) == []


def test_text_that_is_too_large_or_no_json_is_refused(http: httpx.Client, folder: Path) -> None:
    assert "order.big.json: is not JSON: line 1, column 2" in save(http, "big", "{")["errmsg"]
    assert "at most 1,048,576 bytes" in save(http, "big", f'"{"x" * MAX_BYTES}"')["errmsg"]
    assert not folder.exists()


def test_a_link_never_leads_a_write_out_of_the_folder(http: httpx.Client, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("kept")
    folder.mkdir()
    (folder / "order.big.json").symlink_to(outside)
    assert names(http) == []
    assert save(http, "big")["saved"] is False
    assert save(http, "big", replace=True)["saved"] is True
    assert outside.read_text() == "kept"
    (folder / "order.big.json").unlink()
    folder.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.symlink_to(elsewhere)
    assert "requests: is a link" in save(http, "big")["errmsg"]
    assert list(elsewhere.iterdir()) == []


def test_an_emulator_without_a_folder_says_so() -> None:
    with (
        serving(create_app(EmulatorSettings(messages=0))) as url,
        httpx.Client(base_url=f"{url}/emulator/", trust_env=False) as http,
    ):
        assert names(http) is None
        assert "start it by `wwspec dev`, or with --requests" in save(http, "big")["errmsg"]
