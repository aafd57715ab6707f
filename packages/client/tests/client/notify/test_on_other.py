"""Callbacks that are no notifications: stored, answered, and then given to `on_other` at least once."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.client.notify.stand import AES_KEY, CORPID, CRYPTO, QUICK, TOKEN, Failing, ServerKind, Stand
from tests.client.notify.test_receiver import HIT
from tests.support.waiting import wait_until
from wwspec_client.stores import MemoryPendingStore, Pending, SqlitePendingStore, Stage
from wwspec_contracts.callbacks import Callback, CallbackCrypto, write_xml

SUITE = CallbackCrypto(TOKEN, AES_KEY, "suite")
BOTH = {"suite", CORPID}
APPROVAL = (
    "<xml><Event><![CDATA[sys_approval_change]]></Event><ApprovalInfo><SpNo>1</SpNo></ApprovalInfo><A>2</A></xml>"
)


def ticket(number: int) -> str:
    text = {"SuiteId": "suite", "InfoType": "suite_ticket", "SuiteTicket": f"ticket-{number}"}
    return write_xml({**text, "TimeStamp": number})


def numbers(others: list[Callback]) -> list[int]:
    return [int(each.fields["TimeStamp"]) for each in others]


def test_every_other_callback_goes_to_on_other_whole(kind: ServerKind) -> None:
    with Stand(kind, [HIT], collects_others=True) as stand:
        assert stand.post(ticket(5), crypto=SUITE).text == "success"
        assert stand.post(APPROVAL).text == ""
        wait_until(lambda: len(stand.others) == 2)
    assert (stand.others[0].fields["SuiteTicket"], stand.others[0].receive_id) == ("ticket-5", "suite")
    assert (stand.others[1].fields, stand.others[1].xml) == ({"Event": "sys_approval_change", "A": "2"}, APPROVAL)
    assert (stand.others[1].receive_id, stand.others[1].envelope["AgentID"]) == (CORPID, "1000002")


def test_without_on_other_a_callback_is_logged_and_not_stored(
    kind: ServerKind, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "wwspec_client.notify")
    store = MemoryPendingStore()
    with Stand(kind, [HIT], store=store, receive_id=BOTH) as stand:
        assert stand.post(ticket(5), crypto=SUITE).text == "success"
    assert store.due(Stage.RECEIVED, time.time(), 9) == []
    assert "a callback 'suite_ticket' was passed over: the receiver has no on_other" in caplog.text


def test_a_callback_that_comes_again_is_handled_once(kind: ServerKind) -> None:
    with Stand(kind, [HIT], collects_others=True) as stand:
        for number in (1, 1, 2, 1):
            assert stand.post(ticket(number), crypto=SUITE).text == "success"
        wait_until(lambda: len(stand.others) == 2)
        assert stand.post(ticket(1), crypto=SUITE).text == "success"
        stand.post(ticket(3), crypto=SUITE)
        wait_until(lambda: len(stand.others) == 3)
    assert numbers(stand.others) == [1, 2, 3]


def test_the_same_text_for_another_receiver_is_another_callback(kind: ServerKind) -> None:
    with Stand(kind, [HIT], collects_others=True) as stand:
        for crypto in (SUITE, CRYPTO, SUITE):
            assert stand.post(ticket(1), crypto=crypto).status_code == 200
        wait_until(lambda: len(stand.others) == 2)
    assert [each.receive_id for each in stand.others] == ["suite", CORPID]


def test_callbacks_are_answered_before_on_other_has_ended_and_handled_in_the_order_in_which_they_came(
    kind: ServerKind,
) -> None:
    others: list[Callback] = []
    release = threading.Event()

    def waits(callback: Callback) -> None:
        release.wait()
        others.append(callback)

    with Stand(kind, [HIT], on_other=waits, receive_id=BOTH) as stand:
        for number in range(20):
            assert stand.post(ticket(number), crypto=SUITE).text == "success"
        assert others == []
        release.set()
        wait_until(lambda: len(others) == 20)
    assert numbers(others) == list(range(20))


def test_a_callback_whose_handling_fails_is_tried_again_and_the_failure_is_kept(kind: ServerKind) -> None:
    fails, reported = Failing(4), list[Pending]()
    options = {"on_other": fails, "on_failed": reported.append, "receive_id": BOTH}
    with Stand(kind, [HIT], policy=replace(QUICK, handler_attempts=3), **options) as stand:
        assert stand.post(ticket(7), crypto=SUITE).text == "success"
        row = stand.given_up()
        wait_until(lambda: reported)
        assert (row.stage, row.attempts, row.reason) == (Stage.FAILED_CALLBACK, 3, "ValueError: no database")
        assert numbers(fails.given) == [7, 7, 7]
        assert row.callback is not None
        assert (row.callback.xml, row.notification.corpid) == (ticket(7), "suite")
        assert row.name.startswith("callback suite_ticket:")
        assert reported == [row]
        assert stand.post(ticket(7), crypto=SUITE).text == "success"
        assert len(fails.given) == 3, "a callback that was given up was handled again because it came again"
        assert stand.retry(row)
        wait_until(lambda: len(fails.given) == 5)
        wait_until(lambda: not stand.failed())
        assert not stand.retry(row)


def test_a_restart_handles_what_was_not_handled_and_nothing_twice(kind: ServerKind, tmp_path: Path) -> None:
    release = threading.Event()
    others: list[Callback] = []

    def hangs_at_the_second(callback: Callback) -> None:
        others.append(callback)
        if len(others) == 2:
            release.wait()

    options = {"policy": replace(QUICK, grace=0.5), "receive_id": BOTH}
    file = tmp_path / "pending.db"
    with Stand(kind, [HIT], on_other=hangs_at_the_second, store=SqlitePendingStore(file), **options) as stand:
        for number in (1, 2, 3):
            stand.post(ticket(number), crypto=SUITE)
        wait_until(lambda: len(others) == 2)
    with Stand(kind, [HIT], store=SqlitePendingStore(file), collects_others=True) as stand:
        wait_until(lambda: len(stand.others) == 2)
        stand.post(ticket(1), crypto=SUITE)
        stand.post(ticket(4), crypto=SUITE)
        wait_until(lambda: len(stand.others) == 3)
    release.set()
    assert numbers(stand.others) == [2, 3, 4]


def test_a_callback_or_notification_that_can_not_be_stored_is_sent_again(
    kind: ServerKind, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SqlitePendingStore(tmp_path / "pending.db")
    with Stand(kind, [HIT], store=store, collects_others=True) as stand:
        store.close()
        assert stand.post(ticket(1), crypto=SUITE).status_code == stand.notify("n1").status_code == 500
        for what in ("a callback 'suite_ticket'", "a notification"):
            assert f"{what} was not taken, so WeCom sends it again" in caplog.text
        store.open()
        assert stand.post(ticket(1), crypto=SUITE).text == "success"
        assert stand.notify("n1").status_code == 200
        wait_until(lambda: stand.others)
        stand.handled(1)
    assert len(stand.others) == 1


def test_notifications_and_callbacks_do_not_hold_up_each_other(kind: ServerKind) -> None:
    release = threading.Event()

    def waits(callback: Callback) -> None:
        release.wait()

    with Stand(kind, [HIT], on_other=waits) as stand:
        stand.post(APPROVAL)
        stand.notify("n1")
        stand.handled(1)
        release.set()
