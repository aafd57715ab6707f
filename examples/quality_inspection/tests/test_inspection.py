"""The program and the app, in an emulated zone."""

import re
from pathlib import Path
from threading import Thread
from typing import Any
from wsgiref.simple_server import make_server

import pytest

from app.inspector import Inspector
from program import Finding, Hit
from wwspec_devtools.testing.zone import Zone

FORBIDDEN = "这款产品保证收益"
TOKEN, KEY = "callback-token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


def counted(zone: Zone) -> int:
    return int(zone.notified("conversation_new_message")["conversation_new_message_result"]["messages"])


def test_each_message_of_an_employee_is_counted_once(zone: Zone) -> None:
    zone.client.say("zhangwei", "早", to=["helan"])
    assert counted(zone) >= 1  # the first event begins about a minute before it
    for text in ("您好", "在吗", "谢谢"):
        zone.client.say("zhangwei", text, to=["helan"])
    assert sum(counted(zone) for _ in range(3)) == 3


def test_a_forbidden_word_opens_one_ticket_also_when_the_code_fails_after_it(zone: Zone) -> None:
    hit = {"msgid": "m1", "msg_detail": {"sender": {"type": 1, "id": "zhangwei"}}}
    page = {"errcode": 0, "errmsg": "ok", "msg_list": [hit], "has_more": 1, "next_cursor": "c1"}
    zone.answer("get_hit_msg_list", page, times=1)
    zone.answer("get_hit_msg_list", {"errcode": 48002, "errmsg": "api forbidden"}, times=2)  # with and without a token
    zone.answer("get_hit_msg_list", {**page, "has_more": 0}, times=1)
    fired = zone.fire("hit_keyword")
    zone.wait_idle()
    zone.repeat(fired)
    assert zone.notified(Finding).hits == [Hit(msgid="m1", employee="zhangwei")]
    assert len(zone.client.notifications()) == 1


def test_the_app_has_the_tickets_and_follows_a_report(zone: Zone, tmp_path: Path) -> None:
    with zone.app_client() as client:
        inspector, corpid = Inspector(client, str(tmp_path / "tickets.db")), zone.client.info()["corpid"]
        with inspector.receiver(corpid, TOKEN, KEY) as receiver, make_server("127.0.0.1", 0, receiver) as server:
            Thread(target=server.serve_forever).start()
            zone.client.set_callback(f"http://127.0.0.1:{server.server_port}/", TOKEN, KEY)
            inspector.watch("words")
            inspector.watch("words")
            msgid = zone.client.say("zhangwei", FORBIDDEN, to=["helan"])
            zone.wait_idle()
            report = inspector.report("r-1")
            zone.wait_idle()
            server.shutdown()
    assert len(zone.client.rules()["rules"]) == 1
    assert inspector.tickets() == [(msgid, "zhangwei")]
    assert ("zhangwei", 1) in [(each.userid, each.hits) for each in report.employees]
    assert (report.found, inspector.progress) == (1, {"r-1": 1.0})


def test_a_long_backlog_of_hits_is_worked_off_by_several_events(zone: Zone) -> None:
    def page(request: dict[str, Any]) -> dict[str, Any]:
        number = int(request.get("cursor") or 0) + 1
        hit = {"msgid": f"m{number}", "msg_detail": {"sender": {"type": 1, "id": "zhangwei"}}}
        return {"errcode": 0, "errmsg": "ok", "msg_list": [hit], "has_more": number < 12, "next_cursor": str(number)}

    zone.answer("get_hit_msg_list", page)
    for tickets in (5, 10, 12):
        zone.fire("hit_keyword")
        zone.wait_idle()
        assert len(zone.client.notifications()) == tickets


def test_a_suspended_corp_gets_nothing(caplog: pytest.LogCaptureFixture) -> None:
    app = Path(__file__).parents[1]
    with Zone.in_process(app, settings={"suspended": ["wwemulator00000001"]}) as zone:
        assert zone.call("watch", {"name": "words"}).errcode == 9100
        zone.fire("hit_keyword")
        zone.wait_idle()
        assert zone.client.notifications() == []
        assert re.search(r"job +hit_keyword +ok", caplog.text), "a failed run would be repeated and set aside"
