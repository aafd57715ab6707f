"""The pages about `[program]`: what they show is a program that does what they say."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.apps import ROOT, check_app, write_files
from tests.support.pages import Block, blocks_of_page
from tests.support.zones import serve_zone


def files(page: str) -> list[tuple[str, str]]:
    """Return path and text of each block of a page that is a file."""
    blocks = [*blocks_of_page(ROOT / "docs" / "en" / "how-to" / page)]
    return [(path, block.text) for block in blocks if (path := path_of(block))]


def path_of(block: Block) -> str:
    found = re.match(r"# ([\w./]+\.(?:py|toml)|\.env)\n", block.text)
    return found[1] if found else ""


def test_the_generator_of_the_page_notes_each_call_and_refuses_a_suspended_corp(tmp_path: Path) -> None:
    app = write_files(tmp_path, dict(files("around.md")))
    with serve_zone(app) as zone:
        assert zone.call("coupon", {"code": "TEA"}).reply["cents"] == 500
        assert zone.call("coupon", {"code": "MILK"}).errcode == 1404
        assert re.search(r"coupon: 0 after 0\.\d{3} s", zone.program_log())
        assert re.search(r"coupon: 1404 after 0\.\d{3} s", zone.program_log())
        corpid = zone.client.info()["corpid"]
    audit = app / "abilities" / "audit.py"
    audit.write_text(audit.read_text("utf-8").replace("wwsuspended", corpid), "utf-8")
    with serve_zone(app) as zone:
        assert zone.call("coupon", {"code": "TEA"}).errcode == 1403


def test_the_database_of_the_page_is_open_in_each_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database, registry, *_ = files("open-once.md")
    monkeypatch.chdir(tmp_path)
    with serve_zone(write_files(tmp_path / "app", dict([database, registry]))) as zone:
        counts = [zone.call("seen", {"article": "tea"}).reply["times"] for _ in range(6)]
    assert counts == [1, 2, 3, 4, 5, 6]
    with closing(sqlite3.connect(tmp_path / "catalogue.db")) as connection:
        assert connection.execute("SELECT times FROM seen").fetchone() == (6,)


def test_the_client_and_the_model_of_the_page_are_open_in_each_call(tmp_path: Path) -> None:
    *_, client, registry = files("open-once.md")
    with serve_zone(write_files(tmp_path, dict([client, registry]))) as zone:
        forecast = zone.call("forecast", {"url": f"{zone.client.url}/emulator/info"})
    assert forecast.reply == {"errcode": 0, "errmsg": "ok", "score": 0}


def test_the_settings_of_the_page_reach_the_lifespan_and_the_handler(tmp_path: Path) -> None:
    app = write_files(tmp_path, dict(files("own-settings.md")))
    with serve_zone(app, settings={"partner_key": "a-key-for-tests", "retries": 5}) as zone:
        reply = zone.call("partner_price", {"article": "tea"}).reply
        assert "a-key-for-tests" not in zone.program_log()
    assert reply["url"].startswith("https://partner.example/tea?signed=")
    assert reply["retries"] == 5
    assert check_app(app)[0] == 0
    (app / ".env").unlink()
    code, said = check_app(app)
    assert code == 1
    assert f"{app / 'wwspec.toml'}:2 [app]: missing partner-key: set WWSPEC_APP_PARTNER_KEY" in said
