"""Pages that show a program: it does what they say."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.apps import ROOT, check_app, write_files
from tests.support.emulator import Response, http_server
from tests.support.pages import Block, blocks_of_page
from tests.support.waiting import DEADLINE
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import Zone


def files(page: str) -> list[tuple[str, str]]:
    blocks = [*blocks_of_page(ROOT / "docs" / "en" / page)]
    return [(path, block.text) for block in blocks if (path := path_of(block))]


def path_of(block: Block) -> str:
    found = re.match(r"# ([\w./]+\.(?:py|toml)|\.env)\n", block.text)
    return found[1] if found else ""


def test_the_generator_of_the_page_notes_each_call_and_refuses_a_suspended_corp(tmp_path: Path) -> None:
    app = write_files(tmp_path, dict(files("program/around.md")))
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
    database, registry, *_ = files("program/open-once.md")
    monkeypatch.chdir(tmp_path)
    with serve_zone(write_files(tmp_path / "app", dict([database, registry]))) as zone:
        counts = [zone.call("seen", {"article": "tea"}).reply["times"] for _ in range(6)]
    assert counts == [1, 2, 3, 4, 5, 6]
    with closing(sqlite3.connect(tmp_path / "catalogue.db")) as connection:
        assert connection.execute("SELECT times FROM seen").fetchone() == (6,)


def test_the_client_and_the_model_of_the_page_are_open_in_each_call(tmp_path: Path) -> None:
    *_, client, registry = files("program/open-once.md")
    with serve_zone(write_files(tmp_path, dict([client, registry]))) as zone:
        forecast = zone.call("forecast", {"url": f"{zone.client.url}/emulator/info"})
    assert forecast.reply == {"errcode": 0, "errmsg": "ok", "score": 0}


def test_the_settings_of_the_page_reach_the_lifespan_and_the_handler(tmp_path: Path) -> None:
    app = write_files(tmp_path, dict(files("program/settings.md")))
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


def test_a_key_of_the_page_opens_one_ticket_though_two_machines_run_the_call(tmp_path: Path) -> None:
    keys: list[str] = []

    def open_ticket(headers: list[tuple[str, str]], body: bytes) -> Response:
        keys.append({name.lower(): value for name, value in headers}["idempotency-key"])
        return 200, {}, json.dumps({"number": [*dict.fromkeys(keys)].index(keys[-1]) + 1}).encode()

    with http_server(open_ticket) as url:
        shown = {path: text.replace("https://tickets.example", url) for path, text in files("reference/registry.md")}
        with serve_zone(write_files(tmp_path, shown), machines=2) as zone, zone.app_client() as client:
            for number, order in enumerate(("order-1", "order-2"), start=1):
                once = client.with_options(idempotency_key=order, idempotency_field="request_id")
                assert {once.call("open_ticket", {"title": "refund"})["number"] for _ in range(3)} == {number}
    assert sorted(keys) == ["order-1", "order-1", "order-2", "order-2"], "each machine runs a key once"


def test_a_backlog_of_the_page_is_counted_in_calls_that_each_stay_below_the_limit_of_pulls(tmp_path: Path) -> None:
    app = write_files(tmp_path, dict(files("program/follow.md")))
    counts, has_more = list[int](), 1
    with serve_zone(app, emulate=["--messages", "10001"]) as zone:
        while has_more:
            reply = zone.submit("busiest").result(timeout=DEADLINE).reply
            counts.append(reply["messages"])
            has_more = reply["has_more"]
            zone.advance(60)  # before that WeCom allows no more pulls without a token
    assert (len(counts), sum(counts)) == (3, 10_001)


def test_a_backlog_of_the_page_that_is_too_long_for_one_run_is_worked_off_by_several(tmp_path: Path) -> None:
    fetch = '[abilities.get_callback_data]\nkind = "callback_data"\n'
    registry = write_files(tmp_path, {"abilities/registry.toml": fetch}) / "abilities" / "registry.toml"
    for block in blocks_of_page(ROOT / "docs" / "en" / "program" / "events.md"):
        if block.is_file:
            block.write(tmp_path)
    has_time, has_none = "timeout = 30.0\n", "timeout = 9.0\n"  # for a second page
    assert has_time in registry.read_text("utf-8")
    registry.write_text(registry.read_text("utf-8").replace(has_time, has_none), "utf-8")
    with serve_zone(tmp_path, emulate=["--messages", "2000"]) as zone:
        oldest = zone.client.info()["now"] - 5 * 24 * 3600
        assert [new_messages(zone, oldest) for _ in range(3)] == [1000, 1000, 3]


def new_messages(zone: Zone, time: int) -> int:
    """Fire an event of a time, and return how many messages its code has counted."""
    zone.fire("conversation_new_message", timestamp=time)
    result = zone.notified("conversation_new_message", DEADLINE)["conversation_new_message_result"]
    return int(result["messages"])
