"""Pages that show a program: it does what they say."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.docs.test_tutorial import counts_of_a_backlog
from tests.support.apps import ROOT, check_app, write_files
from tests.support.emulator import Response, http_server
from tests.support.pages import blocks_of_page
from tests.support.waiting import DEADLINE
from tests.support.zones import serve_zone

pytestmark = pytest.mark.nightly  # a served zone each; due when the page changes. test_snippets.py serves most of them


def files(page: str) -> list[tuple[str, str]]:
    texts = [block.text for block in blocks_of_page(ROOT / "docs" / "en" / page)]
    return [(found[1], text) for text in texts if (found := re.match(r"# ([\w./]+\.(?:py|toml))\n", text))]


def of_modules(*names: str) -> str:
    """Return a registry file by which the marks of modules count."""
    modules = [f"abilities.{name}" for name in names]
    return f'[program]\nmodules = {modules}\n[abilities.get_callback_data]\nkind = "callback_data"\n'


COUPONS = """
from wwspec_contracts.events import hit_keyword
from wwspec_router import AbilityError, Contract, EventContext, Output, ability, on_event

class CouponRequest(Contract):
    code: str

@ability
def coupon(request: CouponRequest) -> Output:
    if request.code != "TEA":
        raise AbilityError("there is no such coupon", errcode=1404)
    return Output()

class Attempt(Contract):
    number: int

@on_event(notify="after")
def on_hit(event: hit_keyword.Event, ctx: EventContext) -> Attempt:
    return Attempt(number=ctx.attempt)
"""


def test_the_generator_of_the_page_notes_each_call_and_refuses_calls_of_a_suspended_corp(tmp_path: Path) -> None:
    audit = dict(files("program/around.md"))["abilities/audit.py"]
    registry = of_modules("coupons").replace("[program]", '[program]\naround = "abilities.audit:around"')
    shown = {"abilities/audit.py": audit, "abilities/coupons.py": COUPONS, "abilities/registry.toml": registry}
    app = write_files(tmp_path, shown)
    with serve_zone(app) as zone:
        assert zone.call("coupon", {"code": "TEA"}).errcode == 0
        assert zone.call("coupon", {"code": "MILK"}).errcode == 1404
        assert re.search(r"coupon: 0 after 0\.\d{3} s", zone.program_log())
        assert re.search(r"coupon: 1404 after 0\.\d{3} s", zone.program_log())
        corpid = zone.client.info()["corpid"]
    write_files(app, {"abilities/audit.py": audit.replace("wwsuspended", corpid)})
    with serve_zone(app) as zone:
        assert zone.call("coupon", {"code": "TEA"}).errcode == 1403
        zone.fire("hit_keyword")
        assert zone.notified("hit_keyword")["hit_keyword_result"] == {"number": 1}


def test_the_database_of_the_page_is_open_in_each_call(tmp_path: Path) -> None:
    shown = {path: text for path, text in files("program/around.md") if path != "abilities/audit.py"}
    with serve_zone(write_files(tmp_path / "app", shown)) as zone:
        assert [zone.call("seen", {"article": "tea"}).reply["times"] for _ in range(6)] == [1, 2, 3, 4, 5, 6]
        assert zone.var is not None
        with closing(sqlite3.connect(zone.var / "catalogue.db")) as connection:
            assert connection.execute("SELECT times FROM seen").fetchone() == (6,)
    assert not (tmp_path / "app" / "var").exists()


def test_the_settings_of_the_page_reach_the_client_and_the_handler(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []

    def answer(headers: list[tuple[str, str]], body: bytes) -> Response:
        asked.append(({name.lower(): value for name, value in headers}["authorization"], body.decode()))
        return 200, {}, b"rain"

    app = write_files(tmp_path, dict(files("program/settings.md")))
    with http_server(answer) as url:
        with serve_zone(app, settings={"forecast_key": "a-key-for-tests", "forecast_url": url}) as zone:
            assert zone.call("forecast", {"city": "Suzhou"}).reply["text"] == "rain"
            assert "a-key-for-tests" not in zone.program_log()
    assert asked == [("Bearer a-key-for-tests", '{"city":"Suzhou","days":3}')]
    code, said = check_app(app)
    assert code == 1
    assert f"{app / 'wwspec.toml'}:2 [app]: missing forecast-key: set WWSPEC_APP_FORECAST_KEY" in said
    write_files(app, {".env": "WWSPEC_APP_FORECAST_KEY=a-key-for-development\n"})
    assert check_app(app)[0] == 0


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
    shown = dict(files("program/asynchronous-calls.md")) | {"abilities/registry.toml": of_modules("count_new")}
    counts, has_more = list[int](), 1
    with serve_zone(write_files(tmp_path, shown), emulate=["--messages", "10001"]) as zone:
        while has_more:
            reply = zone.submit("count_new").result(timeout=DEADLINE).reply
            counts.append(reply["messages"])
            has_more = reply["has_more"]
            zone.advance(60)  # before that WeCom allows no more pulls without a token
    assert (len(counts), sum(counts)) == (3, 10_001)


def test_a_backlog_of_the_page_that_is_too_long_for_one_run_is_worked_off_by_several(tmp_path: Path) -> None:
    shown = dict(files("program/events.md"))["abilities/new_messages.py"]
    has_time, has_none = "timeout=30", "timeout=9"  # for a second page
    assert has_time in shown
    hurried = {"abilities/new_messages.py": shown.replace(has_time, has_none)}
    write_files(tmp_path, hurried | {"abilities/registry.toml": of_modules("new_messages")})
    with serve_zone(tmp_path, emulate=["--messages", "2000"]) as zone:
        assert counts_of_a_backlog(zone, events=3) == [1000, 1000, 3]
