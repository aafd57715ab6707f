"""What a receiver promises, with both drivers."""

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.client.notify.stand import AES_KEY, CORPID, CRYPTO, QUICK, TOKEN, Failing, ServerKind, Stand, of_kind
from tests.client.scripted import answer, reply
from tests.support.waiting import DEADLINE, wait_until
from wwspec_client import Notification, NotifyEvent, NotifyPolicy
from wwspec_client.stores import SqlitePendingStore
from wwspec_contracts.base import Contract
from wwspec_contracts.callbacks import CallbackCrypto
from wwspec_contracts.events import hit_keyword

HIT = reply(event_type="hit_keyword", timestamp=5, hit_keyword={"token": "t"}, hit_keyword_result={"hits": 3})


class Backlog(Contract):
    next_cursor: str


def test_the_event_behind_a_notification_is_handed_out_typed(kind: ServerKind) -> None:
    with Stand(kind, [HIT]) as stand:
        answered = stand.notify("n1", NotifyScene=2, CreateTime=7)
        assert (answered.status_code, answered.text) == (200, "")
        (event,) = stand.handled(1)
    hit = hit_keyword.KeywordHit(token="t")  # noqa: S106 - no secret
    assert event.data == hit_keyword.Event(event_type="hit_keyword", timestamp=5, hit_keyword=hit)
    assert (event.event_type, event.timestamp, event.result, event.attempt) == ("hit_keyword", 5, {"hits": 3}, 1)
    assert event.notification == Notification(
        corpid=CORPID, notify_id="n1", scene=2, create_time=7, receive_id=CORPID, agentid="1000002"
    )
    asked = msgspec.json.decode(stand.asked[0].content)
    assert (asked["ability_id"], asked["notify_id"]) == ("get_callback_data", "n1")


def test_the_url_is_verified_by_the_bare_decrypted_echo(kind: ServerKind) -> None:
    encrypted = CRYPTO.encrypt("12345")
    query = {**CRYPTO.query(int(time.time()), encrypted), "echostr": encrypted}
    with Stand(kind, [HIT]) as stand:
        assert stand.http.get("/callback", params=query).text == "12345"
        assert stand.http.get("/callback", params={**query, "nonce": "0"}).status_code == 403
        assert stand.http.get("/callback").status_code == 403
        assert stand.http.put("/callback").status_code == 405


def test_a_repeated_callback_is_fetched_once(kind: ServerKind) -> None:
    with Stand(kind, [HIT]) as stand:
        for notify_id in ("n1", "n1", "n2", "n1"):
            assert stand.notify(notify_id).status_code == 200
        stand.handled(2)
        assert stand.notify("n1").status_code == 200
        stand.notify("n3")
        assert {event.notify_id for event in stand.handled(3)} == {"n1", "n2", "n3"}
        assert len(stand.asked) == 3


@pytest.mark.parametrize("off", [-301, 301])
def test_a_callback_outside_of_the_replay_window_is_refused(kind: ServerKind, off: int) -> None:
    with Stand(kind, [HIT], clock=lambda: 1_000_000.0) as stand:
        assert stand.notify("n1", at=1_000_000 + off).status_code == 403
        assert stand.notify("n1", at=1_000_000 + off * 299 // 301).status_code == 200


def test_what_is_not_sealed_for_the_app_is_refused(kind: ServerKind) -> None:
    with Stand(kind, [HIT]) as stand:
        for crypto in (
            CallbackCrypto("other", AES_KEY, CORPID),
            CallbackCrypto(TOKEN, "b" * 42 + "A", CORPID),
            CallbackCrypto(TOKEN, AES_KEY, "other"),
        ):
            assert stand.post("<xml></xml>", crypto=crypto).status_code == 403
        assert stand.http.post("/callback", content=b"<xml>").status_code == 403


def test_forged_callbacks_are_logged_once_a_second_with_the_number_of_the_others(
    kind: ServerKind, caplog: pytest.LogCaptureFixture
) -> None:
    with Stand(kind, [HIT], policy=NotifyPolicy(body_limit=1000)) as stand:
        for number in range(50):
            assert stand.http.post(f"/callback?timestamp={number}", content=b"<xml>").status_code == 403
            assert stand.http.post("/callback", content=b"x" * 1001).status_code == 413
    for line in ("a callback was refused: the callback's timestamp", "a callback was refused: its body"):
        assert 1 <= caplog.text.count(line) < 25, line


def test_an_event_that_can_not_be_fetched_yet_is_fetched_later(kind: ServerKind) -> None:
    down = (answer(710674, "no connection"), httpx.ConnectError("down"), reply(errcode=710660, errmsg="not yet"))
    with Stand(kind, [*down, HIT]) as stand:
        assert stand.notify("n1").status_code == 200
        stand.handled(1)
        assert stand.failed() == []


def test_an_event_that_can_not_be_fetched_in_its_lifetime_is_kept_to_be_tried_again(kind: ServerKind) -> None:
    now, policy = [1000.0], replace(QUICK, lifetime=600.0)
    with Stand(kind, [answer(710674, "down")], policy=policy, clock=lambda: now[0]) as stand:
        stand.notify("n1", at=1000)
        wait_until(lambda: len(stand.asked) > 1)
        assert stand.failed() == []
        now[0] += 601
        row = stand.given_up()
        assert "710674: down" in row.reason
        stand.outcomes[:] = [HIT]
        assert stand.retry(row)
        assert stand.handled(1)[0].notify_id == "n1"
        assert not stand.retry(row)


def test_a_notification_that_comes_again_after_it_was_given_up_is_tried_again(kind: ServerKind) -> None:
    now, policy = [1000.0], replace(QUICK, lifetime=600.0)
    refusals = (answer(710646, "illegal notify_id"), answer(710674, "no connection"))
    with Stand(kind, [*refusals, HIT], policy=policy, clock=lambda: now[0]) as stand:
        stand.notify("n1", at=1000)
        wait_until(stand.failed)
        now[0] += 5000
        assert stand.notify("n1", at=6000).status_code == 200
        assert [event.notify_id for event in stand.handled(1)] == ["n1"], "also after another failure"
        assert stand.failed() == []
        assert stand.notify("n1", at=6000).status_code == 200
        assert len(stand.asked) == 3


def test_a_handler_that_raises_is_called_again_and_its_event_is_kept(kind: ServerKind) -> None:
    fails = Failing(4)
    with Stand(kind, [HIT], handler=fails, policy=replace(QUICK, handler_attempts=3)) as stand:
        stand.notify("n1")
        row = stand.given_up()
        assert ([each.attempt for each in fails.given], row.reason) == ([1, 2, 3], "ValueError: no database")
        stand.retry(row)
        wait_until(lambda: len(fails.given) == 5)
        wait_until(lambda: not stand.failed())
        assert [each.attempt for each in fails.given[3:]] == [1, 2], "a retry did not begin a new count"
        assert len(stand.asked) == 1


def test_a_failing_event_does_not_hold_up_the_others(kind: ServerKind) -> None:
    got: list[str] = []

    def handler(event: NotifyEvent) -> None:
        if event.notify_id == "bad":
            raise ValueError
        got.append(event.notify_id)

    with Stand(kind, [HIT], handler=handler, policy=NotifyPolicy(first_pause=600.0, longest_pause=600.0)) as stand:
        for notify_id in ("bad", "n1", "n2"):
            stand.notify(notify_id)
        wait_until(lambda: sorted(got) == ["n1", "n2"])


def test_a_notification_of_the_program_is_handed_out_as_its_type(kind: ServerKind) -> None:
    backlog = reply(event_type="backlog", timestamp=5, backlog={"next_cursor": "c", "added_later": 1})
    unknown = reply(event_type="brand_new", timestamp=6, brand_new={"a": 1})
    misfit = reply(event_type="hit_keyword", timestamp=7, hit_keyword={"token": 1})
    with Stand(kind, [backlog, unknown, misfit], kinds={"backlog": Backlog}) as stand:
        for count in (1, 2, 3):
            stand.notify(f"n{count}")
            stand.handled(count)
    known, other, wrong = stand.events
    assert known.data == Backlog(next_cursor="c")
    assert other.data == other.raw == {"event_type": "brand_new", "timestamp": 6, "brand_new": {"a": 1}}
    assert isinstance(wrong.data, dict)


def test_an_app_of_many_corps_chooses_the_client_and_the_receive_ids(kind: ServerKind) -> None:
    corps: list[str] = []

    def choose(client: Any) -> Any:
        def client_of(notification: Notification) -> Any:
            corps.append(notification.corpid)
            if len(corps) == 1:
                raise KeyError("the corp is not known yet")
            return client

        return of_kind(kind, client_of)

    with Stand(kind, [HIT], choose=choose, receive_id=lambda receive_id: receive_id.startswith("ww")) as stand:
        assert stand.notify("n1", ToUserName="ww-a").status_code == 200
        assert stand.notify("n1", ToUserName="ww-b").status_code == 200
        assert {event.notification.corpid for event in stand.handled(2)} == {"ww-a", "ww-b"}
    assert len(corps) == 3


def test_a_restart_loses_nothing_and_repeats_nothing(kind: ServerKind, tmp_path: Path) -> None:
    store = tmp_path / "pending.db"
    begun, held = threading.Event(), threading.Event()

    def hangs(event: NotifyEvent) -> None:
        begun.set()
        held.wait()

    policy = NotifyPolicy(first_pause=600.0, longest_pause=600.0, grace=0.5)
    options = {"handler": hangs, "policy": policy, "store": SqlitePendingStore(store)}
    with Stand(kind, [HIT, answer(710674, "down")], **options) as stand:
        stand.notify("fetched")
        assert begun.wait(DEADLINE)
        stand.notify("noted")
        wait_until(lambda: len(stand.asked) == 2)
    held.set()
    late = time.time() + 601
    with Stand(kind, [HIT], store=SqlitePendingStore(store), clock=lambda: late) as stand:
        assert {event.notify_id for event in stand.handled(2)} == {"fetched", "noted"}
        assert len(stand.asked) == 1
    with Stand(kind, [HIT], store=SqlitePendingStore(store)) as stand:
        assert stand.notify("fetched").status_code == 200
        stand.notify("new")
        assert stand.handled(1)[0].notify_id == "new"
