"""The command URL: who may call it, what the app gets, and when data permissions end."""

import time
from itertools import permutations
from operator import methodcaller

import httpx
import pytest

from tests.client.notify.stand import Failing
from tests.client.suite.conftest import Make
from tests.client.suite.stand import Corp, Stand
from tests.support.provider import AES_KEY, PROVIDER, SUITE_ID, TOKEN
from tests.support.tables import for_each
from tests.support.waiting import wait_until
from wwspec_client import (
    ChangeAuth,
    DataPermission,
    DataPermissionEnded,
    DataPermissionExpiring,
    DataPermissionGranted,
    NotifyPolicy,
    Suite,
    SuiteEvent,
    SuiteTicket,
)
from wwspec_client.notify.models import Notification
from wwspec_client.stores import Installation, MemoryInstallationStore
from wwspec_contracts.callbacks import Callback, CallbackCrypto

DAY = 86_400


def test_wecom_verifies_the_url_for_the_provider(stand: Stand) -> None:
    for receiver, status in ((PROVIDER, 200), (SUITE_ID, 200), ("ww-of-another", 403)):
        crypto = CallbackCrypto(TOKEN, AES_KEY, receiver)
        echo = crypto.encrypt("hello")
        answer = httpx.get(stand.url, params={**crypto.query(int(time.time()), echo), "echostr": echo})
        assert answer.status_code == status


def test_a_command_for_another_receiver_is_refused(stand: Stand) -> None:
    ticket = stand.store.ticket(SUITE_ID)
    assert stand.send("suite_ticket", receiver="another", SuiteTicket="t").status_code == 403
    assert stand.store.ticket(SUITE_ID) == ticket


def test_a_command_of_another_suite_is_the_apps_only(stand: Stand) -> None:
    ticket, corp = stand.store.ticket(SUITE_ID), stand.corp()
    assert stand.send("suite_ticket", SuiteId="another", SuiteTicket="t").text == "success"
    installed = corp.install()
    assert stand.send("cancel_auth", SuiteId="another", AuthCorpId=corp.corpid).text == "success"
    [_, *others] = stand.seen(3)
    assert [(type(each), each.suite_id) for each in others] == [(SuiteEvent, "another")] * 2
    assert (stand.store.ticket(SUITE_ID), corp.stored) == (ticket, installed)
    assert stand.store.ticket("another") == ""


def test_what_the_suite_does_not_know_reaches_the_app_as_it_is(stand: Stand) -> None:
    stand.control.send_order("advanced_api_insufficient")
    [_, order] = stand.seen(2)
    assert type(order) is SuiteEvent
    assert order.info_type == "advanced_api_insufficient"
    assert "ChatArchiveApi" in order.callback.xml


def test_a_change_at_a_corp_without_an_installation_is_a_line_in_the_log(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    stand = make(corps=2)
    stand.corp(0).install()
    for corp in (stand.corp(0), stand.corp(1)):
        stand.send("change_auth", AuthCorpId=corp.corpid)
    stand.seen(2, ChangeAuth)
    lines = [each for each in caplog.messages if "change_auth" in each]
    assert lines == [f"change_auth of corp {stand.corp(1).corpid}, which has no installation"]


def test_what_the_app_fails_at_comes_again(make: Make) -> None:
    fails_once = Failing(1)
    make(on_event=fails_once)
    wait_until(lambda: len(fails_once.given) == 2)
    assert [type(each) for each in fails_once.given] == [SuiteTicket, SuiteTicket]


def test_the_end_of_the_data_permission_is_known(stand: Stand, corp: Corp) -> None:
    found = corp.install()
    assert found.data_until == 0
    corp.admin.renew(["knowledge"])
    stand.seen(1, DataPermissionGranted)
    assert (corp.stored or found).data_until == 0, "that is no permission for chats"
    corp.admin.renew(["chat"])
    [_, granted] = stand.seen(2, DataPermissionGranted)
    assert isinstance(granted, DataPermission)
    assert (corp.stored or found).data_until == granted.until.timestamp()
    assert granted.days_left() in (89, 90)
    corp.admin.expire(["chat"])
    [ended] = stand.seen(1, DataPermissionEnded)
    assert (corp.stored or found).data_until == ended.time.timestamp()


def test_a_reminder_comes_seven_days_before_the_end(stand: Stand, corp: Corp) -> None:
    found = corp.install()
    at = 1_900_000_000
    stand.send("expire_remind_data_permission", at=at, AuthCorpId=corp.corpid, AuthType="data_zone_chat")
    [reminder] = stand.seen(1, DataPermissionExpiring)
    assert isinstance(reminder, DataPermissionExpiring)
    assert (corp.stored or found).data_until == at + 7 * DAY


LIFE = [
    ("auth_data_permission", 0),
    ("expire_remind_data_permission", 83),
    ("expire_data_permission", 90),
    ("auth_data_permission", 95),
]
"""The events of a permission that ends, and is granted again, with their days."""


@for_each((each,) for each in permutations(range(4)))
def test_permission_events_may_come_in_any_order(order: tuple[int, ...]) -> None:
    store = MemoryInstallationStore()
    store.replace(None, Installation(suite_id="suite", corpid="ww1", permanent_code="code"))
    suite = Suite("suite", "secret", installations=store)
    for number in order:
        info_type, day = LIFE[number]
        fields = {"InfoType": info_type, "SuiteId": "suite", "AuthCorpId": "ww1", "AuthType": "data_zone_chat"}
        suite._on_callback(Callback({**fields, "TimeStamp": str(1_700_000_000 + day * DAY)}, "", "suite", {}))
    assert suite.installation("ww1").data_until == 1_700_000_000 + (95 + 90) * DAY


def test_a_permission_of_a_corp_that_is_not_installed_yet_comes_again(make: Make) -> None:
    stand = make(policy=NotifyPolicy(first_pause=0.02, longest_pause=0.5))
    corp = stand.corp()
    stand.send("auth_data_permission", AuthCorpId=corp.corpid, AuthType="data_zone_chat")
    stand.send("enter_agent")
    stand.seen(2)  # the ticket, and what came after the permission
    found = corp.install()
    stand.seen(1, DataPermissionGranted)
    assert (corp.stored or found).data_until > 0


def test_the_clients_of_corps_are_bounded(make: Make) -> None:
    stand = make(clients=2)
    clients = [stand.suite.corp(each) for each in "abab"]
    assert clients[:2] == clients[2:]
    stand.suite.corp("c")
    assert stand.suite.corp("b") is clients[1]
    assert stand.suite.corp("a") is not clients[0]


def test_callbacks_are_for_the_suite_the_provider_and_corps_that_have_the_app(make: Make) -> None:
    stand = make(corps=2)
    stand.corp(0).install()
    asked = [SUITE_ID, PROVIDER, stand.corp(0).corpid, stand.corp(1).corpid, ""]
    found = [stand.do(methodcaller("is_receiver", each)) for each in asked]
    assert found == [True, True, True, False, False]


def test_the_client_of_a_notification_is_that_of_its_corp(stand: Stand, corp: Corp) -> None:
    corp.install()
    notification = Notification(corpid=corp.corpid, notify_id="n1")
    assert stand.do(lambda suite: suite.client_of(notification)) is stand.do(lambda suite: suite.corp(corp.corpid))
